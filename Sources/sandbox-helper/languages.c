#include "languages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descriptors.h"

const char *const guest_environment[] = {
    "PATH=/usr/bin:/bin",
    "HOME=/box/tmp",
    "TMPDIR=/box/tmp",
    "LANG=C.UTF-8",
    // glibc writes its last words to standard error instead of looking for a terminal.
    "LIBC_FATAL_STDERR_=1",
    NULL,
};

static struct language languages[MAX_LANGUAGES];
static int language_count;

// MARK: Reading

/// The table's bytes: texts that end in a zero. All entries point into it.
static char content[MAX_LANGUAGE_TABLE_BYTES];

struct reader {
    const char *next;
    const char *end;
    bool failed;
};

static const char *take_text(struct reader *reader) {
    const char *text = reader->next;
    const char *zero =
        reader->failed ? NULL : memchr(text, 0, (size_t)(reader->end - text));
    if (!zero) {
        reader->failed = true;
        return "";
    }
    reader->next = zero + 1;
    return text;
}

static int64_t take_number(struct reader *reader, int64_t most) {
    const char *text = take_text(reader);
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || *end || end == text || number < 0 || number > most) reader->failed = true;
    return reader->failed ? 0 : number;
}

static void take_list(struct reader *reader, struct text_list *list, int most) {
    list->count = (int)take_number(reader, most);
    for (int i = 0; i < list->count; i++) list->texts[i] = take_text(reader);
    list->texts[list->count] = NULL;
}

static bool is_plain_name(const char *name) {
    return name[0] && name[0] != '.' && name[0] != '-' && !strchr(name, '/');
}

static void take_language(struct reader *reader, struct language *language) {
    language->id = take_text(reader);
    language->source_name = take_text(reader);
    const char *artefact = take_text(reader);
    language->artefact_name = artefact[0] ? artefact : NULL;
    const char *model = take_text(reader);
    language->memory_model = strcmp(model, "resident") == 0 ? MEMORY_RESIDENT : MEMORY_ADDRESS_SPACE;
    language->processes = take_number(reader, MAX_GUEST_PROCESSES);
    take_list(reader, &language->compile, MAX_LANGUAGE_ARGUMENTS);
    take_list(reader, &language->run, MAX_LANGUAGE_ARGUMENTS);
    take_list(reader, &language->version, MAX_LANGUAGE_ARGUMENTS);
    take_list(reader, &language->environment, MAX_LANGUAGE_VARIABLES);
    take_list(reader, &language->mounts, MAX_LANGUAGE_MOUNTS);
    const struct text_list *commands[] = {&language->compile, &language->run, &language->version};
    for (int i = 0; i < 3; i++) {
        if (commands[i]->count > 0 && commands[i]->texts[0][0] != '/') reader->failed = true;
    }
    for (int i = 0; i < language->mounts.count; i++) {
        if (language->mounts.texts[i][0] != '/') reader->failed = true;
    }
    if (!is_plain_name(language->source_name) || (artefact[0] && !is_plain_name(artefact)) ||
        language->compile.count == 0 || language->version.count == 0 ||
        (!artefact[0] && language->run.count == 0)) {
        reader->failed = true;
    }
}

int languages_read(int table) {
    int64_t size = sealed_size(table);
    if (size <= 0 || size > (int64_t)sizeof content || pread(table, content, (size_t)size, 0) != size) {
        errno = EINVAL;
        return -1;
    }
    struct reader reader = {.next = content, .end = content + size};
    int count = (int)take_number(&reader, MAX_LANGUAGES);
    for (int i = 0; i < count && !reader.failed; i++) take_language(&reader, &languages[i]);
    if (reader.failed || reader.next != reader.end) {
        errno = EINVAL;
        return -1;
    }
    language_count = count;
    return 0;
}

// MARK: Looking up

const struct language *language_named(const char *id) {
    for (int i = 0; i < language_count; i++) {
        if (strcmp(languages[i].id, id) == 0) return &languages[i];
    }
    return NULL;
}

void languages_text(char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < language_count; i++) {
        size_t length = strlen(languages[i].id);
        if (used + length + 2 > size) continue;
        if (used) text[used++] = ',';
        memcpy(text + used, languages[i].id, length + 1);
        used += length;
    }
}

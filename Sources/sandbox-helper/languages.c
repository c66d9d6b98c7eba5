#include "languages.h"

#include <string.h>
#include <unistd.h>

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char python_check[] =
    "import sys, traceback\n"
    "try:\n"
    "    compile(open('main.py', 'rb').read(), 'main.py', 'exec')\n"
    "except Exception as error:\n"
    "    sys.exit(''.join(traceback.format_exception_only(error)))\n";

// Native programs are linked statically so that their box needs no system folder at all.
static const struct language languages[] = {
    {
        .id = "c",
        .source_name = "main.c",
        .compile = ARGUMENTS("/usr/bin/gcc", "-O2", "-std=gnu17", "-static", "-o", "main", "main.c", "-lm"),
        .artefact_name = "main",
        .version = ARGUMENTS("/usr/bin/gcc", "--version"),
        .memory_model = MEMORY_ADDRESS_SPACE,
    },
    {
        .id = "cpp",
        .source_name = "main.cpp",
        .compile = ARGUMENTS("/usr/bin/g++", "-O2", "-std=gnu++20", "-static", "-o", "main", "main.cpp"),
        .artefact_name = "main",
        .version = ARGUMENTS("/usr/bin/g++", "--version"),
        .memory_model = MEMORY_ADDRESS_SPACE,
    },
    {
        .id = "python",
        .source_name = "main.py",
        // Only the syntax is checked: nothing of the source runs, and no file is left.
        .compile = ARGUMENTS("/usr/bin/python3", "-I", "-S", "-X", "utf8", "-c", python_check),
        .run = ARGUMENTS("/usr/bin/python3", "-B", "-s", "-X", "utf8", "main.py"),
        .version = ARGUMENTS("/usr/bin/python3", "--version"),
        .memory_model = MEMORY_ADDRESS_SPACE,
    },
    {
        .id = "javascript",
        .source_name = "main.js",
        .compile = ARGUMENTS("/usr/bin/node", "--check", "main.js"),
        .run = ARGUMENTS("/usr/bin/node", "main.js"),
        .version = ARGUMENTS("/usr/bin/node", "--version"),
        .memory_model = MEMORY_RESIDENT,
    },
};

#define LANGUAGE_COUNT (sizeof(languages) / sizeof(languages[0]))

const char *const guest_environment[] = {
    "PATH=/usr/bin:/bin",
    "HOME=/box/tmp",
    "TMPDIR=/box/tmp",
    "LANG=C.UTF-8",
    // glibc writes its last words to standard error instead of looking for a terminal.
    "LIBC_FATAL_STDERR_=1",
    NULL,
};

const struct language *language_named(const char *id) {
    for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
        if (strcmp(languages[i].id, id) == 0) return &languages[i];
    }
    return NULL;
}

static bool is_installed(const struct language *language) {
    if (access(language->compile[0], X_OK) != 0) return false;
    return !language->run || access(language->run[0], X_OK) == 0;
}

void languages_installed(char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
        size_t length = strlen(languages[i].id);
        if (!is_installed(&languages[i]) || used + length + 2 > size) continue;
        if (used) text[used++] = ',';
        memcpy(text + used, languages[i].id, length + 1);
        used += length;
    }
}

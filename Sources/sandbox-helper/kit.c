#define _GNU_SOURCE
#include "kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"
#include "junction.h"

enum { MAX_OWN_ARGUMENTS = 32, COPY_BYTES = 64 << 10 };

static const char box_folder[] = "/box", work_folder[] = "/box/work";
static const char feedback_folder[] = "/box/tmp/feedback";

// MARK: Opening

struct reader {
    int file;
    int64_t position;
};

static int read_exactly(struct reader *reader, void *bytes, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t count = pread(reader->file, (char *)bytes + done, size - done, reader->position);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            if (count == 0) errno = EPROTO;
            return -1;
        }
        done += (size_t)count;
        reader->position += count;
    }
    return 0;
}

/// Makes the folders on the way to a file. The name is changed and restored.
static int make_folders(int box, char *name) {
    for (char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        int result = mkdirat(box, name, 0755);
        *slash = '/';
        if (result != 0 && errno != EEXIST) return -1;
    }
    return 0;
}

static int unpack_file(struct reader *reader, int box) {
    static char name[MAX_KIT_NAME_BYTES + 1], buffer[COPY_BYTES];
    struct kit_entry entry;
    if (read_exactly(reader, &entry, sizeof entry) != 0) return -1;
    if (entry.name_bytes == 0 || entry.name_bytes > MAX_KIT_NAME_BYTES) {
        errno = EPROTO;
        return -1;
    }
    if (read_exactly(reader, name, entry.name_bytes) != 0) return -1;
    name[entry.name_bytes] = 0;
    if (make_folders(box, name) != 0) return -1;
    if (name[entry.name_bytes - 1] == '/') return 0;
    int file = openat(box, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0) return -1;
    uint64_t left = entry.content_bytes;
    while (left > 0) {
        size_t count = left < sizeof buffer ? (size_t)left : sizeof buffer;
        if (read_exactly(reader, buffer, count) != 0 || write_all(file, buffer, count) != 0) {
            int error = errno;
            close(file);
            errno = error;
            return -1;
        }
        left -= count;
    }
    return close(file);
}

static int unpack_files(struct reader *reader, uint32_t count) {
    int box = open(box_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (box < 0) return -1;
    int result = 0;
    for (uint32_t i = 0; i < count && result == 0; i++) result = unpack_file(reader, box);
    int error = errno;
    close(box);
    errno = error;
    return result;
}

int kit_open(int file, const char *const *own, const char *own_name, struct kit *kit) {
    static char texts[MAX_KIT_ARGUMENT_BYTES + 1], own_path[PATH_MAX];
    static const char *arguments[MAX_OWN_ARGUMENTS + MAX_KIT_ARGUMENTS + 1];
    struct reader reader = {.file = file};
    struct kit_header header;
    if (read_exactly(&reader, &header, sizeof header) != 0) return -1;
    if (header.magic != KIT_MAGIC || header.argument_count > MAX_KIT_ARGUMENTS ||
        header.argument_bytes > MAX_KIT_ARGUMENT_BYTES || header.file_count > MAX_KIT_FILES) {
        errno = EPROTO;
        return -1;
    }
    if (read_exactly(&reader, texts, header.argument_bytes) != 0) return -1;
    bool reads_submission = header.flags & KIT_READS_SUBMISSION;
    if (own_name) snprintf(own_path, sizeof own_path, "%s/%s", work_folder, own_name);
    int count = 0;
    while (own[count] && count < MAX_OWN_ARGUMENTS) {
        bool is_own_file = reads_submission && own_name && strcmp(own[count], own_name) == 0;
        arguments[count] = is_own_file ? own_path : own[count];
        count++;
    }
    const char *next = texts, *end = texts + header.argument_bytes;
    for (uint32_t i = 0; i < header.argument_count && next < end; i++) {
        arguments[count++] = next;
        next += strlen(next) + 1;
    }
    kit->arguments = arguments;
    kit->report_bytes = (int64_t)header.report_bytes;
    kit->output_bytes = (int64_t)header.output_bytes;
    kit->folder = reads_submission ? SUBMISSION_FOLDER : NULL;
    return unpack_files(&reader, header.file_count);
}

// MARK: Reporting

/// Appends one feedback file. 1 when it is none that counts; -1 when it could not be taken or is too large.
static int append_file(int report, int folder, const char *name, int64_t *left) {
    static char buffer[COPY_BYTES];
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0) return 1;
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(file);
        return 1;
    }
    struct kit_entry entry = {.name_bytes = (uint32_t)strlen(name), .content_bytes = (uint64_t)status.st_size};
    int result = -1;
    if (status.st_size <= *left && write_all(report, &entry, sizeof entry) == 0 &&
        write_all(report, name, entry.name_bytes) == 0) {
        struct reader reader = {.file = file};
        int64_t rest = status.st_size;
        *left -= rest;
        while (rest > 0) {
            size_t count = rest < (int64_t)sizeof buffer ? (size_t)rest : sizeof buffer;
            if (read_exactly(&reader, buffer, count) != 0 || write_all(report, buffer, count) != 0) break;
            rest -= (int64_t)count;
        }
        if (rest == 0) result = 0;
    }
    close(file);
    return result;
}

static int append_files(int report, int64_t left, uint32_t *file_count) {
    DIR *folder = opendir(feedback_folder);
    if (!folder) return -1;
    int result = 0;
    struct dirent *entry;
    while (result >= 0 && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (*file_count == MAX_REPORT_FILES) {
            result = -1;
            break;
        }
        result = append_file(report, dirfd(folder), entry->d_name, &left);
        if (result == 0) (*file_count)++;
    }
    closedir(folder);
    return result < 0 ? -1 : 0;
}

static int leave_report(int wait_status, uint32_t flags, int64_t report_bytes) {
    struct kit_report head = {.magic = REPORT_MAGIC, .exit_code = -1, .flags = flags};
    if (WIFEXITED(wait_status)) head.exit_code = WEXITSTATUS(wait_status);
    if (WIFSIGNALED(wait_status)) head.signal = WTERMSIG(wait_status);
    if (unlink(REPORT_NAME) != 0 && errno != ENOENT) return -1;
    int report = open(REPORT_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (report < 0 || write_all(report, &head, sizeof head) != 0) return -1;
    if (append_files(report, report_bytes, &head.file_count) != 0) return -1;
    return pwrite(report, &head, sizeof head, 0) == (ssize_t)sizeof head ? 0 : -1;
}

int kit_supervise(int status, int program, const struct kit *kit, bool joined) {
    struct junction junction = {{-1, -1}, {-1, -1}};
    if (joined && junction_open(&junction) != 0) return -1;
    pid_t child = fork();
    if (child < 0) return -1;
    // A submission that has gone away is seen as an error of writing, not as this program's death.
    signal(SIGPIPE, SIG_IGN);
    if (child == 0) return joined ? junction_enter(&junction) : 0;
    close(status);
    if (program >= 0) close(program);
    int wait_status = 0;
    uint32_t flags = 0;
    if (joined) {
        if (junction_serve(&junction, child, kit->output_bytes, &wait_status, &flags) != 0) _exit(1);
    } else {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        while (waitpid(child, &wait_status, 0) != child) {
            if (errno != EINTR) _exit(1);
        }
    }
    _exit(leave_report(wait_status, flags, kit->report_bytes) == 0 ? 0 : 1);
}

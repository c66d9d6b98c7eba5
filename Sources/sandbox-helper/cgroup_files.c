#define _GNU_SOURCE
#include "cgroup_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

// MARK: Small files

int open_in(const char *folder, const char *file, int flags) {
    char path[512];
    if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, flags | O_CLOEXEC);
}

int write_text(const char *folder, const char *file, const char *text) {
    int descriptor = open_in(folder, file, O_WRONLY);
    if (descriptor < 0) return -1;
    ssize_t written = write(descriptor, text, strlen(text));
    int error = errno;
    close(descriptor);
    errno = error;
    return written == (ssize_t)strlen(text) ? 0 : -1;
}

int write_number(const char *folder, const char *file, int64_t number) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)number);
    return write_text(folder, file, text);
}

ssize_t read_at(int descriptor, char *text, size_t size) {
    if (descriptor < 0) return -1;
    ssize_t count = pread(descriptor, text, size - 1, 0);
    if (count >= 0) text[count] = 0;
    return count;
}

ssize_t read_text(const char *folder, const char *file, char *text, size_t size) {
    int descriptor = open_in(folder, file, O_RDONLY);
    ssize_t count = read_at(descriptor, text, size);
    if (descriptor >= 0) close(descriptor);
    return count;
}

int64_t number_in(int descriptor) {
    char text[64];
    if (read_at(descriptor, text, sizeof text) <= 0) return -1;
    return strtoll(text, NULL, 10);
}

int64_t keyed_number(int descriptor, const char *key) {
    char text[2048];
    if (read_at(descriptor, text, sizeof text) <= 0) return -1;
    size_t length = strlen(key);
    for (char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, key, length) == 0 && line[length] == ' ') return strtoll(line + length, NULL, 10);
    }
    return -1;
}

// MARK: Removal

int remove_folder(const char *folder) {
    for (int attempt = 0; attempt < 200; attempt++) {
        if (rmdir(folder) == 0 || errno == ENOENT) return 0;
        if (errno != EBUSY) return -1;
        nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
    }
    return -1;
}

static void kill_members(const char *folder) {
    char text[4096];
    if (write_text(folder, "cgroup.kill", "1") == 0) return;
    for (int round = 0; round < 100; round++) {
        if (read_text(folder, "cgroup.procs", text, sizeof text) <= 0) return;
        char *next = text;
        for (long pid; (pid = strtol(next, &next, 10)) > 1;) kill((pid_t)pid, SIGKILL);
        nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
    }
}

void remove_tree(const char *folder) {
    DIR *directory = opendir(folder);
    if (directory) {
        for (struct dirent *entry; (entry = readdir(directory));) {
            if (strncmp(entry->d_name, "slot", 4) != 0) continue;
            char child[512];
            if (snprintf(child, sizeof child, "%s/%s", folder, entry->d_name) >= (int)sizeof child) continue;
            kill_members(child);
            remove_folder(child);
        }
        closedir(directory);
    }
    remove_folder(folder);
}

void remove_stale(const char *base, const char *group_name) {
    unsigned long namespace_id, own_namespace;
    long pid, own_pid;
    if (sscanf(group_name, "coduel-%lx-%ld", &own_namespace, &own_pid) != 2) return;
    DIR *directory = opendir(base);
    if (!directory) return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (sscanf(entry->d_name, "coduel-%lx-%ld", &namespace_id, &pid) != 2) continue;
        if (namespace_id != own_namespace || pid <= 1 || pid == own_pid) continue;
        if (kill((pid_t)pid, 0) == 0 || errno != ESRCH) continue;
        char folder[512];
        if (snprintf(folder, sizeof folder, "%s/%s", base, entry->d_name) >= (int)sizeof folder) continue;
        remove_tree(folder);
    }
    closedir(directory);
}

#define _GNU_SOURCE
#include "survey.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ceilings.h"
#include "cgroup_files.h"

/// Fields of /proc/PID/stat (proc(5)), counted from the one behind the name, which is the third.
enum {
    FIELD_USER_TIME = 11,
    FIELD_SYSTEM_TIME,
    FIELD_CHILDREN_USER_TIME,
    FIELD_CHILDREN_SYSTEM_TIME,
    FIELD_RESIDENT = 21,
};

struct stat_fields {
    int64_t own_ticks;
    int64_t children_ticks;
    int64_t resident_pages;
};

static bool read_stat(pid_t pid, struct stat_fields *fields) {
    char folder[32], text[1024];
    snprintf(folder, sizeof folder, "/proc/%d", pid);
    if (read_text(folder, "stat", text, sizeof text) <= 0) return false;
    // The name is the process's own choice and may hold anything; nothing behind it holds a bracket.
    char *next = strrchr(text, ')');
    if (!next) return false;
    *fields = (struct stat_fields){0};
    next++;
    for (int field = 0; field <= FIELD_RESIDENT && *next; field++) {
        while (*next == ' ') next++;
        int64_t value = strtoll(next, NULL, 10);
        if (field == FIELD_USER_TIME || field == FIELD_SYSTEM_TIME) fields->own_ticks += value;
        if (field == FIELD_CHILDREN_USER_TIME || field == FIELD_CHILDREN_SYSTEM_TIME) {
            fields->children_ticks += value;
        }
        if (field == FIELD_RESIDENT) fields->resident_pages = value;
        while (*next && *next != ' ') next++;
    }
    return true;
}

/// Adds the children of all threads of a process to the list.
static int add_children(pid_t pid, pid_t *list, int count) {
    char path[64], text[8192];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks) return count;
    for (struct dirent *entry; (entry = readdir(tasks));) {
        char folder[340];
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        snprintf(folder, sizeof folder, "%s/%s", path, entry->d_name);
        if (read_text(folder, "children", text, sizeof text) <= 0) continue;
        char *next = text;
        for (long child; count < MAX_SURVEYED_TASKS && (child = strtol(next, &next, 10)) > 0;) {
            list[count++] = (pid_t)child;
        }
    }
    closedir(tasks);
    return count;
}

struct survey survey_take(pid_t warden) {
    static pid_t list[MAX_SURVEYED_TASKS];
    struct stat_fields fields;
    struct survey survey = {0};
    int64_t ticks = 0;
    // Of the warden itself only what it has reaped counts.
    if (read_stat(warden, &fields)) ticks += fields.children_ticks;
    int count = add_children(warden, list, 0);
    for (int i = 0; i < count; i++) {
        if (!read_stat(list[i], &fields)) continue;
        ticks += fields.own_ticks + fields.children_ticks;
        survey.resident_bytes += fields.resident_pages * sysconf(_SC_PAGESIZE);
        count = add_children(list[i], list, count);
    }
    survey.cpu_us = ticks * (1000000 / sysconf(_SC_CLK_TCK));
    return survey;
}

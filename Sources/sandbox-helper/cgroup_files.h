/// Reading, writing and removing the files and folders of a control-group hierarchy.
#ifndef CODUEL_CGROUP_FILES_H
#define CODUEL_CGROUP_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Opens a file of a group; close-on-exec. A descriptor, or -1 with errno.
int open_in(const char *folder, const char *file, int flags);

int write_text(const char *folder, const char *file, const char *text);
int write_number(const char *folder, const char *file, int64_t number);

/// Reads from the start of an open file into a terminated text; the length, or -1.
ssize_t read_at(int descriptor, char *text, size_t size);
ssize_t read_text(const char *folder, const char *file, char *text, size_t size);

/// The number an open file starts with, or -1.
int64_t number_in(int descriptor);

/// The number behind a key of an open "key value" file, or -1.
int64_t keyed_number(int descriptor, const char *key);

/// Removes a group, waiting a moment where it has just lost its last process; 0, or -1.
int remove_folder(const char *folder);

/// Removes a helper's group with the run groups below it; members are killed.
void remove_tree(const char *folder);

/// Removes below `base` the groups of helpers that are dead. Their names carry the process-id namespace and
/// the process id, so that they can be told.
void remove_stale(const char *base, const char *own_group_name);

#endif

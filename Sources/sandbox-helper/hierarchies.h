/// The control-group hierarchies that this helper uses, as `cgroups_open` found them.
#ifndef CODUEL_HIERARCHIES_H
#define CODUEL_HIERARCHIES_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroups.h"

enum controller { MEMORY, PIDS, CPU, CONTROLLERS };

/// A hierarchy in use: its folder of this helper and the controllers it serves.
struct hierarchy {
    char folder[320];
    bool serves[CONTROLLERS];
    bool is_v2;
};

extern struct hierarchy hierarchies[MAX_HIERARCHIES];
extern int hierarchy_count;

/// Sets the limits that this hierarchy serves on one of its groups, and reads them back. 0, or -1 with errno.
int hierarchy_limit(const struct hierarchy *hierarchy, const char *folder, int64_t memory, int64_t processes);

#endif

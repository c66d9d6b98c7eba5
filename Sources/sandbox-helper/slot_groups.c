#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ceilings.h"
#include "cgroup_files.h"
#include "cgroups.h"
#include "hierarchies.h"
#include "layers.h"

static int slot_folder(const struct hierarchy *hierarchy, int slot, char *folder, size_t size) {
    return snprintf(folder, size, "%s/slot%d", hierarchy->folder, slot) < (int)size ? 0 : -1;
}

static int open_counters(struct cgroup *group, const struct hierarchy *hierarchy, const char *folder) {
    int join = open_in(folder, "cgroup.procs", O_WRONLY);
    if (join < 0) return -1;
    group->join[group->join_count++] = join;
    bool v2 = hierarchy->is_v2;
    if (hierarchy->serves[CPU]) {
        group->cpu = open_in(folder, v2 ? "cpu.stat" : "cpuacct.usage", O_RDONLY);
        if (group->cpu < 0) return -1;
    }
    if (hierarchy->serves[MEMORY]) {
        group->events = open_in(folder, v2 ? "memory.events" : "memory.oom_control", O_RDONLY);
        group->usage = open_in(folder, v2 ? "memory.current" : "memory.usage_in_bytes", O_RDONLY);
        const char *peak = v2 ? "memory.peak" : "memory.max_usage_in_bytes";
        group->peak = open_in(folder, peak, O_RDWR);
        if (group->peak < 0) group->peak = open_in(folder, peak, O_RDONLY);
        if (group->events < 0) return -1;
    }
    return 0;
}

void cgroup_initialise(struct cgroup *group, int slot) {
    *group = (struct cgroup){
        .slot = slot, .cpu = -1, .events = -1, .peak = -1, .usage = -1};
}

/// Both are set before the first run; a group without limits is for wardens alone.
enum { NO_PROCESSES_YET = MAX_BOXES_A_SLOT };
#define NO_MEMORY_YET (64 * MIB)

static int limit(struct cgroup *group, int64_t memory_bytes, int64_t processes) {
    for (int i = 0; i < hierarchy_count; i++) {
        char folder[400];
        if (slot_folder(&hierarchies[i], group->slot, folder, sizeof folder) != 0 ||
            hierarchy_limit(&hierarchies[i], folder, memory_bytes, processes) != 0) {
            return -1;
        }
    }
    group->memory_bytes = memory_bytes;
    group->processes = processes;
    return 0;
}

static int make(struct cgroup *group) {
    for (int i = 0; i < hierarchy_count; i++) {
        char folder[400];
        if (slot_folder(&hierarchies[i], group->slot, folder, sizeof folder) != 0) return -1;
        if (mkdir(folder, 0755) != 0 || open_counters(group, &hierarchies[i], folder) != 0) return -1;
    }
    return limit(group, NO_MEMORY_YET, NO_PROCESSES_YET);
}

int cgroup_make(struct cgroup *group) {
    if (group->made) return 0;
    group->made = true;
    if (make(group) == 0) return 0;
    int error = errno;
    cgroup_remove(group);
    errno = error;
    return -1;
}

/// Version 1 takes a 0; version 2, since Linux 6.12, anything, for the readers of this very descriptor.
static bool reset_peak(const struct cgroup *group) {
    return group->peak < 0 || pwrite(group->peak, "0\n", 2, 0) == 2;
}

bool cgroups_are_lasting(void) {
    // Tried on groups of a slot that does not exist.
    static int found = -1;
    if (found >= 0) return found;
    struct cgroup trial;
    cgroup_initialise(&trial, MAX_SLOTS);
    found = cgroup_make(&trial) == 0 && reset_peak(&trial);
    cgroup_remove(&trial);
    return found;
}

int cgroup_prepare(struct cgroup *group, int64_t memory_bytes, int64_t processes) {
    // Counters that stay are counters of fresh groups; nobody lives in these.
    if (group->used && !cgroups_are_lasting() && (cgroup_remove(group) != 0 || cgroup_make(group) != 0)) return -1;
    group->used = true;
    processes += MAX_BOXES_A_SLOT;
    if (memory_bytes != group->memory_bytes || processes != group->processes) {
        if (limit(group, memory_bytes, processes) != 0) return -1;
    }
    group->cpu_base_us = group->oom_base = 0;
    int64_t cpu = cgroup_cpu_us(group), kills = cgroup_oom_kills(group);
    group->cpu_base_us = cpu > 0 ? cpu : 0;
    group->oom_base = kills;
    return reset_peak(group) || !cgroups_are_lasting() ? 0 : -1;
}

bool cgroup_has_residue(const struct cgroup *group) {
    return group->usage >= 0 && number_in(group->usage) > MAX_GROUP_RESIDUE_BYTES;
}

int64_t cgroup_cpu_us(const struct cgroup *group) {
    if (group->cpu < 0) return -1;
    int64_t us;
    if (cgroups_layers() & LAYER_CGROUP_CPU_V2) {
        us = keyed_number(group->cpu, "usage_usec");
    } else {
        us = number_in(group->cpu) / 1000;
    }
    return us < group->cpu_base_us ? 0 : us - group->cpu_base_us;
}

int64_t cgroup_oom_kills(const struct cgroup *group) {
    int64_t count = keyed_number(group->events, "oom_kill") - group->oom_base;
    return count > 0 ? count : 0;
}

int64_t cgroup_peak_bytes(const struct cgroup *group) { return number_in(group->peak); }

int cgroup_remove(struct cgroup *group) {
    int result = 0;
    for (int i = 0; i < group->join_count; i++) close(group->join[i]);
    group->join_count = 0;
    int *counters[] = {&group->cpu, &group->events, &group->peak, &group->usage};
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        if (*counters[i] >= 0) close(*counters[i]);
        *counters[i] = -1;
    }
    for (int i = 0; group->made && i < hierarchy_count; i++) {
        char folder[400];
        if (slot_folder(&hierarchies[i], group->slot, folder, sizeof folder) != 0 ||
            remove_folder(folder) != 0) {
            result = -1;
        }
    }
    cgroup_initialise(group, group->slot);
    return result;
}

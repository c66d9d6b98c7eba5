/// Control groups, version 1, version 2 or both at once: each of memory, pids and cpu is taken from whichever
/// hierarchy a trial showed to work. One fresh group a run, so that no counter is left from another.
#ifndef CODUEL_CGROUPS_H
#define CODUEL_CGROUPS_H

#include <stdint.h>

#define MAX_HIERARCHIES 4

/// One run's groups. All descriptors are -1 where there is nothing.
struct cgroup {
    int slot;
    /// cgroup.procs, opened by the keeper: a guest about to start writes "0" to each.
    int join[MAX_HIERARCHIES];
    int join_count;
    int cpu;    /* cpuacct.usage or cpu.stat */
    int events; /* memory.oom_control or memory.events */
    int peak;   /* memory.max_usage_in_bytes or memory.peak */
    int kill;   /* cgroup.kill */
    int64_t cpu_base_us;
};

/// Finds what is writable here by trial, makes a parent group for this helper, removes those of dead helpers.
void cgroups_open(void);

/// The layer bits that groups of `cgroup_create` give.
uint32_t cgroups_layers(void);

/// Makes a run's groups with their limits, read back. 0, or -1 with errno and nothing left.
int cgroup_create(struct cgroup *group, int slot, int64_t memory_bytes, int64_t processes);

/// User and system time of all members so far, living or dead, µs; -1 without a cpu group.
int64_t cgroup_cpu_us(const struct cgroup *group);

/// How many members the kernel's out-of-memory killer took.
int64_t cgroup_oom_kills(const struct cgroup *group);

/// The highest charge seen, bytes; -1 when unknown.
int64_t cgroup_peak_bytes(const struct cgroup *group);

/// Kills every member at once, where the kernel can.
void cgroup_kill(const struct cgroup *group);

/// Removes the run's groups, which must be empty; 0, or -1 when one stays behind.
int cgroup_remove(struct cgroup *group);

/// Removes this helper's parent groups and whatever is left below them; called by the janitor when the helper
/// is gone.
void cgroups_remove_all(void);

#endif

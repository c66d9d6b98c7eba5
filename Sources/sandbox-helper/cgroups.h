/// Control groups, version 1, version 2 or both at once: each of memory, pids and cpu is taken from whichever
/// hierarchy a trial showed to work. A slot keeps its groups; each run begins with its own
/// limits and with counters at zero.
#ifndef CODUEL_CGROUPS_H
#define CODUEL_CGROUPS_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_HIERARCHIES 4

/// A slot's groups. All descriptors are -1 where there is nothing.
struct cgroup {
    int slot;
    bool made;
    bool used;
    /// The limits in force.
    int64_t memory_bytes;
    int64_t processes;
    /// cgroup.procs, opened by the keeper: a guest about to start writes "0" to each.
    int join[MAX_HIERARCHIES];
    int join_count;
    int cpu;    /* cpuacct.usage or cpu.stat */
    int events; /* memory.oom_control or memory.events */
    int peak;   /* memory.max_usage_in_bytes or memory.peak */
    int usage;  /* memory.usage_in_bytes or memory.current */
    /// Counters that cannot be set back: what they showed before the run.
    int64_t cpu_base_us;
    int64_t oom_base;
};

/// Finds what is writable here by trial, makes a parent group for this helper, removes those of dead helpers.
void cgroups_open(void);

/// The layer bits that groups of `cgroup_create` give.
uint32_t cgroups_layers(void);

/// Whether one of those limits memory.
bool cgroups_limit_memory(void);

/// A group beside those of guests, for the wardens of boxes: where this process joins it, and the descriptors for
/// that (at most MAX_HIERARCHIES; returns how many).
int cgroups_join_boxes(void);
int cgroups_box_joins(int *descriptors);

void cgroup_initialise(struct cgroup *group, int slot);

/// Whether groups can serve one run after the other, so that wardens may live in them.
bool cgroups_are_lasting(void);

/// Makes the groups, where they are not there, without a limit yet. 0, or -1 with errno and no groups left.
int cgroup_make(struct cgroup *group);

/// Gets the groups ready for a run: these limits (read back when they change; wardens come on top of `processes`),
/// all counters at zero. 0, or -1 with errno: the groups have to be made anew.
int cgroup_prepare(struct cgroup *group, int64_t memory_bytes, int64_t processes);

/// Whether memory of an earlier run is still charged to the groups: file pages it was the first to read, above all.
bool cgroup_has_residue(const struct cgroup *group);

/// User and system time of all members so far, living or dead, µs; -1 without a cpu group.
int64_t cgroup_cpu_us(const struct cgroup *group);

/// How many members the kernel's out-of-memory killer took in this run.
int64_t cgroup_oom_kills(const struct cgroup *group);

/// The highest charge seen in this run, bytes; -1 when unknown.
int64_t cgroup_peak_bytes(const struct cgroup *group);

/// Removes the groups, which must be empty; 0, or -1 when one stays behind.
int cgroup_remove(struct cgroup *group);

/// Removes this helper's parent groups and whatever is left below them; called by the janitor when the helper
/// is gone.
void cgroups_remove_all(void);

#endif

#define _GNU_SOURCE
#include "cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cgroup_files.h"
#include "hierarchies.h"
#include "layers.h"
#include "ceilings.h"

struct hierarchy hierarchies[MAX_HIERARCHIES];
int hierarchy_count;
static uint32_t layers;
static char group_name[64];

static const char *const v2_mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
static const char *const v1_mounts[CONTROLLERS][2] = {
    [MEMORY] = {"/sys/fs/cgroup/memory", NULL},
    [PIDS] = {"/sys/fs/cgroup/pids", NULL},
    [CPU] = {"/sys/fs/cgroup/cpuacct", "/sys/fs/cgroup/cpu,cpuacct"},
};
static const char *const v1_names[CONTROLLERS] = {"memory", "pids", "cpuacct"};
static const char *const v2_names[CONTROLLERS] = {"memory", "pids", "cpu"};

// MARK: Limits

/// The kernel rounds a memory limit to pages; anything else read back means that it did not take.
static bool holds(const char *folder, const char *file, int64_t wanted) {
    char text[64];
    if (read_text(folder, file, text, sizeof text) <= 0) return false;
    int64_t found = strtoll(text, NULL, 10);
    return found <= wanted && found > wanted - 65536;
}

static int limit_memory(const char *folder, bool is_v2, int64_t bytes) {
    if (is_v2) {
        write_text(folder, "memory.swap.max", "0");
        if (write_number(folder, "memory.max", bytes) != 0) return -1;
        return holds(folder, "memory.max", bytes) ? 0 : -1;
    }
    // Absent where swap is not accounted. It may not be below the other: on the way up it goes first, down last.
    write_number(folder, "memory.memsw.limit_in_bytes", bytes);
    if (write_number(folder, "memory.limit_in_bytes", bytes) != 0) return -1;
    write_number(folder, "memory.memsw.limit_in_bytes", bytes);
    write_text(folder, "memory.swappiness", "0");
    return holds(folder, "memory.limit_in_bytes", bytes) ? 0 : -1;
}

static int limit_processes(const char *folder, int64_t processes) {
    if (write_number(folder, "pids.max", processes) != 0) return -1;
    return holds(folder, "pids.max", processes) ? 0 : -1;
}

int hierarchy_limit(
    const struct hierarchy *hierarchy, const char *folder, int64_t memory, int64_t processes) {
    if (hierarchy->serves[MEMORY] && limit_memory(folder, hierarchy->is_v2, memory) != 0) return -1;
    if (hierarchy->serves[PIDS] && limit_processes(folder, processes) != 0) return -1;
    return 0;
}

// MARK: Discovery

/// The path of this process's group in a version 1 hierarchy ("memory"), or in version 2 ("").
static bool own_path(const char *controller, char *path, size_t size) {
    char line[512], names[128];
    FILE *file = fopen("/proc/self/cgroup", "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        char *first = strchr(line, ':');
        char *second = first ? strchr(first + 1, ':') : NULL;
        if (!second || second - first > (long)sizeof names - 2) continue;
        *second = 0;
        snprintf(names, sizeof names, ",%s,", first + 1);
        char wanted[32];
        snprintf(wanted, sizeof wanted, ",%s,", controller);
        if (!strstr(names, wanted)) continue;
        second[1 + strcspn(second + 1, "\n")] = 0;
        snprintf(path, size, "%s", second + 1);
        found = true;
    }
    if (file) fclose(file);
    return found;
}

static bool is_cgroup2(const char *mount) {
    struct statfs status;
    return statfs(mount, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

/// Makes this helper's folder below `base` and tries a limited group in it.
static bool try_base(struct hierarchy *hierarchy, const char *base) {
    char trial[400];
    if (snprintf(hierarchy->folder, sizeof hierarchy->folder, "%s/%s", base, group_name) >=
        (int)sizeof hierarchy->folder) {
        return false;
    }
    remove_stale(base, group_name);
    if (mkdir(hierarchy->folder, 0755) != 0 && errno != EEXIST) return false;
    for (int c = 0; hierarchy->is_v2 && c < CONTROLLERS; c++) {
        char text[16];
        snprintf(text, sizeof text, "+%s", v2_names[c]);
        if (hierarchy->serves[c] && c != CPU) write_text(hierarchy->folder, "cgroup.subtree_control", text);
    }
    snprintf(trial, sizeof trial, "%s/slot-trial", hierarchy->folder);
    bool works = (mkdir(trial, 0755) == 0 || errno == EEXIST) &&
                 hierarchy_limit(hierarchy, trial, 64 * MIB, 16) == 0;
    if (hierarchy->serves[CPU]) {
        int counter = open_in(trial, hierarchy->is_v2 ? "cpu.stat" : "cpuacct.usage", O_RDONLY);
        works = works && counter >= 0;
        if (counter >= 0) close(counter);
    }
    int procs = open_in(trial, "cgroup.procs", O_WRONLY);
    works = works && procs >= 0;
    if (procs >= 0) close(procs);
    remove_folder(trial);
    if (!works) remove_folder(hierarchy->folder);
    return works;
}

static void keep(const struct hierarchy *hierarchy, uint32_t v1_or_v2_layers) {
    hierarchies[hierarchy_count++] = *hierarchy;
    layers |= v1_or_v2_layers;
}

/// Moves every process of a group into a leaf below it.
static void move_members(const char *base) {
    char leaf[640], text[16384];
    snprintf(leaf, sizeof leaf, "%s/coduel-server", base);
    if (mkdir(leaf, 0755) != 0 && errno != EEXIST) return;
    if (read_text(base, "cgroup.procs", text, sizeof text) <= 0) return;
    char *next = text;
    for (long pid; (pid = strtol(next, &next, 10)) > 0;) write_number(leaf, "cgroup.procs", pid);
}

/// A version 2 group with children that use controllers may hold no process itself (but for the machine's
/// root): in a service's or a container's own group, what runs there steps into a leaf first.
static void enable_controllers(const char *base, const struct hierarchy *hierarchy) {
    for (int c = 0; c < CONTROLLERS; c++) {
        char text[16];
        snprintf(text, sizeof text, "+%s", v2_names[c]);
        if (!hierarchy->serves[c] || c == CPU) continue;
        if (write_text(base, "cgroup.subtree_control", text) == 0 || errno != EBUSY) continue;
        move_members(base);
        write_text(base, "cgroup.subtree_control", text);
    }
}

/// Where this helper may make its group: root at the top of the hierarchy (which in a container is the
/// container's own group), others in the group they were given.
static int v2_bases(const char *mount, char bases[2][300]) {
    char path[200];
    int count = 0;
    bool has_own = own_path("", path, sizeof path) && strcmp(path, "/") != 0;
    if (geteuid() == 0 || !has_own) snprintf(bases[count++], 300, "%s", mount);
    if (has_own) snprintf(bases[count++], 300, "%s%s", mount, path);
    return count;
}

static void open_v2(bool *served) {
    for (size_t m = 0; m < sizeof v2_mounts / sizeof v2_mounts[0]; m++) {
        if (!is_cgroup2(v2_mounts[m])) continue;
        char bases[2][300], controllers[256];
        int count = v2_bases(v2_mounts[m], bases);
        for (int i = 0; i < count; i++) {
            struct hierarchy hierarchy = {.is_v2 = true};
            if (read_text(bases[i], "cgroup.controllers", controllers, sizeof controllers) < 0) continue;
            hierarchy.serves[MEMORY] = strstr(controllers, "memory") != NULL;
            hierarchy.serves[PIDS] = strstr(controllers, "pids") != NULL;
            // cpu.stat counts in every group, with or without the controller.
            hierarchy.serves[CPU] = hierarchy.serves[MEMORY] || hierarchy.serves[PIDS];
            if (!hierarchy.serves[CPU]) continue;
            enable_controllers(bases[i], &hierarchy);
            if (!try_base(&hierarchy, bases[i])) continue;
            for (int c = 0; c < CONTROLLERS; c++) served[c] = hierarchy.serves[c];
            keep(&hierarchy, (hierarchy.serves[MEMORY] ? LAYER_CGROUP_MEMORY_V2 : 0) |
                                 (hierarchy.serves[PIDS] ? LAYER_CGROUP_PIDS_V2 : 0) | LAYER_CGROUP_CPU_V2);
            return;
        }
    }
}

static void open_v1(enum controller controller, uint32_t layer) {
    for (int m = 0; m < 2 && v1_mounts[controller][m]; m++) {
        struct hierarchy hierarchy = {.is_v2 = false};
        char path[200], base[300];
        hierarchy.serves[controller] = true;
        if (try_base(&hierarchy, v1_mounts[controller][m])) {
            keep(&hierarchy, layer);
            return;
        }
        if (!own_path(v1_names[controller], path, sizeof path)) continue;
        snprintf(base, sizeof base, "%s%s", v1_mounts[controller][m], path);
        if (try_base(&hierarchy, base)) {
            keep(&hierarchy, layer);
            return;
        }
    }
}

// MARK: The wardens' groups

static int box_joins[MAX_HIERARCHIES];
static int box_join_count;

/// Removed with everything else at the end.
static void make_box_groups(void) {
    for (int i = box_join_count; i < hierarchy_count; i++) {
        char folder[400];
        snprintf(folder, sizeof folder, "%s/slot-boxes", hierarchies[i].folder);
        if (mkdir(folder, 0755) != 0 && errno != EEXIST) return;
        box_joins[i] = open_in(folder, "cgroup.procs", O_WRONLY);
        if (box_joins[i] < 0) return;
        box_join_count = i + 1;
    }
}

int cgroups_box_joins(int *descriptors) {
    for (int i = 0; i < box_join_count; i++) descriptors[i] = box_joins[i];
    return box_join_count;
}

int cgroups_join_boxes(void) {
    int result = box_join_count == hierarchy_count ? 0 : -1;
    for (int i = 0; i < box_join_count; i++) {
        if (write(box_joins[i], "0", 1) != 1) result = -1;
        close(box_joins[i]);
    }
    return result;
}

void cgroups_open(void) {
    struct stat namespace_status;
    unsigned long namespace_id =
        stat("/proc/self/ns/pid", &namespace_status) == 0 ? (unsigned long)namespace_status.st_ino : 0;
    snprintf(group_name, sizeof group_name, "coduel-%lx-%ld", namespace_id, (long)getpid());
    bool served[CONTROLLERS] = {false};
    open_v2(served);
    if (!served[MEMORY]) open_v1(MEMORY, LAYER_CGROUP_MEMORY_V1);
    if (!served[PIDS]) open_v1(PIDS, LAYER_CGROUP_PIDS_V1);
    if (!served[CPU]) open_v1(CPU, LAYER_CGROUP_CPU_V1);
    make_box_groups();
}

uint32_t cgroups_layers(void) { return layers; }

bool cgroups_limit_memory(void) { return layers & (LAYER_CGROUP_MEMORY_V1 | LAYER_CGROUP_MEMORY_V2); }

void cgroups_remove_all(void) {
    for (int i = 0; i < hierarchy_count; i++) remove_tree(hierarchies[i].folder);
}

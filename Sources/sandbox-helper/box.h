/// One box: the namespaces, root and processes around one guest. `box_main` is process 1 of the box; it is
/// code of this program and runs nothing else. The guest is its child (process 2), so that default signals
/// work for it.
#ifndef CODUEL_BOX_H
#define CODUEL_BOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroups.h"
#include "languages.h"

/// How this helper may build boxes, found by trial at the start.
struct isolation {
    /// True: root of the machine builds the box and the guest gets an id of its own. False: an unprivileged
    /// user namespace does, and the guest keeps the helper's user.
    bool privileged;
    uint32_t layers;
    uid_t guest_base;
};

struct guest_limits {
    int64_t cpu_ms;
    int64_t wall_ms;
    int64_t memory_bytes;
    int64_t output_bytes;
    int64_t error_bytes;
    int64_t processes;
    int64_t file_bytes;
    int64_t scratch_bytes;
};

/// Everything a box needs to know. Descriptors are those of the keeper, inherited by the clone.
struct box_plan {
    bool privileged;
    const struct language *language; /* NULL in the trial run */
    /// Empty: the program descriptor is executed itself; the guest of the trial run just exits.
    struct text_list arguments;
    bool is_trial;
    bool system_folders;
    bool memory_is_grouped;
    enum memory_model memory_model;
    struct guest_limits limits;
    uid_t guest_id;
    /// The name under which `program` is put into the working folder; NULL: it is executed.
    const char *source_name;
    /// The file to bring out after exit 0; NULL: none.
    const char *artefact_name;
    int program;
    /// Files and arguments to open inside the box; 0: none.
    int kit;
    /// Whether the guest's end and its feedback files are left as the artefact.
    bool reports;
    /// Whether standard output goes to a pipe of somebody else's instead of the keeper's store.
    bool joined;
    int input;
    int output;
    int error;
    int control;
    int network;
    const struct cgroup *group;
};

/// Steps at which building a box can fail, for the message.
enum step {
    STEP_NONE = 0,
    STEP_DESCRIPTORS,
    STEP_NETWORK,
    STEP_MOUNTS,
    STEP_SOURCE,
    STEP_FORK,
    STEP_GROUPS,
    STEP_LIMITS,
    STEP_IDENTITY,
    STEP_CAPABILITIES,
    STEP_FILTER,
    STEP_KIT,
    STEP_EXECUTE,
    STEP_REAP,
};

/// What the box says about its run over the control socket. Only process 1 of the box holds that socket.
enum box_message { BOX_STARTED = 1, BOX_FINISHED = 2 };

struct box_report {
    uint32_t message;
    uint32_t layers;
    int32_t step;
    int32_t error;
    int32_t wait_status;
    /// Why no artefact came although the compiler exited with 0; 0: none was asked for, or it came.
    int32_t collect_error;
    int64_t wall_us;
    int64_t cpu_us;
    int64_t max_resident_bytes;
    int64_t artefact_bytes;
};

/// What the keeper says to the box.
enum keeper_message { KEEPER_GO = 'g', KEEPER_KILL = 'k' };

/// The guest's own report before it becomes the guest; written to a pipe that closes on exec.
struct guest_status {
    uint32_t layers;
    int32_t step;
    int32_t error;
};

/// Process 1 of the box; never returns.
_Noreturn void box_main(const struct box_plan *plan);

/// The child that turns into the guest; never returns.
_Noreturn void guest_main(const struct box_plan *plan, uint32_t box_layers, int status);

/// Builds the private root and moves into it; sets the layer bits that took hold. 0, or -1 with errno.
int mounts_enter(const struct box_plan *plan, uint32_t *layers);

/// Puts the source into the working folder; 0, or -1 with errno. Called while no guest process exists.
int files_place_source(const struct box_plan *plan);

/// Copies the artefact into a sealed memfd; its descriptor, or -1 with errno. Called when no guest process
/// exists any more.
int files_collect(const struct box_plan *plan, int64_t *size);

const char *step_name(int step);

#endif

/// One box: the namespaces and the root around guests. `box_main` is process 1 of the box, its warden; it is code of
/// this program, executes nothing, and has given up whatever it does not need before it starts a guest. A box runs
/// one guest after the other, each with all that came of it gone before the next; the guest is the warden's child, so
/// that default signals work for it.
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
};

/// What a box is built for; only runs that need the same share one.
struct box_shape {
    bool system_folders;
    /// A compiler's box never runs what it made.
    bool compiles;
    /// Host folders beside the system's, of the language table; NULL: none.
    const struct text_list *mounts;
    int64_t scratch_bytes;
};

/// Everything the building of a box needs. Descriptors are those of the keeper, inherited by the clone.
struct box_plan {
    bool privileged;
    struct box_shape shape;
    /// The id of the guests, and that of their warden, of which root in the box's user namespace is a mask.
    uid_t guest_id;
    uid_t warden_id;
    int control;
    int network;
    /// Whether the warden is to live in the slot's groups, and cgroup.procs of each.
    bool lives_in_groups;
    int join_count;
    int joins[MAX_HIERARCHIES];
};

/// What the keeper says to the box: one of these, alone or at the head of a `run_order`.
enum keeper_message { KEEPER_GO = 1, KEEPER_RUN = 2, KEEPER_KILL = 3 };

/// One run. Pointers go into the language table, of which the box has a copy at the same place. Descriptors of the
/// packet: standard input, output, error, `join_count` cgroup.procs, the program where there is one, the memfd for
/// the artefact where one is wanted, and the kit where there is one.
struct run_order {
    uint32_t message;
    bool is_trial; /* the guest does all but execute */
    bool has_program;
    bool has_store;
    /// Files and arguments to open inside the box come with it.
    bool has_kit;
    /// Whether the guest's end and its feedback files are left as the artefact.
    bool reports;
    /// Whether standard output goes to a pipe of somebody else's instead of the keeper's store.
    bool joined;
    bool memory_is_grouped;
    /// The warden lives in the groups: the guest is born there, and has to be the first to die of its memory.
    bool is_born_in_groups;
    enum memory_model memory_model;
    int join_count;
    const struct language *language; /* NULL in the trial run */
    /// NULL or empty: the program descriptor is executed itself.
    const struct text_list *arguments;
    /// The name under which the program is put into the working folder; NULL: it is executed.
    const char *source_name;
    /// The file to bring out after exit 0; NULL: none.
    const char *artefact_name;
    struct guest_limits limits;
};

#define MAX_ORDER_DESCRIPTORS (6 + MAX_HIERARCHIES)

/// Steps at which a run can fail on our side, for the message.
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

/// What the box says over the control socket, which only its warden holds.
enum box_message {
    BOX_WANTS_MAP = 1, /* it has made its user namespace: map the ids, then say go */
    BOX_READY,         /* built, or clean again: the next run may come */
    BOX_STARTED,       /* the guest executes */
    BOX_FINISHED,      /* no process of the run is left */
    BOX_FAILED,        /* it could not be built */
};

struct box_report {
    uint32_t message;
    uint32_t layers;
    uint32_t lives_in_groups; /* of BOX_READY */
    int32_t step;
    int32_t error;
    int32_t wait_status;
    /// Why no artefact came although the compiler exited with 0; 0: none was asked for, or it came.
    int32_t collect_error;
    int64_t wall_us;
    int64_t cpu_us;        /* of the guests, as far as their parents asked for it */
    int64_t warden_cpu_us; /* what the groups were charged for the warden meanwhile */
    int64_t max_resident_bytes;
    int64_t artefact_bytes; /* -1: none */
};

/// Where the descriptors of an order stand in its packet; -1: there is none.
struct order_places {
    int program;
    int store;
    int kit;
    int count;
};

struct order_places order_places(const struct run_order *order);

/// What the guest's process shares with the warden until it executes.
struct guest_start {
    const struct box_plan *plan;
    const struct run_order *order;
    const int *descriptors; /* as in the order's packet */
    int status;             /* closed on exec; -1 where the warden waits by itself (vfork) */
    char *const *arguments;
    char *const *environment;
    uint32_t layers;
    int32_t step;
    int32_t error;
};

/// Process 1 of the box; never returns.
_Noreturn void box_main(const struct box_plan *plan);

/// Runs one order; what is to be sent as BOX_FINISHED is left in `report`. `children` is a signalfd for SIGCHLD.
void box_run(
    const struct box_plan *plan, const struct run_order *order, const int *descriptors, uint32_t layers,
    int children, struct box_report *report);

/// Turns the calling process into the guest. Returns only when that failed or in a trial run; `start` says why.
int guest_main(void *start);

/// Builds the private root and moves into it; sets the layer bits that took hold. 0, or -1 with errno.
int mounts_enter(const struct box_plan *plan, uint32_t *layers);

/// Gives up what the warden does not need, for itself and with it for all guests: identity, capabilities, the
/// system-call filter. 0, or -1 with errno and `*step` set. Sets the layer bits that took hold.
int warden_enter(const struct box_plan *plan, uint32_t *layers, int *step);

/// True when the process has no capability at all and could not get one.
bool has_no_capabilities(void);

int64_t monotonic_us(void);

const char *step_name(int step);

#endif

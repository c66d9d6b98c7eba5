/// A place for one run at a time: its warm boxes, pipes, groups and clocks, as the keeper sees them.
#ifndef CODUEL_SLOT_H
#define CODUEL_SLOT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "ceilings.h"
#include "protocol.h"
#include "streams.h"
#include "warm_box.h"

#define SLOT_POLLS (2 + 2 * MAX_BOXES_A_SLOT)

enum slot_state {
    SLOT_FREE,
    SLOT_WAITING,  /* for its box: it is being built, or cleared */
    SLOT_STARTING, /* the box has the order; no clock of the guest runs yet */
    SLOT_RUNNING,
    SLOT_KILLING, /* the keeper has decided; the box is told to kill and report */
    SLOT_OVER,    /* nothing more will come of it: it can be concluded */
};

/// Why the keeper ended a run: these win over whatever the corpse says.
enum reason {
    REASON_CPU = 1,
    REASON_WALL = 2,
    REASON_MEMORY = 4,
    REASON_OUTPUT = 8,
    REASON_SETUP = 16,
    REASON_STREAM = 32, /* our own store for the output failed */
};

struct slot {
    int index;
    int network; /* this slot's own empty network namespace, or -1: each box makes one */
    struct isolation isolation;
    struct warm_box boxes[MAX_BOXES_A_SLOT];
    struct cgroup group;

    /// The run; its descriptors `program` and `input` are the slot's own.
    enum slot_state state;
    enum operation operation;
    uint64_t request;
    struct run_order order;
    struct box_shape shape;
    int program;
    int input;
    int kit;         /* or -1 */
    int joined_pipe; /* where standard output goes instead of into the store; -1 */
    struct warm_box *box;
    struct stream output;
    struct stream error;
    int artefact; /* a memfd that the box fills */
    int64_t started_us;
    /// Where there are no groups: CPU time of the box before the run, the most memory seen in it.
    int64_t survey_base_us;
    int64_t survey_peak_bytes;
    int64_t deadline_us; /* of the present state, where it has one */
    unsigned reasons;
    bool reported;
    struct box_report report;
};

/// Whether runs here have to be watched through /proc, because a group of memory or CPU time is missing.
bool slot_surveys(void);

void slot_initialise(struct slot *slot, int index);

/// Takes up the run that `operation`, `request`, `order`, `shape`, `program` and `input` describe: in a warm box of
/// that shape, or else in a new one. 0, or -1 with errno and `*step` naming what failed; the slot is free then.
int slot_begin(struct slot *slot, const char **step);

/// The descriptors to watch now; returns how many (at most SLOT_POLLS).
int slot_polls(const struct slot *slot, struct pollfd *polls);

/// Takes up one readable descriptor of `slot_polls`.
void slot_handle(struct slot *slot, const struct pollfd *poll);

/// Looks at clocks and counters, ends what is over its limits. Returns ms until the next look is due; -1: never.
int slot_check(struct slot *slot);

/// Fills the verdict part of a reply from what the keeper measured; `layers` are those that must have held.
void slot_conclude(struct slot *slot, uint32_t required_layers, struct reply *reply);

/// Closes everything of the run; the slot is free afterwards, its boxes stay.
void slot_release(struct slot *slot);

/// Ends all boxes and removes the groups; 0, or -1 when a group stays behind.
void slot_end(struct slot *slot);

#endif

/// A place for one run at a time: its box, pipes, groups and clocks, as the keeper sees them.
#ifndef CODUEL_SLOT_H
#define CODUEL_SLOT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "box.h"
#include "protocol.h"

#define SLOT_POLLS 4

enum slot_state {
    SLOT_FREE,
    SLOT_SETTING_UP, /* the box is being built; no clock of the guest runs yet */
    SLOT_RUNNING,
    SLOT_KILLING, /* the keeper has decided; the box is told to kill and report */
    SLOT_ENDING,  /* the box has reported or closed; waiting for the end of process 1 */
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

/// One stream of the guest, read from its pipe into a memfd up to a cap.
struct stream {
    int pipe;
    int store;
    int64_t bytes;
    int64_t limit;
    bool truncated;
};

struct slot {
    int index;
    int network; /* this slot's own empty network namespace, or -1: each box makes one */
    enum slot_state state;
    enum operation operation;
    uint64_t request;
    struct box_plan plan;
    pid_t box;
    int box_handle; /* pidfd */
    int control;
    struct stream output;
    struct stream error;
    int artefact;
    struct cgroup group;
    bool grouped;
    int64_t started_us;
    int64_t deadline_us; /* of the present state, where it has one */
    unsigned reasons;
    bool reported;
    struct box_report report;
};

int64_t monotonic_us(void);

void slot_initialise(struct slot *slot, int index);

/// Starts a box after `slot->plan` (its streams, control and group fields are filled in here; the descriptors
/// `program` and `input` stay the caller's). 0, or -1 with errno and `*step` naming what failed; nothing is
/// left then.
int slot_begin(struct slot *slot, const char **step);

/// The descriptors to watch now; returns how many (at most SLOT_POLLS).
int slot_polls(const struct slot *slot, struct pollfd *polls);

/// Takes up one readable descriptor of `slot_polls`. True when the box is gone and the run can be concluded.
bool slot_handle(struct slot *slot, const struct pollfd *poll);

/// Looks at clocks and counters, ends what is over its limits. Returns ms until the next look is due.
int slot_check(struct slot *slot);

/// Fills the verdict part of a reply from what the keeper measured; `layers` are those that must have held.
void slot_conclude(struct slot *slot, uint32_t required_layers, struct reply *reply);

/// Closes and removes everything of the run; the slot is free afterwards.
void slot_release(struct slot *slot);

/// Tears down a box at once, whatever it does.
void slot_destroy(struct slot *slot);

#endif

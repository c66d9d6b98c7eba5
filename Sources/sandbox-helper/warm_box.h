/// A box as the keeper sees it: built once, then used for one run after the other.
#ifndef CODUEL_WARM_BOX_H
#define CODUEL_WARM_BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "box.h"

enum box_state {
    BOX_IS_ABSENT,
    BOX_IS_BUILDING,
    BOX_IS_READY,
    BOX_IS_BUSY,
    BOX_IS_CLEARING, /* its run is over; it takes away what that left */
};

struct warm_box {
    enum box_state state;
    struct box_shape shape;
    pid_t pid;
    int handle; /* pidfd */
    int control;
    int64_t deadline_us; /* of building and clearing */
    int64_t used_us;     /* when it was last given a run */
    bool lives_in_groups;
    uid_t guest_id;
    uid_t warden_id;
};

void warm_box_initialise(struct warm_box *box);

bool same_shape(const struct box_shape *a, const struct box_shape *b);

/// Begins to build a box in this place, which is absent. 0, or -1 with errno and `*step` naming what failed.
int warm_box_start(struct warm_box *box, struct box_plan *plan, const char **step);

/// Maps the ids of its user namespace and lets it go on; 0, or -1 with errno.
int warm_box_map(const struct warm_box *box);

/// Tears it down at once, whatever it does; the place is absent afterwards.
void warm_box_end(struct warm_box *box);

#endif

#define _GNU_SOURCE
#include "slot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "descriptors.h"
#include "layers.h"
#include "survey.h"

static void forget_run(struct slot *slot) {
    slot->state = SLOT_FREE;
    slot->program = slot->input = slot->artefact = slot->kit = slot->joined_pipe = -1;
    slot->box = NULL;
    slot->output = slot->error = (struct stream){.pipe = -1, .guest_end = -1, .store = -1};
    slot->reasons = 0;
    slot->started_us = 0;
    slot->survey_base_us = slot->survey_peak_bytes = 0;
    slot->reported = false;
    memset(&slot->report, 0, sizeof slot->report);
}

void slot_initialise(struct slot *slot, int index) {
    slot->index = index;
    slot->network = -1;
    for (int i = 0; i < MAX_BOXES_A_SLOT; i++) warm_box_initialise(&slot->boxes[i]);
    cgroup_initialise(&slot->group, index);
    forget_run(slot);
}

// MARK: Boxes

static int start_box(struct slot *slot, struct warm_box *box, const struct box_shape *shape, const char **step) {
    struct box_plan plan = {
        .privileged = slot->isolation.privileged,
        .shape = *shape,
        .guest_id = slot->isolation.guest_base + (uid_t)slot->index,
        .warden_id = slot->isolation.guest_base + MAX_SLOTS + (uid_t)slot->index,
        .network = slot->network,
        .lives_in_groups = slot->isolation.privileged && cgroups_are_lasting(),
    };
    *step = "making the control groups";
    if (cgroup_make(&slot->group) != 0) return -1;
    plan.join_count = plan.lives_in_groups ? slot->group.join_count : 0;
    memcpy(plan.joins, slot->group.join, sizeof plan.joins);
    return warm_box_start(box, &plan, step);
}

/// Groups that are still charged for an earlier run go, and with them the boxes whose wardens live there. False when
/// they are as they should be.
static bool renew_groups(struct slot *slot) {
    if (!cgroup_has_residue(&slot->group)) return false;
    for (int i = 0; i < MAX_BOXES_A_SLOT; i++) warm_box_end(&slot->boxes[i]);
    // What cannot be removed makes itself heard when the next box needs groups of this name.
    cgroup_remove(&slot->group);
    return true;
}

/// The box for a shape; where there is none, the place it is to be built in, emptied if need be.
static struct warm_box *place_for(struct slot *slot, const struct box_shape *shape) {
    struct warm_box *absent = NULL, *oldest = &slot->boxes[0];
    for (int i = 0; i < MAX_BOXES_A_SLOT; i++) {
        struct warm_box *box = &slot->boxes[i];
        if (box->state == BOX_IS_ABSENT) {
            absent = box;
        } else if (same_shape(&box->shape, shape)) {
            return box;
        } else if (box->used_us < oldest->used_us) {
            oldest = box;
        }
    }
    if (absent) return absent;
    warm_box_end(oldest);
    return oldest;
}

/// A box of another run of this slot: what it has not cleared yet is charged to the slot's groups.
static bool a_box_is_clearing(const struct slot *slot) {
    for (int i = 0; i < MAX_BOXES_A_SLOT; i++) {
        if (slot->boxes[i].state == BOX_IS_CLEARING) return true;
    }
    return false;
}

// MARK: Beginning

static int send_order(struct slot *slot) {
    int output = slot->joined_pipe >= 0 ? slot->joined_pipe : slot->output.guest_end;
    int passed[MAX_ORDER_DESCRIPTORS] = {slot->input, output, slot->error.guest_end};
    int count = 3;
    bool is_born_there = slot->box->lives_in_groups;
    int joins = is_born_there ? 0 : slot->group.join_count;
    for (int i = 0; i < joins; i++) passed[count++] = slot->group.join[i];
    if (slot->program >= 0) passed[count++] = slot->program;
    if (slot->artefact >= 0) passed[count++] = slot->artefact;
    if (slot->kit >= 0) passed[count++] = slot->kit;
    slot->order.message = KEEPER_RUN;
    slot->order.join_count = joins;
    slot->order.is_born_in_groups = is_born_there && slot->group.join_count > 0;
    slot->order.has_program = slot->program >= 0;
    slot->order.has_store = slot->artefact >= 0;
    slot->order.has_kit = slot->kit >= 0;
    return send_packet(slot->box->control, &slot->order, sizeof slot->order, passed, count);
}

/// Hands the run to its box as soon as that is ready. 0 also while it is not yet.
static int try_start(struct slot *slot, const char **step) {
    if (a_box_is_clearing(slot)) return 0;
    if (slot->box->state == BOX_IS_ABSENT && start_box(slot, slot->box, &slot->shape, step) != 0) return -1;
    if (slot->box->state != BOX_IS_READY) return 0;
    const struct guest_limits *limits = &slot->order.limits;
    *step = "preparing the control groups";
    if (cgroup_prepare(&slot->group, limits->memory_bytes, limits->processes) != 0) return -1;
    if (slot_surveys()) slot->survey_base_us = survey_take(slot->box->pid).cpu_us;
    if (slot->order.artefact_name) {
        *step = "making a place for the artefact";
        slot->artefact = memfd_create("artefact", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (slot->artefact < 0) return -1;
    }
    *step = "handing the run to its box";
    if (send_order(slot) != 0) return -1;
    close_if_open(&slot->program);
    close_if_open(&slot->input);
    close_if_open(&slot->kit);
    close_if_open(&slot->joined_pipe);
    close_if_open(&slot->output.guest_end);
    close_if_open(&slot->error.guest_end);
    slot->box->state = BOX_IS_BUSY;
    slot->box->used_us = monotonic_us();
    slot->state = SLOT_STARTING;
    slot->deadline_us = slot->box->used_us + SETUP_TIMEOUT_MS * 1000ll;
    return 0;
}

int slot_begin(struct slot *slot, const char **step) {
    *step = "opening the streams";
    slot->state = SLOT_WAITING;
    slot->deadline_us = monotonic_us() + SETUP_TIMEOUT_MS * 1000ll;
    slot->box = place_for(slot, &slot->shape);
    if ((slot->joined_pipe >= 0 || stream_open(&slot->output, slot->order.limits.output_bytes) == 0) &&
        stream_open(&slot->error, slot->order.limits.error_bytes) == 0 && try_start(slot, step) == 0) {
        return 0;
    }
    int error = errno;
    slot_release(slot);
    errno = error;
    return -1;
}

// MARK: Running

static void end_run(struct slot *slot, enum reason reason) {
    slot->reasons |= reason;
    if (slot->state != SLOT_STARTING && slot->state != SLOT_RUNNING) return;
    uint32_t order = KEEPER_KILL;
    send_packet(slot->box->control, &order, sizeof order, NULL, 0);
    slot->state = SLOT_KILLING;
    slot->deadline_us = monotonic_us() + KILL_GRACE_MS * 1000ll;
}

/// Reads what is there, once.
static void read_stream(struct slot *slot, struct stream *stream, bool over_limit_ends_run) {
    enum stream_state state = stream_read(stream);
    if (state == STREAM_FAILED) end_run(slot, REASON_STREAM);
    if (state == STREAM_IS_AT_END) close_if_open(&stream->pipe);
    if (stream->truncated && over_limit_ends_run) end_run(slot, REASON_OUTPUT);
}

static bool errors_end_run(const struct slot *slot) { return slot->operation == OPERATION_COMPILE; }

// MARK: What boxes say

/// The run cannot go on in its box; where the box never had it, it gets another.
static void lose_box(struct slot *slot) {
    const char *step;
    if (slot->state == SLOT_WAITING && slot->report.step == STEP_NONE && !(slot->reasons & REASON_SETUP) &&
        try_start(slot, &step) == 0) {
        return;
    }
    slot->state = SLOT_OVER;
}

static void box_is_ready(struct slot *slot, struct warm_box *box) {
    const char *step;
    struct box_shape shape = box->shape;
    box->state = BOX_IS_READY;
    // Only what a run has left is looked for: a box that has had none has left nothing.
    bool was_renewed = box->used_us != 0 && !a_box_is_clearing(slot) && renew_groups(slot);
    if (was_renewed && slot->state == SLOT_FREE && start_box(slot, box, &shape, &step) != 0) return;
    if (slot->state != SLOT_WAITING || try_start(slot, &step) == 0) return;
    slot->report.step = STEP_GROUPS;
    slot->report.error = errno;
    slot->state = SLOT_OVER;
}

static void box_has_finished(struct slot *slot, struct warm_box *box, const struct box_report *report) {
    box->state = BOX_IS_CLEARING;
    box->deadline_us = monotonic_us() + CLEAR_TIMEOUT_MS * 1000ll;
    if (slot->box != box || slot->state == SLOT_FREE) return;
    slot->report = *report;
    slot->reported = true;
    slot->state = SLOT_OVER;
}

static void take_report(struct slot *slot, struct warm_box *box, const struct box_report *report) {
    bool is_of_run = slot->box == box && slot->state != SLOT_FREE;
    switch (report->message) {
        case BOX_WANTS_MAP:
            if (warm_box_map(box) == 0) break;
            if (is_of_run) {
                slot->report.step = STEP_IDENTITY;
                slot->report.error = errno;
            }
            syscall(SYS_pidfd_send_signal, box->handle, SIGKILL, NULL, 0);
            break;
        case BOX_READY:
            box->lives_in_groups = report->lives_in_groups;
            box_is_ready(slot, box);
            break;
        case BOX_STARTED:
            if (!is_of_run) break;
            slot->report = *report;
            if (slot->state != SLOT_STARTING) break;
            slot->state = SLOT_RUNNING;
            slot->started_us = monotonic_us();
            break;
        case BOX_FINISHED: box_has_finished(slot, box, report); break;
        case BOX_FAILED:
            if (is_of_run) slot->report = *report;
            break;
        default: break;
    }
}

/// Reads one packet. False when there is none for now.
static bool read_control(struct slot *slot, struct warm_box *box) {
    struct box_report report;
    int passed[MAX_PASSED_DESCRIPTORS], count = 0;
    ssize_t size = receive_packet(box->control, &report, sizeof report, passed, &count);
    if (size == (ssize_t)sizeof report) take_report(slot, box, &report);
    for (int i = 0; i < count; i++) close(passed[i]);
    return size > 0;
}

static void box_is_gone(struct slot *slot, struct warm_box *box) {
    // The last report may have come in the same round.
    while (read_control(slot, box)) continue;
    bool was_used = box->used_us != 0 && box->state == BOX_IS_CLEARING;
    bool has_run = slot->box == box && (slot->state == SLOT_WAITING || slot->state == SLOT_STARTING ||
                                        slot->state == SLOT_RUNNING || slot->state == SLOT_KILLING);
    struct box_shape shape = box->shape;
    warm_box_end(box);
    // One that could not be cleared is built anew at once, so that the next run finds it warm.
    const char *step;
    if (was_used && start_box(slot, box, &shape, &step) != 0) warm_box_end(box);
    if (has_run) {
        lose_box(slot);
    } else if (slot->state == SLOT_WAITING && try_start(slot, &step) != 0) {
        slot->state = SLOT_OVER;
    }
}

int slot_polls(const struct slot *slot, struct pollfd *polls) {
    int watched[SLOT_POLLS] = {slot->output.pipe, slot->error.pipe};
    int total = 2, count = 0;
    for (int i = 0; i < MAX_BOXES_A_SLOT; i++) {
        watched[total++] = slot->boxes[i].control;
        watched[total++] = slot->boxes[i].handle;
    }
    for (int i = 0; i < total; i++) {
        if (watched[i] >= 0) polls[count++] = (struct pollfd){.fd = watched[i], .events = POLLIN};
    }
    return count;
}

void slot_handle(struct slot *slot, const struct pollfd *poll) {
    if (poll->fd == slot->output.pipe) {
        read_stream(slot, &slot->output, true);
    } else if (poll->fd == slot->error.pipe) {
        read_stream(slot, &slot->error, errors_end_run(slot));
    }
    for (int i = 0; i < MAX_BOXES_A_SLOT; i++) {
        struct warm_box *box = &slot->boxes[i];
        if (box->state == BOX_IS_ABSENT) continue;
        if (poll->fd == box->handle) {
            box_is_gone(slot, box);
        } else if (poll->fd == box->control && !read_control(slot, box) && errno != EAGAIN) {
            // Its end shows on the handle.
            close_if_open(&box->control);
        }
    }
}

// MARK: Clocks

bool slot_surveys(void) {
    return !cgroups_limit_memory() || !(cgroups_layers() & (LAYER_CGROUP_CPU_V1 | LAYER_CGROUP_CPU_V2));
}

static int64_t processors(void) {
    static int64_t count;
    if (count == 0) count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? count : 1;
}

static int check_boxes(struct slot *slot, int64_t now) {
    int due = -1;
    for (int i = 0; i < MAX_BOXES_A_SLOT; i++) {
        struct warm_box *box = &slot->boxes[i];
        if (box->state != BOX_IS_BUILDING && box->state != BOX_IS_CLEARING) continue;
        due = MAX_CHECK_INTERVAL_MS;
        if (now < box->deadline_us) continue;
        if (slot->box == box && slot->state == SLOT_WAITING && box->state == BOX_IS_BUILDING) {
            slot->reasons |= REASON_SETUP;
        }
        syscall(SYS_pidfd_send_signal, box->handle, SIGKILL, NULL, 0);
        box->deadline_us = now + CLEAR_TIMEOUT_MS * 1000ll;
    }
    return due;
}

static int check_run(struct slot *slot, int64_t now) {
    if (slot->state != SLOT_RUNNING) {
        if (now < slot->deadline_us) return MAX_CHECK_INTERVAL_MS;
        if (slot->state != SLOT_KILLING) slot->reasons |= REASON_SETUP;
        if (slot->state == SLOT_WAITING) {
            slot->state = SLOT_OVER;
            return 0;
        }
        syscall(SYS_pidfd_send_signal, slot->box->handle, SIGKILL, NULL, 0);
        slot->deadline_us = now + KILL_GRACE_MS * 1000ll;
        return MAX_CHECK_INTERVAL_MS;
    }
    const struct guest_limits *limits = &slot->order.limits;
    int64_t due = (slot_surveys() ? SURVEY_INTERVAL_MS : MAX_CHECK_INTERVAL_MS) * 1000;
    int64_t wall_left = slot->started_us + limits->wall_ms * 1000 - now;
    int64_t cpu = cgroup_cpu_us(&slot->group);
    if (slot_surveys()) {
        struct survey seen = survey_take(slot->box->pid);
        if (cpu < 0) cpu = seen.cpu_us - slot->survey_base_us;
        if (seen.resident_bytes > slot->survey_peak_bytes) slot->survey_peak_bytes = seen.resident_bytes;
        if (slot->survey_peak_bytes > limits->memory_bytes && !cgroups_limit_memory()) end_run(slot, REASON_MEMORY);
    }
    int64_t cpu_left = limits->cpu_ms * 1000 - (cpu < 0 ? 0 : cpu);
    if (cpu_left < 0) end_run(slot, REASON_CPU);
    if (wall_left <= 0) end_run(slot, REASON_WALL);
    if (cgroup_oom_kills(&slot->group) > 0) end_run(slot, REASON_MEMORY);
    if (cpu >= 0 && cpu_left / processors() < due) due = cpu_left / processors();
    if (wall_left < due) due = wall_left;
    return due < 1000 ? 1 : (int)(due / 1000);
}

int slot_check(struct slot *slot) {
    int64_t now = monotonic_us();
    int due = check_boxes(slot, now);
    if (slot->state == SLOT_FREE || slot->state == SLOT_OVER) return due;
    int run_due = check_run(slot, now);
    return due >= 0 && due < run_due ? due : run_due;
}

// MARK: Ending

void slot_release(struct slot *slot) {
    stream_close(&slot->output);
    stream_close(&slot->error);
    close_if_open(&slot->program);
    close_if_open(&slot->input);
    close_if_open(&slot->kit);
    close_if_open(&slot->joined_pipe);
    close_if_open(&slot->artefact);
    forget_run(slot);
}

void slot_end(struct slot *slot) {
    for (int i = 0; i < MAX_BOXES_A_SLOT; i++) warm_box_end(&slot->boxes[i]);
    slot_release(slot);
    cgroup_remove(&slot->group);
}

#define _GNU_SOURCE
#include "junction.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box.h"
#include "descriptors.h"
#include "kit.h"

enum {
    LANE_BYTES = 64 << 10,
    /// A validator that lets go of a pipe is mostly one that is ending: so long its end is waited for before
    /// the submission may notice.
    END_GRACE_MS = 50,
};

/// One direction. Bytes are read only when those before have been written: no more than one buffer is kept.
struct lane {
    int from;
    int to;
    char bytes[LANE_BYTES];
    size_t start;
    size_t end;
};

int junction_open(struct junction *junction) {
    if (pipe2(junction->to_validator, O_CLOEXEC) != 0) return -1;
    return pipe2(junction->from_validator, O_CLOEXEC);
}

int junction_enter(const struct junction *junction) {
    if (dup2(junction->to_validator[0], STDIN_FILENO) < 0) return -1;
    return dup2(junction->from_validator[1], STDOUT_FILENO) < 0 ? -1 : 0;
}

static bool is_pending(const struct lane *lane) { return lane->start < lane->end; }

static void drop(struct lane *lane) { lane->start = lane->end = 0; }

/// Reads when nothing is pending. False at the end: whoever wrote has let go.
static bool fill(struct lane *lane) {
    if (lane->from < 0 || is_pending(lane)) return true;
    ssize_t count = read(lane->from, lane->bytes, sizeof lane->bytes);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    lane->start = 0;
    lane->end = (size_t)count;
    return count > 0;
}

/// Writes what is pending, as far as there is room. False when whoever read has let go.
static bool drain(struct lane *lane) {
    while (lane->to >= 0 && is_pending(lane)) {
        ssize_t count = write(lane->to, lane->bytes + lane->start, lane->end - lane->start);
        if (count > 0) lane->start += (size_t)count;
        if (count < 0 && errno == EAGAIN) return true;
        if (count < 0 && errno != EINTR) return false;
    }
    return true;
}

struct meeting {
    struct lane inward;  /* from the submission to the validator */
    struct lane outward; /* from the validator to the submission */
    int validator;       /* pidfd */
    bool ended;          /* the validator has */
    int64_t grace_us;    /* until when its letting go of a pipe is kept back; 0: it has let go of none */
    int64_t written;     /* by the submission */
    int64_t limit;
    uint32_t flags;
};

static void validator_let_go(struct meeting *meeting) {
    meeting->grace_us = monotonic_us() + END_GRACE_MS * 1000;
}

static void pass_inward(struct meeting *meeting) {
    struct lane *lane = &meeting->inward;
    // While the validator may be ending nothing is read: a full pipe must not look like an accepted one.
    if (lane->to < 0) return;
    if (!is_pending(lane)) {
        if (!fill(lane)) {
            close_if_open(&lane->from);
            if (!meeting->ended) meeting->flags |= REPORT_SUBMISSION_LEFT_FIRST;
        }
        meeting->written += (int64_t)(lane->end - lane->start);
    }
    if (meeting->written > meeting->limit) {
        meeting->flags |= REPORT_OUTPUT_LIMIT;
        drop(lane);
        close_if_open(&lane->from);
    }
    if (!drain(lane)) {
        drop(lane);
        close_if_open(&lane->to);
        validator_let_go(meeting);
    } else if (lane->from < 0 && !is_pending(lane)) {
        close_if_open(&lane->to);
    }
}

static void pass_outward(struct meeting *meeting) {
    struct lane *lane = &meeting->outward;
    if (!fill(lane)) {
        close_if_open(&lane->from);
        if (!meeting->ended) validator_let_go(meeting);
    }
    if (drain(lane)) return;
    drop(lane);
    close_if_open(&lane->to);
    close_if_open(&lane->from);
}

/// The submission learns what the validator has let go of, once its end is noted or the grace is over.
static void tell_submission(struct meeting *meeting) {
    if (!meeting->ended && (meeting->grace_us == 0 || monotonic_us() < meeting->grace_us)) return;
    meeting->grace_us = 0;
    if (meeting->inward.to < 0 || meeting->ended) close_if_open(&meeting->inward.from);
    if (meeting->outward.from < 0 && !is_pending(&meeting->outward)) close_if_open(&meeting->outward.to);
}

/// Waits for something to do, and notes who has let go of a pipe that nobody writes to now. -1 with errno.
static int wait_for_work(struct meeting *meeting) {
    struct lane *inward = &meeting->inward, *outward = &meeting->outward;
    bool reads_inward = inward->to >= 0 && !is_pending(inward);
    struct pollfd polls[] = {
        {.fd = meeting->ended ? -1 : meeting->validator, .events = POLLIN},
        {.fd = reads_inward ? inward->from : -1, .events = POLLIN},
        {.fd = inward->to, .events = is_pending(inward) ? POLLOUT : 0},
        {.fd = is_pending(outward) ? -1 : outward->from, .events = POLLIN},
        {.fd = outward->to, .events = is_pending(outward) ? POLLOUT : 0},
    };
    int timeout = meeting->grace_us == 0 ? -1 : END_GRACE_MS / 10;
    if (poll(polls, sizeof polls / sizeof polls[0], timeout) < 0) return errno == EINTR ? 0 : -1;
    if ((polls[2].revents & POLLERR) && !is_pending(inward)) {
        close_if_open(&inward->to);
        validator_let_go(meeting);
    }
    if ((polls[4].revents & POLLERR) && !is_pending(outward)) {
        close_if_open(&outward->to);
        close_if_open(&outward->from);
    }
    return 0;
}

static int do_not_block(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

static int begin(struct meeting *meeting, const struct junction *junction, pid_t validator) {
    close(junction->to_validator[0]);
    close(junction->from_validator[1]);
    meeting->inward.from = STDIN_FILENO;
    meeting->inward.to = junction->to_validator[1];
    meeting->outward.from = junction->from_validator[0];
    meeting->outward.to = STDOUT_FILENO;
    meeting->validator = (int)syscall(SYS_pidfd_open, validator, 0);
    if (meeting->validator < 0) return -1;
    const int ends[] = {
        meeting->inward.from, meeting->inward.to, meeting->outward.from, meeting->outward.to};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (do_not_block(ends[i]) != 0) return -1;
    }
    return 0;
}

int junction_serve(
    const struct junction *junction, pid_t validator, int64_t output_bytes, int *wait_status,
    uint32_t *flags) {
    static struct meeting meeting;
    meeting.limit = output_bytes;
    if (begin(&meeting, junction, validator) != 0) return -1;
    for (;;) {
        if (!meeting.ended) meeting.ended = waitpid(validator, wait_status, WNOHANG) == validator;
        pass_inward(&meeting);
        pass_outward(&meeting);
        // What it left in the pipe has been read: children it may have left do not count.
        if (meeting.ended && !is_pending(&meeting.outward)) break;
        tell_submission(&meeting);
        if (wait_for_work(&meeting) != 0) return -1;
    }
    *flags = meeting.flags;
    return 0;
}

#define _GNU_SOURCE
#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "descriptors.h"
#include "ceilings.h"

int64_t monotonic_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void reset(struct slot *slot) {
    slot->state = SLOT_FREE;
    slot->box = -1;
    slot->box_handle = slot->control = slot->artefact = -1;
    slot->output = slot->error = (struct stream){.pipe = -1, .store = -1};
    slot->grouped = slot->reported = false;
    slot->reasons = 0;
    memset(&slot->report, 0, sizeof slot->report);
    memset(&slot->plan, 0, sizeof slot->plan);
}

void slot_initialise(struct slot *slot, int index) {
    slot->index = index;
    slot->network = -1;
    reset(slot);
}

// MARK: Beginning

static int open_stream(struct stream *stream, const char *name, int64_t limit, int *guest_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    stream->pipe = ends[0];
    *guest_end = ends[1];
    stream->limit = limit;
    stream->store = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return stream->store < 0 ? -1 : fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static int write_map(pid_t pid, const char *file, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    int map = open(path, O_WRONLY | O_CLOEXEC);
    if (map < 0) return -1;
    int result = write_all(map, text, strlen(text));
    close(map);
    return result;
}

/// Without privileges the box's user namespace knows one id: the helper's own.
static int map_identity(const struct slot *slot) {
    char users[64], groups[64];
    char go = KEEPER_GO;
    snprintf(users, sizeof users, "%u %u 1", geteuid(), geteuid());
    snprintf(groups, sizeof groups, "%u %u 1", getegid(), getegid());
    if (write_map(slot->box, "setgroups", "deny") != 0 || write_map(slot->box, "uid_map", users) != 0 ||
        write_map(slot->box, "gid_map", groups) != 0) {
        return -1;
    }
    return send_packet(slot->control, &go, 1, NULL, 0);
}

static int clone_box(struct slot *slot) {
    uint64_t flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD;
    if (!slot->plan.privileged) flags |= CLONE_NEWUSER;
    if (slot->plan.network < 0) flags |= CLONE_NEWNET;
    struct clone_args arguments = {
        .flags = flags, .pidfd = (uint64_t)(uintptr_t)&slot->box_handle, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) box_main(&slot->plan);
    if (pid < 0) return -1;
    slot->box = (pid_t)pid;
    return 0;
}

static int begin(struct slot *slot, int *guest_ends, const char **step) {
    struct box_plan *plan = &slot->plan;
    int control[2];
    *step = "opening the streams";
    if (plan->joined) {
        guest_ends[0] = fcntl(plan->output, F_DUPFD_CLOEXEC, 3);
        slot->output.store = memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (guest_ends[0] < 0 || slot->output.store < 0) return -1;
    } else if (open_stream(&slot->output, "output", plan->limits.output_bytes, &guest_ends[0]) != 0) {
        return -1;
    }
    if (open_stream(&slot->error, "error", plan->limits.error_bytes, &guest_ends[1]) != 0) return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0) return -1;
    slot->control = control[0];
    guest_ends[2] = control[1];
    *step = "making the control groups";
    const struct guest_limits *limits = &plan->limits;
    if (cgroup_create(&slot->group, slot->index, limits->memory_bytes, limits->processes) != 0) return -1;
    slot->grouped = true;
    plan->output = guest_ends[0];
    plan->error = guest_ends[1];
    plan->control = guest_ends[2];
    plan->network = slot->network;
    plan->group = &slot->group;
    *step = "creating the namespaces";
    if (clone_box(slot) != 0) return -1;
    *step = "mapping the user";
    return plan->privileged ? 0 : map_identity(slot);
}

int slot_begin(struct slot *slot, const char **step) {
    int guest_ends[3] = {-1, -1, -1};
    int result = begin(slot, guest_ends, step);
    int error = errno;
    for (int i = 0; i < 3; i++) close_if_open(&guest_ends[i]);
    if (result != 0) {
        slot_destroy(slot);
        slot_release(slot);
        errno = error;
        return -1;
    }
    slot->state = SLOT_SETTING_UP;
    slot->deadline_us = monotonic_us() + SETUP_TIMEOUT_MS * 1000ll;
    return 0;
}

// MARK: Running

static void end_run(struct slot *slot, enum reason reason) {
    slot->reasons |= reason;
    if (slot->state != SLOT_SETTING_UP && slot->state != SLOT_RUNNING) return;
    char order = KEEPER_KILL;
    cgroup_kill(&slot->group);
    send_packet(slot->control, &order, 1, NULL, 0);
    slot->state = SLOT_KILLING;
    slot->deadline_us = monotonic_us() + KILL_GRACE_MS * 1000ll;
}

/// Reads what is there, once. True when something was.
static bool read_stream(struct slot *slot, struct stream *stream, bool over_limit_ends_run) {
    static char buffer[64 * 1024];
    ssize_t count = read(stream->pipe, buffer, sizeof buffer);
    if (count <= 0) return count < 0 && errno == EINTR;
    int64_t room = stream->limit - stream->bytes;
    int64_t kept = count < room ? count : room;
    if (kept > 0 && write_all(stream->store, buffer, (size_t)kept) != 0) end_run(slot, REASON_STREAM);
    stream->bytes += kept;
    if (kept < count) {
        stream->truncated = true;
        if (over_limit_ends_run) end_run(slot, REASON_OUTPUT);
    }
    return true;
}

static void read_control(struct slot *slot) {
    struct box_report report;
    int passed[MAX_PASSED_DESCRIPTORS], count = 0;
    ssize_t size = receive_packet(slot->control, &report, sizeof report, passed, &count);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size == (ssize_t)sizeof report && report.message == BOX_STARTED && count == 0) {
        slot->report = report;
        if (slot->state != SLOT_SETTING_UP) return;
        slot->state = SLOT_RUNNING;
        slot->started_us = monotonic_us();
        return;
    }
    if (size == (ssize_t)sizeof report && report.message == BOX_FINISHED) {
        slot->report = report;
        slot->reported = true;
        if (count == 1 && sealed_size(passed[0]) == report.artefact_bytes) {
            slot->artefact = passed[0];
            count = 0;
        }
    }
    for (int i = 0; i < count; i++) close(passed[i]);
    close_if_open(&slot->control);
    slot->state = SLOT_ENDING;
    slot->deadline_us = monotonic_us() + KILL_GRACE_MS * 1000ll;
}

int slot_polls(const struct slot *slot, struct pollfd *polls) {
    if (slot->state == SLOT_FREE) return 0;
    const int watched[] = {slot->control, slot->output.pipe, slot->error.pipe, slot->box_handle};
    int count = 0;
    for (int i = 0; i < SLOT_POLLS; i++) {
        if (watched[i] >= 0) polls[count++] = (struct pollfd){.fd = watched[i], .events = POLLIN};
    }
    return count;
}

bool slot_handle(struct slot *slot, const struct pollfd *poll) {
    if (poll->fd == slot->control) {
        read_control(slot);
    } else if (poll->fd == slot->output.pipe) {
        bool had_some = read_stream(slot, &slot->output, true);
        if (!had_some && (poll->revents & POLLHUP)) close_if_open(&slot->output.pipe);
    } else if (poll->fd == slot->error.pipe) {
        bool had_some = read_stream(slot, &slot->error, slot->operation == OPERATION_COMPILE);
        if (!had_some && (poll->revents & POLLHUP)) close_if_open(&slot->error.pipe);
    } else if (poll->fd == slot->box_handle) {
        // The last report may have come in the same round.
        while (slot->control >= 0 && slot->state != SLOT_ENDING) read_control(slot);
        return true;
    }
    return false;
}

static int64_t processors(void) {
    static int64_t count;
    if (count == 0) count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? count : 1;
}

int slot_check(struct slot *slot) {
    int64_t now = monotonic_us();
    int64_t due = MAX_CHECK_INTERVAL_MS * 1000;
    if (slot->state == SLOT_FREE) return -1;
    if (slot->state != SLOT_RUNNING) {
        if (now < slot->deadline_us) return MAX_CHECK_INTERVAL_MS;
        if (slot->state == SLOT_SETTING_UP) slot->reasons |= REASON_SETUP;
        syscall(SYS_pidfd_send_signal, slot->box_handle, SIGKILL, NULL, 0);
        slot->deadline_us = now + KILL_GRACE_MS * 1000ll;
        return MAX_CHECK_INTERVAL_MS;
    }
    const struct guest_limits *limits = &slot->plan.limits;
    int64_t wall_left = slot->started_us + limits->wall_ms * 1000 - now;
    int64_t cpu = cgroup_cpu_us(&slot->group);
    int64_t cpu_left = limits->cpu_ms * 1000 - (cpu < 0 ? 0 : cpu);
    if (cpu_left < 0) end_run(slot, REASON_CPU);
    if (wall_left <= 0) end_run(slot, REASON_WALL);
    if (cgroup_oom_kills(&slot->group) > 0) end_run(slot, REASON_MEMORY);
    if (cpu >= 0 && cpu_left / processors() < due) due = cpu_left / processors();
    if (wall_left < due) due = wall_left;
    return due < 1000 ? 1 : (int)(due / 1000);
}

// MARK: Ending

static void decide(struct slot *slot, uint32_t required_layers, struct reply *reply) {
    const struct box_report *report = &slot->report;
    const struct guest_limits *limits = &slot->plan.limits;
    bool ended_by_us = slot->reasons & (REASON_CPU | REASON_WALL | REASON_MEMORY | REASON_OUTPUT);
    bool out_of_memory = cgroup_oom_kills(&slot->group) > 0;
    bool native = slot->plan.arguments.count == 0;
    reply->end = END_SANDBOX_ERROR;
    if (slot->reasons & (REASON_SETUP | REASON_STREAM)) {
        bool was_late = slot->reasons & REASON_SETUP;
        snprintf(reply->detail, sizeof reply->detail, "%s",
                 was_late ? "the box was not ready in time" : "the output could not be stored");
    } else if (!slot->reported && !ended_by_us) {
        snprintf(reply->detail, sizeof reply->detail, "the box ended without a report");
    } else if (report->step != STEP_NONE && !(report->step == STEP_EXECUTE && native)) {
        snprintf(reply->detail, sizeof reply->detail, "%s: %s", step_name(report->step),
                 strerror(report->error));
    } else if ((report->layers & required_layers) != required_layers && !ended_by_us && !out_of_memory) {
        snprintf(reply->detail, sizeof reply->detail, "a protection did not take hold");
    } else if ((slot->reasons & REASON_CPU) || reply->cpu_us > limits->cpu_ms * 1000) {
        reply->end = END_CPU_TIME_LIMIT;
    } else if ((slot->reasons & REASON_WALL) || reply->wall_us > limits->wall_ms * 1000) {
        reply->end = END_WALL_TIME_LIMIT;
    } else if (out_of_memory) {
        reply->end = END_MEMORY_LIMIT;
    } else if (slot->reasons & REASON_OUTPUT) {
        reply->end = END_OUTPUT_LIMIT;
    } else if (WIFSIGNALED(report->wait_status)) {
        reply->end = WTERMSIG(report->wait_status) == SIGSYS ? END_BLOCKED_SYSTEM_CALL : END_SIGNALLED;
    } else {
        reply->end = END_EXITED;
    }
}

void slot_conclude(struct slot *slot, uint32_t required_layers, struct reply *reply) {
    const struct box_report *report = &slot->report;
    bool errors_end_run = slot->operation == OPERATION_COMPILE;
    while (slot->output.pipe >= 0 && read_stream(slot, &slot->output, true)) continue;
    while (slot->error.pipe >= 0 && read_stream(slot, &slot->error, errors_end_run)) continue;
    int64_t cpu = cgroup_cpu_us(&slot->group);
    int64_t peak = cgroup_peak_bytes(&slot->group);
    reply->cpu_us = cpu >= 0 ? cpu : report->cpu_us;
    reply->wall_us = slot->reported ? report->wall_us : monotonic_us() - slot->started_us;
    reply->memory_bytes = peak >= 0 ? peak : report->max_resident_bytes;
    reply->output_bytes = slot->output.bytes;
    reply->error_bytes = slot->error.bytes;
    decide(slot, required_layers, reply);
    if (slot->output.truncated) reply->flags |= REPLY_OUTPUT_TRUNCATED;
    if (slot->error.truncated) reply->flags |= REPLY_ERROR_TRUNCATED;
    if (slot->reported && WIFEXITED(report->wait_status)) {
        reply->flags |= REPLY_HAS_EXIT_CODE;
        reply->exit_code = WEXITSTATUS(report->wait_status);
    } else if (slot->reported && WIFSIGNALED(report->wait_status)) {
        reply->flags |= REPLY_HAS_SIGNAL;
        reply->signal = WTERMSIG(report->wait_status);
    }
    if (report->collect_error != 0 && reply->end == END_EXITED) {
        snprintf(reply->detail, sizeof reply->detail, "the compiler left no usable file: %s",
                 strerror(report->collect_error));
    }
}

void slot_destroy(struct slot *slot) {
    if (slot->box <= 0) return;
    kill(slot->box, SIGKILL);
    while (waitpid(slot->box, NULL, 0) < 0 && errno == EINTR) continue;
    slot->box = -1;
}

void slot_release(struct slot *slot) {
    close_if_open(&slot->box_handle);
    close_if_open(&slot->control);
    close_if_open(&slot->output.pipe);
    close_if_open(&slot->output.store);
    close_if_open(&slot->error.pipe);
    close_if_open(&slot->error.store);
    close_if_open(&slot->artefact);
    if (slot->grouped) cgroup_remove(&slot->group);
    reset(slot);
}

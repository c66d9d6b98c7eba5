#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box.h"
#include "ceilings.h"
#include "descriptors.h"
#include "scratch.h"

enum { MAX_REAPED_A_ROUND = 64, GUEST_STACK_BYTES = 64 * 1024, SHELL_CANNOT_EXECUTE = 126 };

// MARK: What the guest is executed with

static char *const *make_environment(const struct language *language) {
    static const char *all[16 + MAX_LANGUAGE_VARIABLES];
    int count = 0;
    for (int i = 0; guest_environment[i]; i++) all[count++] = guest_environment[i];
    for (int i = 0; language && i < language->environment.count; i++) {
        all[count++] = language->environment.texts[i];
    }
    all[count] = NULL;
    return (char *const *)all;
}

/// The arguments with the memory limit filled in, at the one place where it may stand in each.
static char *const *make_arguments(const struct run_order *order) {
    static const char place[] = "{memory_mib}";
    static char filled[MAX_LANGUAGE_ARGUMENTS][256];
    static const char *all[MAX_LANGUAGE_ARGUMENTS + 1] = {"main"};
    int count = order->arguments ? order->arguments->count : 0;
    for (int i = 0; i < count; i++) {
        const char *text = order->arguments->texts[i];
        const char *found = strstr(text, place);
        all[i] = text;
        if (!found) continue;
        snprintf(filled[i], sizeof filled[i], "%.*s%lld%s", (int)(found - text), text,
                 (long long)(order->limits.memory_bytes / MIB), found + sizeof place - 1);
        all[i] = filled[i];
    }
    if (count == 0) all[count++] = "main";
    all[count] = NULL;
    return (char *const *)all;
}

// MARK: Watching

/// What the children of one run took; `getrusage` would add up those of all runs before.
struct usage {
    int64_t cpu_us;
    int64_t max_resident_bytes;
};

static pid_t reap(int *status, int flags, struct usage *total) {
    struct rusage used;
    pid_t dead = wait4(-1, status, flags, &used);
    if (dead <= 0) return dead;
    total->cpu_us += ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                     used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    int64_t resident = (int64_t)used.ru_maxrss * 1024;
    if (resident > total->max_resident_bytes) total->max_resident_bytes = resident;
    return dead;
}

/// Until the guest's first process is dead. Orphans are reaped on the way, because dead ones count as
/// processes.
static void watch_guest(int control, pid_t guest, int children, struct usage *used, int *wait_status) {
    struct pollfd watched[] = {{.fd = children, .events = POLLIN}, {.fd = control, .events = POLLIN}};
    for (;;) {
        // A bomb makes orphans faster than they are reaped: the keeper is listened to all the same.
        int reaped = 0, status;
        pid_t dead = 0;
        while (reaped < MAX_REAPED_A_ROUND && (dead = reap(&status, WNOHANG, used)) > 0) {
            reaped++;
            if (dead != guest) continue;
            *wait_status = status;
            return;
        }
        if (poll(watched, 2, dead > 0 ? 0 : -1) < 0 && errno != EINTR) _exit(1);
        if (watched[0].revents & POLLIN) {
            struct signalfd_siginfo ignored;
            if (read(children, &ignored, sizeof ignored) < 0 && errno != EAGAIN) _exit(1);
        }
        if (watched[1].revents) {
            uint32_t message = 0;
            int count = 0, none[MAX_PASSED_DESCRIPTORS];
            // A keeper that is gone takes the whole box with it: the end of process 1 ends all others.
            if (receive_packet(control, &message, sizeof message, none, &count) <= 0) _exit(1);
            // Atomic against fork: a process cannot be born while the kernel walks the list.
            if (message == KEEPER_KILL) kill(-1, SIGKILL);
        }
    }
}

static int kill_the_rest(struct usage *used) {
    int status;
    if (kill(-1, SIGKILL) != 0 && errno != ESRCH) return -1;
    for (;;) {
        if (reap(&status, 0, used) >= 0 || errno == EINTR) continue;
        return errno == ECHILD ? 0 : -1;
    }
}

// MARK: Starting

struct order_places order_places(const struct run_order *order) {
    struct order_places places = {.program = -1, .store = -1, .kit = -1, .count = 3 + order->join_count};
    if (order->has_program) places.program = places.count++;
    if (order->has_store) places.store = places.count++;
    if (order->has_kit) places.kit = places.count++;
    return places;
}

/// As cheap as starting a program gets, and safe: until it executes, the child writes nothing of ours but `start`.
static pid_t start_by_vfork(struct guest_start *start) {
    static char stack[GUEST_STACK_BYTES] __attribute__((aligned(16)));
    start->status = -1;
    return clone(guest_main, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, start);
}

/// With memory of its own, for a child that has work to do first. Returns when it executes, or has failed to.
static pid_t start_by_fork(struct guest_start *start) {
    int status[2];
    char none;
    if (pipe2(status, O_CLOEXEC) != 0) return -1;
    start->status = status[1];
    pid_t guest = fork();
    if (guest == 0) {
        close(status[0]);
        guest_main(start);
        _exit(SHELL_CANNOT_EXECUTE);
    }
    int error = errno;
    close(status[1]);
    // Nobody writes: the end is what is waited for.
    while (guest > 0 && read(status[0], &none, 1) < 0 && errno == EINTR) continue;
    close(status[0]);
    errno = error;
    return guest;
}

// MARK: Running

static void failed(struct box_report *report, int step) {
    report->step = step;
    report->error = errno;
}

/// Only of a compiler that has succeeded.
static void collect(const struct run_order *order, const int *descriptors, struct box_report *report) {
    if (!order->has_store || report->step != STEP_NONE) return;
    if (!WIFEXITED(report->wait_status) || WEXITSTATUS(report->wait_status) != 0) return;
    report->artefact_bytes = scratch_collect(order->artefact_name, descriptors[order_places(order).store]);
    if (report->artefact_bytes < 0) report->collect_error = errno;
}

void box_run(
    const struct box_plan *plan, const struct run_order *order, const int *descriptors, uint32_t layers,
    int children, struct box_report *report) {
    // Also where the child has memory of its own, this is common to both.
    static struct guest_start *start;
    if (!start) start = mmap(NULL, sizeof *start, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *report = (struct box_report){
        .message = BOX_FINISHED, .layers = layers, .artefact_bytes = -1, .lives_in_groups = plan->lives_in_groups};
    if (start == MAP_FAILED) return failed(report, STEP_FORK);
    *start = (struct guest_start){
        .plan = plan,
        .order = order,
        .descriptors = descriptors,
        .arguments = make_arguments(order),
        .environment = make_environment(order->language),
        .layers = layers,
    };
    if (scratch_make(plan->privileged, plan->guest_id) != 0) return failed(report, STEP_MOUNTS);
    if (order->source_name && scratch_place(order->source_name, descriptors[order_places(order).program]) != 0) {
        return failed(report, STEP_SOURCE);
    }
    int64_t started_us = monotonic_us();
    pid_t guest = order->has_kit ? start_by_fork(start) : start_by_vfork(start);
    if (guest < 0) return failed(report, STEP_FORK);
    // Only the guest holds its streams: who reads or writes at their other end sees when it lets go.
    for (int i = 0; i < 3; i++) close(descriptors[i]);
    report->layers = start->layers;
    report->step = start->step;
    report->error = start->error;
    if (start->step == STEP_NONE) {
        struct box_report begun = *report;
        begun.message = BOX_STARTED;
        send_packet(plan->control, &begun, sizeof begun, NULL, 0);
    }
    struct usage used = {0};
    watch_guest(plan->control, guest, children, &used, &report->wait_status);
    report->wall_us = monotonic_us() - started_us;
    if (kill_the_rest(&used) != 0) return failed(report, STEP_REAP);
    report->cpu_us = used.cpu_us;
    report->max_resident_bytes = used.max_resident_bytes;
    collect(order, descriptors, report);
}

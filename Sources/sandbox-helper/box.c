#define _GNU_SOURCE
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ceilings.h"
#include "descriptors.h"
#include "layers.h"
#include "scratch.h"

static const char *const step_names[] = {
    [STEP_NONE] = "none",
    [STEP_DESCRIPTORS] = "arranging descriptors",
    [STEP_NETWORK] = "entering the network namespace",
    [STEP_MOUNTS] = "building the private root",
    [STEP_SOURCE] = "placing the source",
    [STEP_FORK] = "starting the guest process",
    [STEP_GROUPS] = "joining the control groups",
    [STEP_LIMITS] = "setting resource limits",
    [STEP_IDENTITY] = "changing the user",
    [STEP_CAPABILITIES] = "dropping capabilities",
    [STEP_FILTER] = "loading the system-call filter",
    [STEP_KIT] = "opening the kit",
    [STEP_EXECUTE] = "executing the program",
    [STEP_REAP] = "collecting processes",
};

const char *step_name(int step) {
    if (step < 0 || (size_t)step >= sizeof step_names / sizeof step_names[0]) return "unknown step";
    return step_names[step];
}

int64_t monotonic_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int64_t own_cpu_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

// MARK: Talking to the keeper

static void say(const struct box_plan *plan, enum box_message message, uint32_t layers) {
    struct box_report report = {
        .message = message, .layers = layers, .lives_in_groups = plan->lives_in_groups};
    send_packet(plan->control, &report, sizeof report, NULL, 0);
}

static _Noreturn void fail(const struct box_plan *plan, int step) {
    struct box_report report = {.message = BOX_FAILED, .step = step, .error = errno};
    send_packet(plan->control, &report, sizeof report, NULL, 0);
    _exit(1);
}

/// The next packet. A keeper that is gone takes the whole box with it: the end of process 1 ends all others.
static void await_packet(const struct box_plan *plan, void *bytes, size_t size, int *passed, int *count) {
    struct pollfd watched = {.fd = plan->control, .events = POLLIN};
    for (;;) {
        while (poll(&watched, 1, -1) < 0 && errno == EINTR) continue;
        ssize_t received = receive_packet(plan->control, bytes, size, passed, count);
        if (received >= (ssize_t)sizeof(uint32_t)) return;
        if (received >= 0 || (errno != EAGAIN && errno != EINTR)) _exit(1);
    }
}

static void await_go(const struct box_plan *plan) {
    uint32_t message = 0;
    int count = 0, none[MAX_PASSED_DESCRIPTORS];
    await_packet(plan, &message, sizeof message, none, &count);
    if (message != KEEPER_GO) _exit(1);
}

// MARK: Building

static int keep_only_own_descriptors(const struct box_plan *plan) {
    int kept[2 + 2 * MAX_HIERARCHIES] = {plan->control, plan->network};
    int count = 2 + cgroups_box_joins(kept + 2);
    for (int i = 0; i < plan->join_count; i++) kept[count++] = plan->joins[i];
    return close_all_except(kept, count);
}

static int watch_children(void) {
    sigset_t all, child;
    sigfillset(&all);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    signal(SIGPIPE, SIG_DFL);
    if (sigprocmask(SIG_SETMASK, &all, NULL) != 0) return -1;
    return signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int enter_network(const struct box_plan *plan) {
    if (plan->network < 0) return 0;  // the clone has made a new one
    int result = setns(plan->network, CLONE_NEWNET);
    close(plan->network);
    return result;
}

/// Where it is not allowed the kernel looks at sizes alone.
static void set_oom_score(const char *score) {
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t written = write(file, score, strlen(score));
    (void)written;
    close(file);
}

/// A warden that lives in the groups of its slot spares every guest the way into them: a process that moves between
/// groups waits for all processors of the machine, 10 ms and more where nobody has moved for a while. Else it lives
/// beside them, and the guest moves. Either way the group namespace begins here: guests see no name of the host's.
static int enter_groups(struct box_plan *plan, uint32_t *layers) {
    // The guest has to be able to change its score, or the kernel could take the warden in its place.
    if (!(*layers & LAYER_PRIVATE_PROC)) plan->lives_in_groups = false;
    for (int i = 0; i < plan->join_count; i++) {
        if (plan->lives_in_groups && write(plan->joins[i], "0", 1) != 1) return -1;
        close(plan->joins[i]);
    }
    bool is_apart = plan->lives_in_groups || cgroups_join_boxes() == 0;
    // 0, with the right to go lower given up: neither is a guest ever harder to kill than its warden.
    set_oom_score(plan->lives_in_groups ? "0" : "1000");
    if (is_apart && unshare(CLONE_NEWCGROUP) == 0) *layers |= LAYER_CGROUP_NAMESPACE;
    return 0;
}

static uint32_t build(struct box_plan *plan) {
    uint32_t layers = LAYER_PID_NAMESPACE | LAYER_IPC_NAMESPACE;
    int step = STEP_NONE;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    prctl(PR_SET_NAME, "box", 0, 0, 0);
    if (!plan->privileged) await_go(plan);
    umask(0);
    if (keep_only_own_descriptors(plan) != 0) fail(plan, STEP_DESCRIPTORS);
    if (enter_network(plan) != 0) fail(plan, STEP_NETWORK);
    layers |= LAYER_NETWORK_NAMESPACE | (plan->privileged ? 0 : LAYER_USER_NAMESPACE);
    if (sethostname("box", 3) == 0) layers |= LAYER_UTS_NAMESPACE;
    if (mounts_enter(plan, &layers) != 0) fail(plan, STEP_MOUNTS);
    if (enter_groups(plan, &layers) != 0) fail(plan, STEP_GROUPS);
    if (plan->privileged && unshare(CLONE_NEWUSER) == 0) {
        say(plan, BOX_WANTS_MAP, layers);
        await_go(plan);
        layers |= LAYER_USER_NAMESPACE;
    }
    if (warden_enter(plan, &layers, &step) != 0) fail(plan, step);
    if (scratch_open() != 0) fail(plan, STEP_MOUNTS);
    return layers;
}

// MARK: Between runs

/// Segments, semaphores and queues outlive their processes. A box in which one was left is not used again.
static bool has_left_ipc_objects(void) {
    struct shm_info segments;
    struct seminfo semaphores;
    struct msginfo queues;
    if (shmctl(0, SHM_INFO, (struct shmid_ds *)&segments) < 0 || segments.used_ids != 0) return true;
    if (semctl(0, 0, SEM_INFO, &semaphores) < 0 || semaphores.semusz != 0) return true;
    return msgctl(0, MSG_INFO, (struct msqid_ds *)&queues) < 0 || queues.msgpool != 0;
}

static void serve(const struct box_plan *plan, uint32_t layers, int children) {
    for (int run = 0; run < MAX_RUNS_A_BOX; run++) {
        struct run_order order = {0};
        struct box_report report;
        int passed[MAX_PASSED_DESCRIPTORS], count = 0;
        int64_t cpu_us = own_cpu_us();
        say(plan, BOX_READY, layers);
        do {
            await_packet(plan, &order, sizeof order, passed, &count);
            // An order to kill that came after the end of its run.
        } while (order.message == KEEPER_KILL);
        if (order.message != KEEPER_RUN || count != order_places(&order).count) return;
        box_run(plan, &order, passed, layers, children, &report);
        report.warden_cpu_us = plan->lives_in_groups ? own_cpu_us() - cpu_us : 0;
        send_packet(plan->control, &report, sizeof report, NULL, 0);
        for (int i = 3; i < count; i++) close(passed[i]);
        if (report.step != STEP_NONE && report.step != STEP_EXECUTE) return;
        if (has_left_ipc_objects() || !scratch_clear()) return;
    }
}

void box_main(const struct box_plan *plan) {
    struct box_plan own = *plan;
    uint32_t layers = build(&own);
    int children = watch_children();
    if (children < 0) fail(&own, STEP_FORK);
    serve(&own, layers, children);
    _exit(0);
}

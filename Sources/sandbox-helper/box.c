#define _GNU_SOURCE
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "descriptors.h"
#include "layers.h"

enum { MAX_REAPED_A_ROUND = 64 };

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

static int64_t now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static _Noreturn void report_and_leave(const struct box_plan *plan, struct box_report *report, int artefact) {
    report->message = BOX_FINISHED;
    send_packet(plan->control, report, sizeof *report, &artefact, artefact >= 0 ? 1 : 0);
    _exit(0);
}

static _Noreturn void fail(const struct box_plan *plan, struct box_report *report, int step) {
    report->step = step;
    report->error = errno;
    report_and_leave(plan, report, -1);
}

static int keep_only_own_descriptors(const struct box_plan *plan) {
    int kept[8 + MAX_HIERARCHIES] = {plan->program, plan->kit,     plan->input,  plan->output,
                                     plan->error,   plan->control, plan->network};
    int count = 7;
    for (int i = 0; i < plan->group->join_count; i++) kept[count++] = plan->group->join[i];
    return close_all_except(kept, count);
}

static void wait_for_go(const struct box_plan *plan) {
    struct pollfd watched = {.fd = plan->control, .events = POLLIN};
    char order = 0;
    int count = 0, none[MAX_PASSED_DESCRIPTORS];
    while (poll(&watched, 1, -1) < 0 && errno == EINTR) continue;
    if (receive_packet(plan->control, &order, 1, none, &count) != 1 || order != KEEPER_GO) _exit(1);
}

/// Process 1 needs no more than to kill processes of another user and to read the file one of them left.
static int drop_to_warden(void) {
    const unsigned needed = (1u << CAP_KILL) | (1u << CAP_DAC_OVERRIDE);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    memset(data, 0, sizeof data);
    data[0].effective = data[0].permitted = needed;
    return (int)syscall(SYS_capset, &header, data);
}

/// Reads what the guest's process said before it became the guest; ends when it has, or has died.
static void read_guest_status(int status, struct box_report *report) {
    struct guest_status message;
    for (;;) {
        ssize_t count = read(status, &message, sizeof message);
        if (count < 0 && errno == EINTR) continue;
        if (count != (ssize_t)sizeof message) return;
        report->layers = message.layers;
        report->step = message.step;
        report->error = message.error;
    }
}

static pid_t start_guest(const struct box_plan *plan, struct box_report *report) {
    int status[2];
    if (pipe2(status, O_CLOEXEC) != 0) return -1;
    pid_t guest = fork();
    if (guest == 0) {
        close(status[0]);
        guest_main(plan, report->layers, status[1]);
    }
    int error = errno;
    close(status[1]);
    // Only the guest holds its streams: who reads or writes at their other end sees when it lets go.
    close(plan->input);
    close(plan->output);
    close(plan->error);
    if (guest > 0) read_guest_status(status[0], report);
    close(status[0]);
    errno = error;
    return guest;
}

/// Until the guest's first process is dead. Orphans are reaped on the way, because dead ones count as
/// processes.
static void watch_guest(const struct box_plan *plan, pid_t guest, int children, struct box_report *report) {
    struct pollfd watched[] = {{.fd = children, .events = POLLIN}, {.fd = plan->control, .events = POLLIN}};
    for (;;) {
        // A bomb makes orphans faster than they are reaped: the keeper is listened to all the same.
        int reaped = 0, status;
        pid_t dead = 0;
        while (reaped < MAX_REAPED_A_ROUND && (dead = waitpid(-1, &status, WNOHANG)) > 0) {
            reaped++;
            if (dead != guest) continue;
            report->wait_status = status;
            return;
        }
        if (poll(watched, 2, dead > 0 ? 0 : -1) < 0 && errno != EINTR) _exit(1);
        if (watched[0].revents & POLLIN) {
            struct signalfd_siginfo ignored;
            if (read(children, &ignored, sizeof ignored) < 0 && errno != EAGAIN) _exit(1);
        }
        if (watched[1].revents) {
            char order = 0;
            int count = 0, none[MAX_PASSED_DESCRIPTORS];
            // A keeper that is gone takes the whole box with it: the end of process 1 ends all others.
            if (receive_packet(plan->control, &order, 1, none, &count) <= 0) _exit(1);
            // Atomic against fork: a process cannot be born while the kernel walks the list.
            if (order == KEEPER_KILL) kill(-1, SIGKILL);
        }
    }
}

static int kill_the_rest(void) {
    if (kill(-1, SIGKILL) != 0 && errno != ESRCH) return -1;
    for (;;) {
        if (waitpid(-1, NULL, 0) >= 0 || errno == EINTR) continue;
        return errno == ECHILD ? 0 : -1;
    }
}

static void account(struct box_report *report, int64_t started_us) {
    struct rusage usage;
    report->wall_us = now_us() - started_us;
    getrusage(RUSAGE_CHILDREN, &usage);
    report->cpu_us = ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                     usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    report->max_resident_bytes = (int64_t)usage.ru_maxrss * 1024;
}

static int watch_children(void) {
    sigset_t all, child;
    sigfillset(&all);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (sigprocmask(SIG_SETMASK, &all, NULL) != 0) return -1;
    return signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int enter_network(const struct box_plan *plan) {
    if (plan->network < 0) return 0;  // the clone has made a new one
    return setns(plan->network, CLONE_NEWNET);
}

void box_main(const struct box_plan *plan) {
    struct box_report report = {.layers = LAYER_PID_NAMESPACE | LAYER_IPC_NAMESPACE};
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    prctl(PR_SET_NAME, "box", 0, 0, 0);
    if (!plan->privileged) wait_for_go(plan);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    umask(0);
    if (keep_only_own_descriptors(plan) != 0) fail(plan, &report, STEP_DESCRIPTORS);
    if (enter_network(plan) != 0) fail(plan, &report, STEP_NETWORK);
    report.layers |= LAYER_NETWORK_NAMESPACE | (plan->privileged ? 0 : LAYER_USER_NAMESPACE);
    if (sethostname("box", 3) == 0) report.layers |= LAYER_UTS_NAMESPACE;
    if (mounts_enter(plan, &report.layers) != 0) fail(plan, &report, STEP_MOUNTS);
    if (files_place_source(plan) != 0) fail(plan, &report, STEP_SOURCE);
    int children = watch_children();
    if (children < 0) fail(plan, &report, STEP_FORK);
    pid_t guest = start_guest(plan, &report);
    if (guest < 0) fail(plan, &report, STEP_FORK);
    int64_t started_us = now_us();
    if (drop_to_warden() != 0) fail(plan, &report, STEP_CAPABILITIES);
    if (report.step == STEP_NONE) {
        report.message = BOX_STARTED;
        send_packet(plan->control, &report, sizeof report, NULL, 0);
    }
    watch_guest(plan, guest, children, &report);
    account(&report, started_us);
    if (kill_the_rest() != 0) fail(plan, &report, STEP_REAP);
    int64_t wall_us = report.wall_us;
    account(&report, started_us);
    report.wall_us = wall_us;
    int artefact = -1;
    bool succeeded = report.step == STEP_NONE && WIFEXITED(report.wait_status) &&
                     WEXITSTATUS(report.wait_status) == 0;
    if (succeeded && plan->artefact_name) {
        artefact = files_collect(plan, &report.artefact_bytes);
        if (artefact < 0) report.collect_error = errno;
    }
    report_and_leave(plan, &report, artefact);
}

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "box.h"
#include "ceilings.h"
#include "descriptors.h"
#include "kit.h"
#include "layers.h"

// The last steps of a process of ours before it is the guest. Every step that matters ends the process when
// it fails: a guest never runs with less than what was found at the start. The memory is still the warden's, who
// waits (but for a guest with a kit, which has its own): nothing is allocated here, and nothing is written but `start`.

enum { SHELL_CANNOT_EXECUTE = 126 };

static int join_groups(const struct guest_start *start) {
    for (int i = 0; i < start->order->join_count; i++) {
        if (write(start->descriptors[3 + i], "0", 1) != 1) return -1;
    }
    return 0;
}

static int set_limit(int resource, int64_t soft, int64_t hard) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) return -1;
    // A ceiling that is already lower stays: it cannot be raised without capabilities, and need not be.
    if ((rlim_t)hard < limit.rlim_max) limit.rlim_max = (rlim_t)hard;
    limit.rlim_cur = (rlim_t)soft < limit.rlim_max ? (rlim_t)soft : limit.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &limit);
}

static int set_limits(const struct run_order *order) {
    const struct guest_limits *limits = &order->limits;
    // The keeper's clock decides; these are for the case that it is held up.
    int64_t seconds = (limits->cpu_ms + 999) / 1000 + 1;
    int64_t memory = limits->memory_bytes;
    int64_t stack = memory < MAX_GUEST_STACK_BYTES ? memory : MAX_GUEST_STACK_BYTES;
    int result = 0;
    result |= set_limit(RLIMIT_CPU, seconds, seconds + 1);
    result |= set_limit(RLIMIT_FSIZE, limits->file_bytes, limits->file_bytes);
    result |= set_limit(RLIMIT_NOFILE, MAX_GUEST_OPEN_FILES, MAX_GUEST_OPEN_FILES);
    result |= set_limit(RLIMIT_NPROC, limits->processes, limits->processes);
    result |= set_limit(RLIMIT_STACK, stack, stack);
    result |= set_limit(RLIMIT_MEMLOCK, 0, 0);
    result |= set_limit(RLIMIT_MSGQUEUE, 0, 0);
    result |= set_limit(RLIMIT_SIGPENDING, 1024, 1024);
    result |= set_limit(RLIMIT_NICE, 0, 0);
    result |= set_limit(RLIMIT_RTPRIO, 0, 0);
    // 1, not 0: the kernel then also leaves out a pipe in core_pattern, which it feeds in spite of 0.
    result |= set_limit(RLIMIT_CORE, 1, 1);
    if (!order->memory_is_grouped && order->memory_model == MEMORY_ADDRESS_SPACE) {
        // What is resident is looked at and decides; this bounds how much can come between two looks.
        int64_t space = 2 * limits->memory_bytes + ADDRESS_SPACE_SLACK_BYTES;
        result |= set_limit(RLIMIT_AS, space, space);
    }
    return result;
}

/// By the plain calls: the C library's would look after threads.
static int become_guest(uid_t id) {
    if (syscall(SYS_setresgid, id, id, id) != 0 || syscall(SYS_setresuid, id, id, id) != 0) return -1;
    uid_t real, effective, saved;
    if (getresuid(&real, &effective, &saved) != 0) return -1;
    if (real != id || effective != id || saved != id || getegid() != id) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

static int drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    return (int)syscall(SYS_capset, &header, none);
}

/// Of all members of its groups, and where the whole machine runs out of memory.
static int offer_to_die_first(void) {
    // The file belongs to the process only while that may be dumped; changing ids ends this again.
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) return -1;
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t written = write(file, "1000", 4);
    close(file);
    return written == 4 ? 0 : -1;
}

/// The streams to their numbers. All else goes on exec; where there is work to do before, and by a supervisor
/// perhaps after, at once.
static int arrange_descriptors(const struct guest_start *start) {
    const int *descriptors = start->descriptors;
    for (int i = 0; i < 3; i++) {
        if (dup2(descriptors[i], i) < 0) return -1;
    }
    if (start->status < 0) return close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
    struct order_places places = order_places(start->order);
    int kept[3 + MAX_HIERARCHIES] = {start->status, descriptors[places.kit]};
    int count = 2;
    if (places.program >= 0) kept[count++] = descriptors[places.program];
    for (int i = 0; i < start->order->join_count; i++) kept[count++] = descriptors[3 + i];
    return close_all_except(kept, count);
}

static int unblock_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

static int fail(struct guest_start *start, int step) {
    start->step = step;
    start->error = errno;
    _exit(SHELL_CANNOT_EXECUTE);
}

/// Turns into the program: the interpreter with its source, or the artefact itself, with what the kit brings.
static int execute(const struct guest_start *start, int *step) {
    const struct run_order *order = start->order;
    struct order_places places = order_places(order);
    int program = places.program < 0 ? -1 : start->descriptors[places.program];
    struct kit kit = {.arguments = (const char *const *)start->arguments};
    *step = STEP_KIT;
    if (order->has_kit) {
        int file = start->descriptors[places.kit];
        if (kit_open(file, kit.arguments, order->source_name, &kit) != 0) return -1;
    }
    if (order->reports && kit_supervise(start->status, program, &kit, order->joined) != 0) return -1;
    // Not the supervisor, who leaves its report where the keeper looks for it.
    if (kit.folder && chdir(kit.folder) != 0) return -1;
    *step = STEP_EXECUTE;
    char *const *arguments = (char *const *)kit.arguments;
    bool is_interpreted = order->arguments && order->arguments->count > 0;
    if (is_interpreted) return execve(arguments[0], arguments, start->environment);
    return execveat(program, "", arguments, start->environment, AT_EMPTY_PATH);
}

int guest_main(void *context) {
    struct guest_start *start = context;
    const struct box_plan *plan = start->plan;
    const struct run_order *order = start->order;
    if (arrange_descriptors(start) != 0 || setsid() < 0) return fail(start, STEP_DESCRIPTORS);
    if (chdir("/box/work") != 0) return fail(start, STEP_MOUNTS);
    if (order->is_born_in_groups && offer_to_die_first() != 0) return fail(start, STEP_GROUPS);
    umask(022);
    if (plan->privileged) {
        if (become_guest(plan->guest_id) != 0) return fail(start, STEP_IDENTITY);
        start->layers |= LAYER_SEPARATE_UID;
    }
    if (set_limits(order) != 0) return fail(start, STEP_LIMITS);
    start->layers |= LAYER_RLIMITS;
    if (drop_capabilities() != 0 || !has_no_capabilities()) return fail(start, STEP_CAPABILITIES);
    start->layers |= LAYER_NO_CAPABILITIES;
    // Both were set for good by the warden, of whom this process is a copy; here they are only looked at.
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return fail(start, STEP_FILTER);
    start->layers |= LAYER_NO_NEW_PRIVILEGES;
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER) return fail(start, STEP_FILTER);
    start->layers |= LAYER_SECCOMP;
    // As late as can be, so that what is counted is the guest's; writing is a right of who opened the file.
    if (join_groups(start) != 0) return fail(start, STEP_GROUPS);
    if (unblock_signals() != 0) return fail(start, STEP_DESCRIPTORS);
    if (order->is_trial) _exit(0);
    int step = STEP_EXECUTE;
    execute(start, &step);
    return fail(start, step);
}

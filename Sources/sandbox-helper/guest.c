#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "box.h"
#include "descriptors.h"
#include "kit.h"
#include "layers.h"
#include "ceilings.h"
#include "seccomp_filter.h"

// The last steps of a process of ours before it is the guest. Every step that matters ends the process when
// it fails: a guest never runs with less than what was found at the start.

enum { HIGHEST_CAPABILITY = 63, SHELL_CANNOT_EXECUTE = 126 };

static int join_groups(const struct cgroup *group) {
    for (int i = 0; i < group->join_count; i++) {
        if (write(group->join[i], "0", 1) != 1) return -1;
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

static int set_limits(const struct box_plan *plan) {
    const struct guest_limits *limits = &plan->limits;
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
    if (!plan->memory_is_grouped && plan->memory_model == MEMORY_ADDRESS_SPACE) {
        result |= set_limit(RLIMIT_AS, limits->memory_bytes, limits->memory_bytes);
    }
    return result;
}

static int drop_bounding_set(void) {
    for (int capability = 0; capability <= HIGHEST_CAPABILITY; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
        return errno == EINVAL && capability > 0 ? 0 : -1;
    }
    return 0;
}

static int drop_capabilities(void) {
    const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                               SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0 || drop_bounding_set() != 0) return -1;
    return (int)syscall(SYS_capset, &header, none);
}

/// Whatever was done above, this is what must be true.
static int has_no_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct held[2];
    if (syscall(SYS_capget, &header, held) != 0) return 0;
    uint32_t all = held[0].effective | held[0].permitted | held[1].effective | held[1].permitted;
    return all == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0;
}

static int become_guest(uid_t id) {
    if (setgroups(0, NULL) != 0 || setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0) return -1;
    uid_t real, effective, saved;
    if (getresuid(&real, &effective, &saved) != 0) return -1;
    if (real != id || effective != id || saved != id || getegid() != id) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

static int write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t written = write(file, text, strlen(text));
    close(file);
    return written == (ssize_t)strlen(text) ? 0 : -1;
}

/// A user namespace inside the box that knows the guest's id alone: root does not exist there, so that no
/// set-user-id file and no call can give it. It owns none of the box's other namespaces.
static void enter_user_namespace(uid_t id, uint32_t *layers) {
    char map[48];
    snprintf(map, sizeof map, "%u %u 1", id, id);
    if (!(*layers & LAYER_PRIVATE_PROC)) return;
    // Changing ids has made the process opaque to itself; it has to write to its own /proc files.
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 || unshare(CLONE_NEWUSER) != 0) return;
    if (write_file("/proc/self/setgroups", "deny") == 0 && write_file("/proc/self/gid_map", map) == 0 &&
        write_file("/proc/self/uid_map", map) == 0) {
        *layers |= LAYER_USER_NAMESPACE;
    }
}

/// The helper was started with all signals at their defaults and has changed no more than these.
static void reset_signals(void) {
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void fail(int status, uint32_t layers, int step) {
    struct guest_status message = {.layers = layers, .step = step, .error = errno};
    if (write(status, &message, sizeof message) != (ssize_t)sizeof message) _exit(SHELL_CANNOT_EXECUTE);
    _exit(SHELL_CANNOT_EXECUTE);
}

static int arrange_descriptors(const struct box_plan *plan, int *status, int *program, int *kit) {
    // The low numbers may be in use by what is to be kept: lift these first.
    *status = fcntl(*status, F_DUPFD_CLOEXEC, 10);
    if (*program >= 0) *program = fcntl(*program, F_DUPFD_CLOEXEC, 10);
    if (*kit > 0) *kit = fcntl(*kit, F_DUPFD_CLOEXEC, 10);
    int input = fcntl(plan->input, F_DUPFD_CLOEXEC, 10);
    int output = fcntl(plan->output, F_DUPFD_CLOEXEC, 10);
    int error = fcntl(plan->error, F_DUPFD_CLOEXEC, 10);
    if (*status < 0 || input < 0 || output < 0 || error < 0) return -1;
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(error, 2) < 0) return -1;
    int kept[] = {*status, *program, *kit};
    return close_all_except(kept, 3);
}

// MARK: What it is executed with

static char *const *make_environment(const struct language *language) {
    static const char *all[16 + MAX_LANGUAGE_VARIABLES];
    int count = 0;
    for (int i = 0; guest_environment[i]; i++) all[count++] = guest_environment[i];
    for (int i = 0; i < language->environment.count; i++) all[count++] = language->environment.texts[i];
    all[count] = NULL;
    return (char *const *)all;
}

/// The arguments with the memory limit filled in, in the one place where it may stand in each.
static char *const *make_arguments(const struct box_plan *plan) {
    static const char place[] = "{memory_mib}";
    static char filled[MAX_LANGUAGE_ARGUMENTS][256];
    static const char *all[MAX_LANGUAGE_ARGUMENTS + 1];
    long long mebibytes = (long long)(plan->limits.memory_bytes / MIB);
    for (int i = 0; i < plan->arguments.count; i++) {
        const char *text = plan->arguments.texts[i];
        const char *found = strstr(text, place);
        all[i] = text;
        if (!found) continue;
        snprintf(filled[i], sizeof filled[i], "%.*s%lld%s", (int)(found - text), text, mebibytes,
                 found + sizeof place - 1);
        all[i] = filled[i];
    }
    all[plan->arguments.count] = NULL;
    return (char *const *)all;
}

/// Turns into the program: the interpreter with its source, or the artefact itself, with what the kit brings.
static int execute(const struct box_plan *plan, int status, int program, int kit_file, int *step) {
    static const char *const artefact_arguments[] = {"main", NULL};
    char *const *environment = make_environment(plan->language);
    bool is_interpreted = plan->arguments.count > 0;
    const char *const *own = is_interpreted ? (const char *const *)make_arguments(plan) : artefact_arguments;
    struct kit kit = {.arguments = own};
    *step = STEP_KIT;
    if (kit_file > 0 && kit_open(kit_file, own, &kit) != 0) return -1;
    if (plan->reports && kit_supervise(status, program, &kit, plan->joined) != 0) return -1;
    *step = STEP_EXECUTE;
    char *const *arguments = (char *const *)kit.arguments;
    if (is_interpreted) return execve(arguments[0], arguments, environment);
    return execveat(program, "", arguments, environment, AT_EMPTY_PATH);
}

void guest_main(const struct box_plan *plan, uint32_t layers, int status) {
    int program = plan->arguments.count > 0 ? -1 : plan->program;
    int kit = plan->kit, step = STEP_EXECUTE;
    if (join_groups(plan->group) != 0) fail(status, layers, STEP_GROUPS);
    if (unshare(CLONE_NEWCGROUP) == 0) layers |= LAYER_CGROUP_NAMESPACE;
    if (arrange_descriptors(plan, &status, &program, &kit) != 0) fail(status, layers, STEP_DESCRIPTORS);
    if (setsid() < 0) fail(status, layers, STEP_DESCRIPTORS);
    reset_signals();
    umask(022);
    if (layers & LAYER_PRIVATE_PROC) write_file("/proc/self/oom_score_adj", "1000");
    if (plan->privileged) {
        if (drop_bounding_set() != 0) fail(status, layers, STEP_CAPABILITIES);
        if (become_guest(plan->guest_id) != 0) fail(status, layers, STEP_IDENTITY);
        layers |= LAYER_SEPARATE_UID;
        enter_user_namespace(plan->guest_id, &layers);
    }
    if (set_limits(plan) != 0) fail(status, layers, STEP_LIMITS);
    layers |= LAYER_RLIMITS;
    if ((!plan->privileged || (layers & LAYER_USER_NAMESPACE)) && drop_capabilities() != 0) {
        fail(status, layers, STEP_CAPABILITIES);
    }
    if (!has_no_capabilities()) fail(status, layers, STEP_CAPABILITIES);
    layers |= LAYER_NO_CAPABILITIES;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail(status, layers, STEP_FILTER);
    layers |= LAYER_NO_NEW_PRIVILEGES;
    if (seccomp_filter_load() != 0) fail(status, layers, STEP_FILTER);
    layers |= LAYER_SECCOMP;
    struct guest_status message = {.layers = layers, .step = STEP_NONE};
    if (write(status, &message, sizeof message) != (ssize_t)sizeof message) _exit(SHELL_CANNOT_EXECUTE);
    if (plan->is_trial) _exit(0);
    if (execute(plan, status, program, kit, &step) != 0) fail(status, layers, step);
    _exit(SHELL_CANNOT_EXECUTE);
}

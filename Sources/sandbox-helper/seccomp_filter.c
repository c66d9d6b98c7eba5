#define _GNU_SOURCE
#include "seccomp_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// A deny list: allow lists break whenever a C library or a runtime starts to use a new call. What is not
// named here is met by the other layers: no capabilities, no files, no network, no foreign processes.

/// Calls a program may probe for and must believe to be absent. clone3 carries its flags in memory, where a
/// filter cannot see them: told ENOSYS, C libraries fall back to clone.
static const char *const absent[] = {
    "clone3",          "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl",
    "add_key",         "request_key",    "memfd_secret",   "inotify_init",      "inotify_init1",
    "fanotify_init",   "fanotify_mark",  "landlock_create_ruleset",
};

/// The same where no memory group is: what is written there belongs to no process and would not be seen.
static const char *const absent_without_groups[] = {"memfd_create", "shmget"};

static const char *const forbidden[] = {
    // mounts and roots
    "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "open_tree",
    "move_mount", "mount_setattr", "open_by_handle_at", "name_to_handle_at", "quotactl", "quotactl_fd",
    "swapon", "swapoff", "acct",
    // other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "process_madvise", "kcmp",
    "migrate_pages", "move_pages",
    // namespaces
    "unshare", "setns",
    // kernel interfaces with a history
    "bpf", "perf_event_open", "userfaultfd", "lookup_dcookie", "vmsplice", "personality", "modify_ldt",
    "nfsservctl", "uselib", "ustat", "sysfs", "_sysctl", "remap_file_pages", "set_mempolicy_home_node",
    // the machine
    "init_module", "finit_module", "delete_module", "create_module", "query_module", "get_kernel_syms",
    "kexec_load", "kexec_file_load", "reboot", "sethostname", "setdomainname", "iopl", "ioperm", "vm86",
    "vm86old", "syslog", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "vhangup",
};

static const unsigned namespace_flags[] = {
    CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP,
};

enum {
    /// Calls from here on are younger than the filter and unknown to it: absent.
    FIRST_UNREVIEWED_CALL = 451,
    LAST_UNREVIEWED_CALL = 480,
    MAX_FILTER_BYTES = 64 * 1024,
};

static struct sock_fprog program;

static int deny_names(scmp_filter_ctx context, const char *const *names, size_t count, int error) {
    for (size_t i = 0; i < count; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        if (number < 0) continue;  // not a call of this architecture
        int result = seccomp_rule_add(context, SCMP_ACT_ERRNO((unsigned)error), number, 0);
        if (result != 0) return result;
    }
    return 0;
}

static int deny_arguments(scmp_filter_ctx context) {
    for (size_t i = 0; i < sizeof namespace_flags / sizeof namespace_flags[0]; i++) {
        unsigned flag = namespace_flags[i];
        int result = seccomp_rule_add(
            context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
        if (result != 0) return result;
    }
    // AF_UNIX (1) and AF_INET (2) stay: the network namespace is empty. A family is an int: any higher half
    // of the register makes the number larger, so it is refused too.
    int calls[] = {SCMP_SYS(socket), SCMP_SYS(socketpair)};
    for (size_t i = 0; i < 2; i++) {
        int result = seccomp_rule_add(
            context, SCMP_ACT_ERRNO(EAFNOSUPPORT), calls[i], 1, SCMP_A0(SCMP_CMP_GT, AF_INET, 0));
        if (result != 0) return result;
    }
    // Limits of another process: where the box has one user only, process 1 would be within reach.
    int result = seccomp_rule_add(
        context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_NE, 0, 0));
    if (result != 0) return result;
    // Pushing input into a terminal.
    unsigned long terminal[] = {TIOCSTI, TIOCLINUX};
    for (size_t i = 0; i < 2; i++) {
        result = seccomp_rule_add(
            context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
            SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, terminal[i]));
        if (result != 0) return result;
    }
    return 0;
}

static int add_rules(scmp_filter_ctx context, bool memory_is_grouped) {
    // A foreign architecture's numbers mean other calls (int 0x80, x32): no errno would be safe.
    int result = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (result == 0) result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (result == 0) result = deny_names(context, absent, sizeof absent / sizeof absent[0], ENOSYS);
    if (result == 0 && !memory_is_grouped) {
        size_t count = sizeof absent_without_groups / sizeof absent_without_groups[0];
        result = deny_names(context, absent_without_groups, count, ENOSYS);
    }
    if (result == 0) result = deny_names(context, forbidden, sizeof forbidden / sizeof forbidden[0], EPERM);
    if (result == 0) result = deny_arguments(context);
    for (int number = FIRST_UNREVIEWED_CALL; result == 0 && number <= LAST_UNREVIEWED_CALL; number++) {
        result = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), number, 0);
    }
    return result;
}

static int export_program(scmp_filter_ctx context) {
    int file = memfd_create("filter", MFD_CLOEXEC);
    struct stat status;
    if (file < 0) return -1;
    int result = -1;
    if (seccomp_export_bpf(context, file) == 0 && fstat(file, &status) == 0 && status.st_size > 0 &&
        status.st_size <= MAX_FILTER_BYTES) {
        size_t size = (size_t)status.st_size;
        void *bytes = malloc(size);
        if (bytes && pread(file, bytes, size, 0) == status.st_size) {
            program.filter = bytes;
            program.len = (unsigned short)(size / sizeof(struct sock_filter));
            result = 0;
        } else {
            free(bytes);
        }
    }
    close(file);
    return result;
}

int seccomp_filter_build(bool memory_is_grouped) {
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    if (!context) {
        errno = ENOMEM;
        return -1;
    }
    int result = add_rules(context, memory_is_grouped);
    if (result != 0) errno = -result;
    if (result == 0) result = export_program(context);
    seccomp_release(context);
    return result == 0 ? 0 : -1;
}

int seccomp_filter_load(void) {
    if (!program.filter) {
        errno = ENOSYS;
        return -1;
    }
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

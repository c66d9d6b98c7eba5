#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "box.h"
#include "layers.h"
#include "ceilings.h"

// <sys/mount.h> of glibc 2.36 and <linux/mount.h> cannot be included together.
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount2(const char *target, int flags);

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

/// The new root grows here; any folder that exists everywhere and is not a source of a mount will do, because
/// this mount namespace is the box's own.
static const char scaffold[] = "/tmp";

/// System folders a guest sees, read-only. Symbolic links (merged /usr) are copied as links.
static const char *const system_folders[] = {"usr", "lib", "lib32", "lib64", "libx32", "bin"};
/// Below /usr, but none of a guest's business: the operator's own software and problem packages.
static const char *const masked_folders[] = {"usr/local", "usr/src", "usr/share/coduel", "usr/lib/coduel"};
static const char *const devices[] = {"null", "zero", "full", "random", "urandom"};
static const char *const device_links[][2] = {
    {"dev/fd", "/proc/self/fd"},       {"dev/stdin", "/proc/self/fd/0"}, {"dev/stdout", "/proc/self/fd/1"},
    {"dev/stderr", "/proc/self/fd/2"}, {"dev/shm", "/box/shm"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int set_attributes(const char *path, uint64_t attributes, unsigned flags) {
    struct mount_attr wanted = {.attr_set = attributes};
    return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &wanted, sizeof wanted);
}

static int bind_read_only(const char *source, const char *target) {
    if (mount(source, target, NULL, MS_BIND | MS_REC, NULL) != 0) return -1;
    return set_attributes(target, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, AT_RECURSIVE);
}

/// Shows a host folder at its own place. Relative to the scaffold.
static int add_folder(const char *path) {
    char target[256];
    if (snprintf(target, sizeof target, "%s", path + 1) >= (int)sizeof target) {
        errno = ENAMETOOLONG;
        return -1;
    }
    struct stat status;
    if (lstat(target, &status) == 0) return 0;  // inside one that is shown already
    for (char *slash = strchr(target, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(target, 0755) != 0 && errno != EEXIST) return -1;
        *slash = '/';
    }
    if (mkdir(target, 0755) != 0) return -1;
    return bind_read_only(path, target);
}

/// Makes the same link, or a mount point, for one system folder. Relative to the scaffold.
static int add_system_folder(const char *name) {
    char source[64], link[128];
    struct stat status;
    snprintf(source, sizeof source, "/%s", name);
    if (lstat(source, &status) != 0) return errno == ENOENT ? 0 : -1;
    if (S_ISLNK(status.st_mode)) {
        ssize_t length = readlink(source, link, sizeof link - 1);
        if (length <= 0) return -1;
        link[length] = 0;
        return symlink(link, name);
    }
    if (!S_ISDIR(status.st_mode)) return 0;
    if (mkdir(name, 0755) != 0) return -1;
    return bind_read_only(source, name);
}

static int add_system_folders(void) {
    for (size_t i = 0; i < COUNT(system_folders); i++) {
        if (add_system_folder(system_folders[i]) != 0) return -1;
    }
    if (access("/etc/alternatives", F_OK) == 0) {
        if (mkdir("etc", 0755) != 0 || mkdir("etc/alternatives", 0755) != 0) return -1;
        if (bind_read_only("/etc/alternatives", "etc/alternatives") != 0) return -1;
    }
    for (size_t i = 0; i < COUNT(masked_folders); i++) {
        struct stat status;
        if (lstat(masked_folders[i], &status) != 0 || !S_ISDIR(status.st_mode)) continue;
        const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV;
        if (mount("none", masked_folders[i], "tmpfs", flags, "size=4k,nr_inodes=2") != 0) return -1;
    }
    return 0;
}

static int add_devices(void) {
    if (mkdir("dev", 0755) != 0) return -1;
    for (size_t i = 0; i < COUNT(devices); i++) {
        char source[32], target[32];
        snprintf(source, sizeof source, "/dev/%s", devices[i]);
        snprintf(target, sizeof target, "dev/%s", devices[i]);
        int file = open(target, O_CREAT | O_EXCL | O_CLOEXEC, 0444);
        if (file < 0) return -1;
        close(file);
        if (mount(source, target, NULL, MS_BIND, NULL) != 0) return -1;
        if (set_attributes(target, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0) != 0) return -1;
    }
    for (size_t i = 0; i < COUNT(device_links); i++) {
        if (symlink(device_links[i][1], device_links[i][0]) != 0) return -1;
    }
    return 0;
}

/// Only processes, and of those only the reader's own. Where the machine's own /proc is partly covered
/// (containers), the kernel refuses a user namespace a new one: the box then has none.
static int add_proc(uint32_t *layers) {
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mkdir("proc", 0555) != 0) return -1;
    if (mount("proc", "proc", "proc", flags, "hidepid=2,subset=pid") == 0) *layers |= LAYER_PRIVATE_PROC;
    return 0;
}

/// One sized file system for all that a guest may write; its folders are made before each run (`scratch.h`).
static int add_scratch(const struct box_plan *plan) {
    char options[128];
    int length = snprintf(options, sizeof options, "size=%lld,nr_inodes=%d,mode=0755",
                          (long long)plan->shape.scratch_bytes, MAX_SCRATCH_INODES);
    if (plan->privileged) {
        snprintf(options + length, sizeof options - (size_t)length, ",uid=%u,gid=%u", plan->warden_id,
                 plan->warden_id);
    }
    if (mkdir("box", 0755) != 0) return -1;
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW;
    if (mount("scratch", "box", "tmpfs", flags, options) != 0) return -1;
    return symlink("box/tmp", "tmp");
}

int mounts_enter(const struct box_plan *plan, uint32_t *layers) {
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -1;
    *layers |= LAYER_MOUNT_NAMESPACE;
    if (mount("root", scaffold, "tmpfs", MS_NOSUID, "size=64k,nr_inodes=64,mode=0755") != 0) return -1;
    if (chdir(scaffold) != 0) return -1;
    if (plan->shape.system_folders && add_system_folders() != 0) return -1;
    for (int i = 0; plan->shape.mounts && i < plan->shape.mounts->count; i++) {
        if (add_folder(plan->shape.mounts->texts[i]) != 0) return -1;
    }
    if (add_devices() != 0 || add_proc(layers) != 0 || add_scratch(plan) != 0) return -1;
    // The old root is put under the new one at the same place and let go: nothing of it can be reached.
    if (syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) return -1;
    if (set_attributes("/", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0) != 0) return -1;
    *layers |= LAYER_PRIVATE_ROOT;
    return 0;
}

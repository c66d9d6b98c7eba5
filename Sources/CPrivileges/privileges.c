#define _GNU_SOURCE
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int privileges_harden(void) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    /* Keys in memory are not for other processes of the same user, nor for core files. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno;
    return 0;
}

int privileges_drop(uid_t user, gid_t group) {
    if (user == 0 || group == 0) return EINVAL;
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        /* Without CAP_SETPCAP (a trimmed container) the bounding set stays: nothing is in the other sets. */
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM) return errno;
    if (setgroups(0, NULL) != 0) return errno;
    if (setresgid(group, group, group) != 0) return errno;
    /* Leaving uid 0 in all three empties the permitted and effective capability sets. */
    if (setresuid(user, user, user) != 0) return errno;
    if (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0) return EPERM;
    return privileges_harden();
}

int privileges_expose(const char *folder, const char *root, const char *place) {
    if (unshare(CLONE_NEWNS) != 0) return errno;
    /* Nothing mounted here shows outside. */
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return errno;
    /* The folder may lie below `root`: hold it before it is covered. */
    if (chdir(folder) != 0) return errno;
    if (mount("coduel", root, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,mode=0755") != 0) return errno;
    if (mkdir(place, 0755) != 0) return errno;
    if (mount(".", place, NULL, MS_BIND, NULL) != 0) return errno;
    if (chdir(place) != 0) return errno;
    return 0;
}

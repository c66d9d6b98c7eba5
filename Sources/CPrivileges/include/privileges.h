#ifndef CODUEL_PRIVILEGES_H
#define CODUEL_PRIVILEGES_H

#include <sys/types.h>

/* Every function returns 0, or the errno of the step that failed. Call them on the main thread before any other
   thread exists: no_new_privs and the mount namespace belong to a thread and are inherited by those it starts. */

/* Gives up root for good: supplementary groups, group, user, capabilities; sets no_new_privs and makes the process
   not dumpable. Fails when the old identity could be taken back. */
int privileges_drop(uid_t user, gid_t group);

/* no_new_privs and not dumpable, for a process that was not started as root. */
int privileges_harden(void);

/* Shows `folder` at `place` in a mount namespace of this process's own, so that it can be reached by a user who may
   not pass the folders above it. `root` is an existing folder that a small tmpfs covers; `place` lies in it. */
int privileges_expose(const char *folder, const char *root, const char *place);

#endif

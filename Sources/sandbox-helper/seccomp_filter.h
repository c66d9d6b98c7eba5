/// The system-call filter of every guest: built once with libseccomp, loaded as plain bytes by the warden of each
/// box, of whom its guests have it by birth.
#ifndef CODUEL_SECCOMP_FILTER_H
#define CODUEL_SECCOMP_FILTER_H

#include <stdbool.h>

/// Builds the filter, a stricter one where no group limits memory; 0, or -1 with errno.
int seccomp_filter_build(bool memory_is_grouped);

/// Puts the calling thread under the filter for good; needs no_new_privs. 0, or -1 with errno.
int seccomp_filter_load(void);

#endif

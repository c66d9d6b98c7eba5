/// The system-call filter of every guest: built once with libseccomp, loaded into each guest as plain bytes.
#ifndef CODUEL_SECCOMP_FILTER_H
#define CODUEL_SECCOMP_FILTER_H

/// Builds the filter; 0, or -1 with errno.
int seccomp_filter_build(void);

/// Puts the calling thread under the filter for good; needs no_new_privs. 0, or -1 with errno.
int seccomp_filter_load(void);

#endif

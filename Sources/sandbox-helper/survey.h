/// What the processes of a box use, read from /proc: for machines that give no control groups. Weaker than those in
/// three ways: it looks at times instead of always, in steps of the kernel's clock tick, and memory is what is
/// mapped.
#ifndef CODUEL_SURVEY_H
#define CODUEL_SURVEY_H

#include <stdint.h>
#include <sys/types.h>

struct survey {
    /// User and system time of the guests alive and dead since the box was built, of at most MAX_SURVEYED_TASKS.
    int64_t cpu_us;
    /// Of those alive, together.
    int64_t resident_bytes;
};

/// Looks at all processes below the warden of a box. Those that go meanwhile are left out.
struct survey survey_take(pid_t warden);

#endif

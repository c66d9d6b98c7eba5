/// Where an interactive validator and a submission meet: the validator's supervisor passes the bytes between the
/// two, so that one process sees which of them lets go first, and each sees it only after it was noted.
#ifndef CODUEL_JUNCTION_H
#define CODUEL_JUNCTION_H

#include <stdint.h>
#include <sys/types.h>

struct junction {
    int to_validator[2];
    int from_validator[2];
};

/// The two pipes to the validator; 0, or -1 with errno.
int junction_open(struct junction *junction);

/// In the validator's process: its ends become standard input and output. 0, or -1 with errno.
int junction_enter(const struct junction *junction);

/// In the supervisor, whose standard input and output lead to the submission: passes bytes both ways until the
/// validator has ended and what it wrote has been delivered, or cannot be. Sets how it ended and flags of
/// `report_flag`. 0, or -1 with errno.
int junction_serve(
    const struct junction *junction, pid_t validator, int64_t output_bytes, int *wait_status,
    uint32_t *flags);

#endif

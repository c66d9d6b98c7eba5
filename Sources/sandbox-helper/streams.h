/// What a guest writes, taken off its pipe into a memfd up to a cap.
#ifndef CODUEL_STREAMS_H
#define CODUEL_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

struct stream {
    int pipe;
    int guest_end; /* until the box has it */
    int store;     /* made with the first byte */
    int64_t bytes;
    int64_t limit;
    bool truncated;
};

enum stream_state {
    STREAM_GOES_ON, /* something was read */
    STREAM_IS_DRY,
    STREAM_IS_AT_END,
    STREAM_FAILED, /* our own store has */
};

/// Makes the pipe; 0, or -1 with errno.
int stream_open(struct stream *stream, int64_t limit);

/// Reads once. What is beyond the limit is dropped, and `truncated` says so.
enum stream_state stream_read(struct stream *stream);

void stream_close(struct stream *stream);

#endif

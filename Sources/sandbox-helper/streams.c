#define _GNU_SOURCE
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "descriptors.h"

int stream_open(struct stream *stream, int64_t limit) {
    int ends[2];
    // A pipe of its own for each run: what a guest sets on it is gone with it.
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    *stream = (struct stream){.pipe = ends[0], .guest_end = ends[1], .store = -1, .limit = limit};
    return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static int keep(struct stream *stream, const char *bytes, size_t count) {
    if (stream->store < 0) stream->store = memfd_create("stream", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return stream->store < 0 ? -1 : write_all(stream->store, bytes, count);
}

enum stream_state stream_read(struct stream *stream) {
    static char buffer[64 * 1024];
    ssize_t count = read(stream->pipe, buffer, sizeof buffer);
    if (count < 0) return errno == EINTR ? STREAM_GOES_ON : STREAM_IS_DRY;
    if (count == 0) return STREAM_IS_AT_END;
    int64_t room = stream->limit - stream->bytes;
    int64_t kept = count < room ? count : room;
    if (kept > 0 && keep(stream, buffer, (size_t)kept) != 0) return STREAM_FAILED;
    stream->bytes += kept;
    if (kept < count) stream->truncated = true;
    return STREAM_GOES_ON;
}

void stream_close(struct stream *stream) {
    close_if_open(&stream->pipe);
    close_if_open(&stream->guest_end);
    close_if_open(&stream->store);
    *stream = (struct stream){.pipe = -1, .guest_end = -1, .store = -1};
}

/// Descriptors: passing, sealing, copying, closing.
#ifndef CODUEL_DESCRIPTORS_H
#define CODUEL_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_PASSED_DESCRIPTORS 12

/// Sends one packet with up to MAX_PASSED_DESCRIPTORS descriptors; 0, or -1 with errno. Never blocks.
int send_packet(int socket, const void *bytes, size_t size, const int *descriptors, int count);

/// Receives one packet. The bytes read (0 at the end), or -1 with errno; `*count` descriptors are the
/// caller's. A packet or a set of descriptors larger than expected is -1 with EMSGSIZE and nothing kept.
ssize_t receive_packet(int socket, void *bytes, size_t size, int *descriptors, int *count);

/// The size of a memfd whose content can no longer change, or -1: apart from pipes the only kind of descriptor
/// taken from the server.
int64_t sealed_size(int descriptor);

/// Whether it is an end of a pipe, open for reading alone or for writing alone.
bool is_pipe_end(int descriptor, bool for_writing);

/// Seals a memfd against every change; 0, or -1.
int seal(int descriptor);

/// A new open file of the same memfd: read-only, its own offset at 0.
int reopen_read_only(int descriptor);

/// Writes all bytes; 0, or -1 with errno.
int write_all(int descriptor, const void *bytes, size_t size);

/// Copies at most `limit` bytes from the start of `from`. The bytes copied, or -1 (EFBIG when there was
/// more).
int64_t copy_bounded(int from, int to, int64_t limit);

/// Closes every descriptor from 3 on except those given (negative ones are ignored; the array is sorted in
/// place).
int close_all_except(int *kept, int count);

void close_if_open(int *descriptor);

#endif

#pragma once

/// Calls of the Linux C library that its headers show to `_GNU_SOURCE` only, which Swift's Glibc module does not set.
int memfd_create(const char *name, unsigned int flags);
int pipe2(int ends[2], int flags);

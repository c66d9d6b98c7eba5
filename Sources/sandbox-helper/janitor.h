/// A second process that only waits for the end of the helper, however it comes, and removes its control groups then.
/// (Processes and mounts need no janitor: a box dies with the helper, and everything in it with the box.)
#ifndef CODUEL_JANITOR_H
#define CODUEL_JANITOR_H

/// Starts it. A descriptor to keep open for life, or -1 with errno.
int janitor_start(void);

#endif

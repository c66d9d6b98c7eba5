/// A second process that only waits for the end of the helper, however it comes, and removes its control
/// groups then. (Processes and mounts need no janitor: a box dies with the helper, and everything in it with
/// the box.)
#ifndef CODUEL_JANITOR_H
#define CODUEL_JANITOR_H

/// Starts it; 0, or -1 with errno.
int janitor_start(void);

/// Lets it clean now and waits for its end.
void janitor_finish(void);

#endif

/// All that a guest may write in its box: three folders on one sized file system, made before each run and gone after
/// it.
#ifndef CODUEL_SCRATCH_H
#define CODUEL_SCRATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// Opens the file system and notes what it is like while empty. 0, or -1 with errno.
int scratch_open(void);

/// Makes the folders, the guest's own where `owned`. 0, or -1 with errno.
int scratch_make(bool owned, uid_t owner);

/// Puts the program into the working folder, readable by all; 0, or -1 with errno. Called while no guest process
/// exists.
int scratch_place(const char *name, int program);

/// Copies a file of the working folder to `store`; the bytes copied, or -1 with errno. Called when no guest process
/// exists any more.
int64_t scratch_collect(const char *name, int store);

/// The same from any folder.
int64_t collect_file(int folder, const char *name, int store);

/// Removes everything. True when the file system is provably as it was while empty; false: the box has to go.
bool scratch_clear(void);

#endif

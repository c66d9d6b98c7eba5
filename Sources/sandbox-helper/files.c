#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "box.h"
#include "descriptors.h"
#include "ceilings.h"

int files_place_source(const struct box_plan *plan) {
    if (!plan->source_name) return 0;
    int file = open(plan->source_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (file < 0) return -1;
    int result = copy_bounded(plan->program, file, MAX_SOURCE_BYTES) < 0 ? -1 : 0;
    // Read-only for its reader, but not foreign to it where the box has one id only.
    if (result == 0 && fchmod(file, 0444) != 0) result = -1;
    close(file);
    return result;
}

/// Opens what the guest left under that name, if it is a plain file of this very folder. The guest chose
/// everything about it: O_NONBLOCK for pipes, no links of either kind.
static int open_left_file(const char *name) {
    struct open_how how = {
        .flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    int file = (int)syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof how);
    if (file < 0) return -1;
    struct stat status;
    int error = 0;
    if (fstat(file, &status) != 0) {
        error = errno;
    } else if (!S_ISREG(status.st_mode) || status.st_nlink != 1) {
        error = EINVAL;
    } else if (status.st_size > MAX_ARTEFACT_BYTES) {
        error = EFBIG;
    }
    if (error == 0) return file;
    close(file);
    errno = error;
    return -1;
}

int files_collect(const struct box_plan *plan, int64_t *size) {
    int file = open_left_file(plan->artefact_name);
    if (file < 0) return -1;
    int copy = memfd_create("artefact", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int64_t copied = copy < 0 ? -1 : copy_bounded(file, copy, MAX_ARTEFACT_BYTES);
    int error = errno;
    if (copied >= 0 && seal(copy) != 0) {
        error = errno;
        copied = -1;
    }
    close(file);
    if (copied < 0) {
        close_if_open(&copy);
        errno = error;
        return -1;
    }
    *size = copied;
    return copy;
}

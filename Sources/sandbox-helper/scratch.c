#define _GNU_SOURCE
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ceilings.h"
#include "descriptors.h"

static const char *const folders[] = {"work", "tmp", "shm"};
enum { FOLDERS = sizeof folders / sizeof folders[0] };

/// /box, and its working folder while a run is on.
static int root = -1;
static int work = -1;
static struct statvfs empty;

int scratch_open(void) {
    root = open("/box", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return root < 0 ? -1 : fstatvfs(root, &empty);
}

int scratch_make(bool owned, uid_t owner) {
    for (int i = 0; i < FOLDERS; i++) {
        if (mkdirat(root, folders[i], 0700) != 0) return -1;
        if (owned && fchownat(root, folders[i], owner, owner, AT_SYMLINK_NOFOLLOW) != 0) return -1;
    }
    work = openat(root, folders[0], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return work < 0 ? -1 : 0;
}

int scratch_place(const char *name, int program) {
    int file = openat(work, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (file < 0) return -1;
    int result = copy_bounded(program, file, MAX_ARTEFACT_BYTES) < 0 ? -1 : 0;
    // Read-only for its reader, but not foreign to it where the box has one id only.
    if (result == 0 && fchmod(file, 0444) != 0) result = -1;
    close(file);
    return result;
}

// MARK: Collecting

/// Opens what the guest left under that name, if it is a plain file of this very folder. The guest chose
/// everything about it: O_NONBLOCK for pipes, no links of either kind.
static int open_left_file(int folder, const char *name) {
    struct open_how how = {
        .flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    int file = (int)syscall(SYS_openat2, folder, name, &how, sizeof how);
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

int64_t collect_file(int folder, const char *name, int store) {
    int file = open_left_file(folder, name);
    if (file < 0) return -1;
    int64_t copied = copy_bounded(file, store, MAX_ARTEFACT_BYTES);
    int error = errno;
    close(file);
    errno = error;
    return copied;
}

int64_t scratch_collect(const char *name, int store) { return collect_file(work, name, store); }

// MARK: Clearing

static bool remove_entries(int folder, int depth);

static bool remove_entry(int folder, const char *name, int depth) {
    if (unlinkat(folder, name, 0) == 0) return true;
    if (errno != EISDIR && errno != EPERM) return false;
    if (unlinkat(folder, name, AT_REMOVEDIR) == 0) return true;
    if (errno != ENOTEMPTY || depth == 0) return false;
    int child = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return child >= 0 && remove_entries(child, depth - 1) && unlinkat(folder, name, AT_REMOVEDIR) == 0;
}

/// Takes the descriptor. No guest process is left, so nothing changes under way.
static bool remove_entries(int folder, int depth) {
    DIR *entries = fdopendir(folder);
    if (!entries) {
        close(folder);
        return false;
    }
    bool removed = true;
    for (struct dirent *entry; removed && (entry = readdir(entries));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        removed = remove_entry(folder, entry->d_name, depth);
    }
    closedir(entries);
    return removed;
}

bool scratch_clear(void) {
    struct statvfs now;
    close_if_open(&work);
    // Taking down much is dearer than a new box, and may be made as dear as the guest likes.
    if (fstatvfs(root, &now) != 0 || empty.f_ffree - now.f_ffree > MAX_CLEARED_INODES) return false;
    // The folders themselves go too: their modes, times and attributes were the guest's to change.
    for (int i = 0; i < FOLDERS; i++) {
        if (!remove_entry(root, folders[i], MAX_CLEARED_DEPTH) && errno != ENOENT) return false;
    }
    return fstatvfs(root, &now) == 0 && now.f_ffree == empty.f_ffree && now.f_bfree == empty.f_bfree;
}

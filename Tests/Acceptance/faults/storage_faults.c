// Preloaded into the server by harness/faults.py: a disk that forgets what was not synced and fails when told to, and a
// clock that is off.
//
// Every write to a database or write-ahead log is noted in a journal in FAULTS_DIR first, with what was there before; a
// sync that returned empties the journal of its file. After the process was killed, the test rolls back what the journals
// still hold: that is what a power cut leaves of a disk with a cache.
// The file FAULTS_DIR/fail-sync makes syncs of the rooms' log fail with EIO (its writes stay unsynced),
// FAULTS_DIR/slow-sync makes them take 4 ms longer, FAULTS_DIR/full makes its writes fail with ENOSPC, and FAULTS_DIR/clock holds the offset of the clock, ms.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FILES = 4096, SLOW_SYNC_US = 4000 };

// One entry of a journal: this head, then `before` bytes.
struct entry {
    uint64_t offset, length, size_before, before;
};

static struct {
    int journal;  // 0: not looked at yet, -1: not watched
    int is_log;
} files[MAX_FILES];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fdatasync)(int), (*real_fsync)(int), (*real_ftruncate)(int, off_t), (*real_close)(int);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static const volatile int64_t *offset_ms;

__attribute__((constructor)) static void begin(void) {
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    const char *folder = getenv("FAULTS_DIR");
    char path[PATH_MAX];
    if (!folder) return;
    snprintf(path, sizeof path, "%s/clock", folder);
    int clock = open(path, O_RDONLY | O_CLOEXEC);
    void *page = mmap(NULL, sizeof *offset_ms, PROT_READ, MAP_SHARED, clock, 0);
    if (page != MAP_FAILED) offset_ms = page;
    if (clock >= 0) real_close(clock);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!real_clock_gettime) begin();
    int done = real_clock_gettime(clock, now);
    if (done == 0 && clock == CLOCK_REALTIME && offset_ms) {
        int64_t ms = now->tv_sec * 1000 + now->tv_nsec / 1000000 + *offset_ms;
        now->tv_sec = ms / 1000;
        now->tv_nsec = ms % 1000 * 1000000 + now->tv_nsec % 1000000;
    }
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
    *now = (struct timeval){precise.tv_sec, precise.tv_nsec / 1000};
    return 0;
}

static int told(const char *what) {
    const char *folder = getenv("FAULTS_DIR");
    char path[PATH_MAX];
    if (!folder) return 0;
    snprintf(path, sizeof path, "%s/%s", folder, what);
    return access(path, F_OK) == 0;
}

static int ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

// The journal of a descriptor, -1 where it is no database. Called with the mutex held.
static int journal_of(int fd) {
    const char *folder = getenv("FAULTS_DIR");
    char link[64], path[PATH_MAX], journal[PATH_MAX + 16];
    if (!folder || fd < 0 || fd >= MAX_FILES) return -1;
    if (files[fd].journal != 0) return files[fd].journal;
    files[fd].journal = -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return -1;
    path[length] = 0;
    if (!ends_with(path, ".db") && !ends_with(path, ".db-wal")) return -1;
    const char *name = strrchr(path, '/') + 1;
    snprintf(journal, sizeof journal, "%s/%s.journal", folder, name);
    int made = open(journal, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (made > 0) files[fd].journal = made;
    files[fd].is_log = strncmp(name, "log.db", 6) == 0;
    return files[fd].journal;
}

// Notes what a write or truncation is about to replace.
static void note(int fd, off_t offset, size_t length) {
    int journal = journal_of(fd);
    struct stat now;
    if (journal < 0 || fstat(fd, &now) != 0) return;
    size_t before = 0;
    if (offset < now.st_size) {
        size_t rest = now.st_size - offset;
        before = rest < length ? rest : length;
    }
    struct entry *entry = malloc(sizeof *entry + before);
    *entry = (struct entry){offset, length, now.st_size, before};
    if (before > 0 && pread(fd, entry + 1, before, offset) != (ssize_t)before) abort();
    size_t size = sizeof *entry + before;
    // One write, so that a journal never ends with half an entry.
    if (real_write(journal, entry, size) != (ssize_t)size) abort();
    free(entry);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
    pthread_mutex_lock(&mutex);
    ssize_t done;
    if (journal_of(fd) >= 0 && files[fd].is_log && told("full")) {
        errno = ENOSPC;
        done = -1;
    } else {
        note(fd, offset, length);
        done = real_pwrite(fd, bytes, length, offset);
    }
    pthread_mutex_unlock(&mutex);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

int ftruncate64(int fd, off_t size) {
    pthread_mutex_lock(&mutex);
    struct stat now;
    if (journal_of(fd) >= 0 && fstat(fd, &now) == 0 && size < now.st_size) note(fd, size, now.st_size - size);
    int done = real_ftruncate(fd, size);
    pthread_mutex_unlock(&mutex);
    return done;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int synced(int fd, int (*real)(int)) {
    pthread_mutex_lock(&mutex);
    int journal = journal_of(fd), done;
    if (journal >= 0 && files[fd].is_log && told("fail-sync")) {
        errno = EIO;
        done = -1;
    } else {
        // A disk that takes its time, so that the power often fails before it is done.
        if (journal >= 0 && files[fd].is_log && told("slow-sync")) usleep(SLOW_SYNC_US);
        done = real(fd);
        if (done == 0 && journal >= 0 && real_ftruncate(journal, 0) != 0) abort();
    }
    pthread_mutex_unlock(&mutex);
    return done;
}

int fdatasync(int fd) { return synced(fd, real_fdatasync); }
int fsync(int fd) { return synced(fd, real_fsync); }

int close(int fd) {
    if (fd >= 0 && fd < MAX_FILES) {
        pthread_mutex_lock(&mutex);
        if (files[fd].journal > 0) real_close(files[fd].journal);
        files[fd].journal = 0;
        pthread_mutex_unlock(&mutex);
    }
    return real_close(fd);
}

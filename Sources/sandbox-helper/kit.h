/// A kit: files and arguments that the server sends along with a program, as one sealed memory file. The
/// helper itself never reads one. It is opened inside the box by the process that is about to become the
/// guest, with no more rights than the guest, so that nothing it holds can do what the guest could not.
///
/// Layout (`Sources/Sandbox/Kit.swift` writes it), little-endian: `struct kit_header`, the arguments as
/// `argument_bytes` of strings that each end with a zero, then `file_count` times `struct kit_entry`, name and
/// content. Names are relative to /box; one that ends with a slash is a folder. The report that
/// `kit_supervise` leaves is `struct kit_report` and files of the same shape.
#ifndef CODUEL_KIT_H
#define CODUEL_KIT_H

#include <stdbool.h>
#include <stdint.h>

#define KIT_MAGIC 0x3154494bu    /* "KIT1" */
#define REPORT_MAGIC 0x3150524bu /* "KRP1" */
#define REPORT_NAME "report"

enum {
    MAX_KIT_ARGUMENTS = 256,
    MAX_KIT_ARGUMENT_BYTES = 64 << 10,
    MAX_KIT_FILES = 10000,
    MAX_KIT_NAME_BYTES = 1024,
    MAX_REPORT_FILES = 64,
};

enum kit_flag {
    /// The program is executed among the files of a submission, in SUBMISSION_FOLDER; its own lie elsewhere.
    KIT_READS_SUBMISSION = 1,
};

#define SUBMISSION_FOLDER "/box/tmp/submission"

struct kit_header {
    uint32_t magic;
    uint32_t argument_count;
    uint32_t argument_bytes;
    uint32_t file_count;
    uint64_t report_bytes; /* most that the feedback files may hold together */
    uint64_t output_bytes; /* most that a joined submission may write */
    uint32_t flags;        /* of `kit_flag` */
    uint32_t reserved;
};

struct kit_entry {
    uint64_t content_bytes;
    uint32_t name_bytes;
    uint32_t reserved;
};

enum report_flag {
    REPORT_SUBMISSION_LEFT_FIRST = 1, /* it had let go of its output when the validator was still there */
    REPORT_OUTPUT_LIMIT = 2,          /* it wrote more than it may */
};

struct kit_report {
    uint32_t magic;
    uint32_t file_count;
    int32_t exit_code; /* -1 when a signal ended the program */
    int32_t signal;
    uint32_t flags;
    uint32_t reserved;
};

/// What of a kit matters after its files are in place.
struct kit {
    const char *const *arguments; /* valid for the rest of the process */
    int64_t report_bytes;
    int64_t output_bytes;
    const char *folder; /* where the program is to be executed; NULL: where it is */
};

/// Puts the kit's files in place; the arguments are `own`, then the kit's. Where the program is to be executed in another
/// folder, the argument `own_name` (its file in the working folder, or NULL) becomes that file's full path. 0, or -1
/// with errno.
int kit_open(int file, const char *const *own, const char *own_name, struct kit *kit);

/// Forks: returns 0 in the child, which is to become the program; -1 with errno where that failed. The parent
/// never returns: it lets go of `status` and `program`, waits for the child, leaves how it ended and what it
/// wrote into /box/tmp/feedback in the file `REPORT_NAME`, and exits with 0, or with 1 where that is more than
/// `report_bytes` or cannot be done. With `joined` it stands between the child and the submission at its
/// standard input and output.
int kit_supervise(int status, int program, const struct kit *kit, bool joined);

#endif

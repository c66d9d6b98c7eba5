/// Every ceiling of the helper, named. A request is clipped to these whatever it asks for.
#ifndef CODUEL_CEILINGS_H
#define CODUEL_CEILINGS_H

#include <stdint.h>

#define KIB ((int64_t)1 << 10)
#define MIB ((int64_t)1 << 20)
#define GIB ((int64_t)1 << 30)

enum {
    MAX_SLOTS = 64,
    MAX_GUEST_OPEN_FILES = 512,
    MAX_GUEST_PROCESSES = 512,
    MAX_SCRATCH_INODES = 8192,
    /// Warm boxes of a slot, each of another shape.
    MAX_BOXES_A_SLOT = 6,
    /// Runs after which a box is built anew.
    MAX_RUNS_A_BOX = 500,
    /// What a run left beyond this makes its box go instead of being cleared.
    MAX_CLEARED_INODES = 300,
    MAX_CLEARED_DEPTH = 64,
    /// A box that is not built, or has not started its guest, by then is our own failure.
    SETUP_TIMEOUT_MS = 10000,
    /// A box that is not clean by then goes.
    CLEAR_TIMEOUT_MS = 1000,
    /// From the order to kill until a box that has not reported is torn down as a whole.
    KILL_GRACE_MS = 5000,
    /// Longest pause between two looks at the counters of a run.
    MAX_CHECK_INTERVAL_MS = 20,
    /// The same where counters have to be gathered from /proc, and from how many processes at most.
    SURVEY_INTERVAL_MS = 5,
    /// CPU time that a group may show beyond that of its guests before this means something.
    MAX_WARDEN_CPU_US = 1000,
    MAX_SURVEYED_TASKS = 1024,
    MIN_TIME_LIMIT_MS = 1,
    MAX_CPU_TIME_MS = 60 * 1000,
    MAX_WALL_TIME_MS = 120 * 1000,
    COMPILE_CPU_TIME_MS = 10 * 1000,
    COMPILE_WALL_TIME_MS = 15 * 1000,
    COMPILE_PROCESSES = 64,
    MAX_LANGUAGES = 32,
    MAX_LANGUAGE_ARGUMENTS = 32,
    MAX_LANGUAGE_VARIABLES = 16,
    MAX_LANGUAGE_MOUNTS = 8,
    MAX_LANGUAGE_TABLE_BYTES = 256 * 1024,
};

#define MIN_MEMORY_BYTES (4 * MIB)
#define MAX_MEMORY_BYTES (4 * GIB)
#define MAX_OUTPUT_BYTES (64 * MIB)
#define MAX_ERROR_BYTES (1 * MIB)
#define MAX_SOURCE_BYTES (4 * MIB)
#define MAX_ARTEFACT_BYTES (64 * MIB)
#define MAX_INPUT_BYTES (512 * MIB)
#define MAX_KIT_BYTES (512 * MIB)
#define MAX_GUEST_STACK_BYTES (1 * GIB)
#define COMPILE_MEMORY_BYTES (2 * GIB)
#define COMPILE_STREAM_BYTES (64 * KIB)
/// What a run's groups may still be charged for when the next run begins; beyond, they are made anew.
#define MAX_GROUP_RESIDUE_BYTES (512 * KIB)
#define ADDRESS_SPACE_SLACK_BYTES (64 * MIB)
#define RUN_SCRATCH_BYTES (64 * MIB)
#define COMPILE_SCRATCH_BYTES (256 * MIB)
#define ASSIST_SCRATCH_BYTES (768 * MIB)
#define RUN_FILE_BYTES (64 * MIB)
#define ASSIST_FILE_BYTES (128 * MIB)
#define COMPILE_FILE_BYTES (128 * MIB)

#endif

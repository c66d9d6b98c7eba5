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
    /// A box that has not started its guest by then is our own failure.
    SETUP_TIMEOUT_MS = 10000,
    /// From the order to kill until a box that has not reported is torn down as a whole.
    KILL_GRACE_MS = 5000,
    /// Longest pause between two looks at the counters of a run.
    MAX_CHECK_INTERVAL_MS = 20,
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
#define RUN_SCRATCH_BYTES (64 * MIB)
#define COMPILE_SCRATCH_BYTES (256 * MIB)
#define ASSIST_SCRATCH_BYTES (768 * MIB)
#define RUN_FILE_BYTES (64 * MIB)
#define ASSIST_FILE_BYTES (128 * MIB)
#define COMPILE_FILE_BYTES (128 * MIB)

#endif

/// The messages between the server and the helper: fixed layouts over one SOCK_SEQPACKET socket (descriptor 3
/// of the helper), one message a packet, descriptors by SCM_RIGHTS. `Sources/Sandbox/Wire.swift` reads and
/// writes the same layouts; every field is little-endian, naturally aligned, and the sizes are asserted on
/// both sides. Descriptor 4 is a sealed memfd with the language table (`languages.h`), read before the hello.
#ifndef CODUEL_PROTOCOL_H
#define CODUEL_PROTOCOL_H

#include <stdint.h>

#define PROTOCOL_MAGIC 0x31534443u /* "CDS1" */
#define LANGUAGE_ID_SIZE 16
#define LAYERS_TEXT_SIZE 512
#define LANGUAGES_TEXT_SIZE 640
#define DETAIL_TEXT_SIZE 192

enum operation {
    OPERATION_COMPILE = 1,    /* descriptors: source [, kit] */
    OPERATION_RUN = 2,        /* descriptors: artefact, standard input [, kit] */
    OPERATION_VERSION = 3,    /* no descriptor; standard output is the tool's version text */
    OPERATION_ASSIST = 4,     /* artefact, standard input, kit: a validator; answered with its report */
    OPERATION_RUN_JOINED = 5, /* artefact, pipe to read, pipe to write [, kit] */
    OPERATION_ASSIST_JOINED = 6, /* artefact, pipe to read, pipe to write, kit */
};

/// What ended a run; the same order as `ExecutionEnd`, which is the order of decision when several hold.
enum end {
    END_CPU_TIME_LIMIT = 0,
    END_WALL_TIME_LIMIT = 1,
    END_MEMORY_LIMIT = 2,
    END_OUTPUT_LIMIT = 3,
    END_BLOCKED_SYSTEM_CALL = 4,
    END_SIGNALLED = 5,
    END_EXITED = 6,
    END_SANDBOX_ERROR = 7,
};

enum reply_flag {
    REPLY_HAS_EXIT_CODE = 1,
    REPLY_HAS_SIGNAL = 2,
    REPLY_OUTPUT_TRUNCATED = 4,
    REPLY_ERROR_TRUNCATED = 8,
    REPLY_HAS_OUTPUT = 16,   /* a descriptor: standard output, where there was any */
    REPLY_HAS_ERROR = 32,    /* the next descriptor: standard error, where there was any */
    REPLY_HAS_ARTEFACT = 64, /* the next descriptor: what was compiled, or a validator's report */
    REPLY_SOURCE_IS_ARTEFACT = 128, /* compiled well, and what runs is the source itself */
};

/// Sent once by the helper when it is ready.
struct hello {
    uint32_t magic;
    uint32_t slots;
    uint32_t usable; /* 0: no namespaces at all, every request is answered with a sandbox error */
    uint32_t reserved;
    char layers[LAYERS_TEXT_SIZE];       /* layers that held in a trial run, comma-separated */
    char all_layers[LAYERS_TEXT_SIZE];   /* layers this helper knows */
    char languages[LANGUAGES_TEXT_SIZE]; /* ids of the table, comma-separated */
    char detail[DETAIL_TEXT_SIZE];       /* why it is not usable */
};

struct request {
    uint32_t magic;
    uint32_t operation;
    uint64_t id;
    char language[LANGUAGE_ID_SIZE];
    int64_t cpu_ms;
    int64_t wall_ms;
    int64_t memory_bytes;
    int64_t output_bytes;
    int64_t error_bytes;
    int64_t processes;
};

struct reply {
    uint32_t magic;
    uint32_t end;
    uint64_t id;
    int32_t exit_code;
    int32_t signal;
    uint32_t flags;
    uint32_t reserved;
    int64_t cpu_us;
    int64_t wall_us;
    int64_t memory_bytes;
    int64_t output_bytes;
    int64_t error_bytes;
    int64_t artefact_bytes;
    char layers[LAYERS_TEXT_SIZE];
    char detail[DETAIL_TEXT_SIZE];
};

_Static_assert(
    sizeof(struct hello) == 16 + 2 * LAYERS_TEXT_SIZE + LANGUAGES_TEXT_SIZE + DETAIL_TEXT_SIZE, "layout");
_Static_assert(sizeof(struct request) == 80, "layout");
_Static_assert(sizeof(struct reply) == 80 + LAYERS_TEXT_SIZE + DETAIL_TEXT_SIZE, "layout");

#endif

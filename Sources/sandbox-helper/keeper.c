#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "descriptors.h"
#include "kit.h"
#include "layers.h"
#include "ceilings.h"

static void answer_error(const struct keeper *keeper, uint64_t request, const char *detail) {
    struct reply reply = {.magic = PROTOCOL_MAGIC, .end = END_SANDBOX_ERROR, .id = request};
    snprintf(reply.detail, sizeof reply.detail, "%s", detail);
    send_packet(keeper->server, &reply, sizeof reply, NULL, 0);
}

// MARK: Requests

static int64_t clip(int64_t value, int64_t low, int64_t high) {
    return value < low ? low : value > high ? high : value;
}

static struct guest_limits run_limits(const struct request *request, const struct language *language) {
    return (struct guest_limits){
        .cpu_ms = clip(request->cpu_ms, MIN_TIME_LIMIT_MS, MAX_CPU_TIME_MS),
        .wall_ms = clip(request->wall_ms, MIN_TIME_LIMIT_MS, MAX_WALL_TIME_MS),
        .memory_bytes = clip(request->memory_bytes, MIN_MEMORY_BYTES, MAX_MEMORY_BYTES),
        .output_bytes = clip(request->output_bytes, 0, MAX_OUTPUT_BYTES),
        .error_bytes = clip(request->error_bytes, 0, MAX_ERROR_BYTES),
        .processes = clip(request->processes, 1, language->processes),
        .file_bytes = RUN_FILE_BYTES,
    };
}

static struct guest_limits compile_limits(void) {
    return (struct guest_limits){
        .cpu_ms = COMPILE_CPU_TIME_MS,
        .wall_ms = COMPILE_WALL_TIME_MS,
        .memory_bytes = COMPILE_MEMORY_BYTES,
        .output_bytes = COMPILE_STREAM_BYTES,
        .error_bytes = COMPILE_STREAM_BYTES,
        .processes = COMPILE_PROCESSES,
        .file_bytes = COMPILE_FILE_BYTES,
    };
}

static bool is_joined(uint32_t operation) {
    return operation == OPERATION_RUN_JOINED || operation == OPERATION_ASSIST_JOINED;
}

static bool is_assist(uint32_t operation) {
    return operation == OPERATION_ASSIST || operation == OPERATION_ASSIST_JOINED;
}

/// Where among the descriptors of an operation the kit stands, which may be left out unless it is a validator
/// that runs; -1: it takes none.
static int kit_position(uint32_t operation) {
    switch (operation) {
        case OPERATION_COMPILE: return 1;
        case OPERATION_RUN:
        case OPERATION_ASSIST: return 2;
        case OPERATION_RUN_JOINED:
        case OPERATION_ASSIST_JOINED: return 3;
        default: return -1;
    }
}

/// How many descriptors an operation brings, their kinds, and the largest content of each.
static const char *check_descriptors(uint32_t operation, const int *passed, int count) {
    int kit = kit_position(operation);
    int least = is_assist(operation) ? kit + 1 : kit, most = kit + 1;
    if (kit < 0 ? count != 0 : count < least || count > most) return "wrong number of descriptors";
    for (int i = 0; i < count; i++) {
        if (is_joined(operation) && (i == 1 || i == 2)) {
            if (!is_pipe_end(passed[i], i == 2)) return "a descriptor is not an end of a pipe";
            continue;
        }
        int64_t limit = i == kit ? MAX_KIT_BYTES : i == 1 ? MAX_INPUT_BYTES : MAX_ARTEFACT_BYTES;
        if (operation == OPERATION_COMPILE && i == 0) limit = MAX_SOURCE_BYTES;
        int64_t size = sealed_size(passed[i]);
        if (size < 0) return "a descriptor is not a sealed memory file";
        if (size > limit) return "a file is too large";
    }
    return NULL;
}

/// What the operation asks of the language table: the run, and the box it is to be had in.
static void plan_operation(struct slot *slot, const struct request *request, const struct language *language) {
    const struct text_list *mounts = language->mounts.count > 0 ? &language->mounts : NULL;
    bool compiles = request->operation == OPERATION_COMPILE;
    bool runs = !compiles && request->operation != OPERATION_VERSION;
    bool is_native = runs && language->run.count == 0, reports = is_assist(request->operation);
    struct run_order *order = &slot->order;
    *order = (struct run_order){
        .language = language,
        .memory_is_grouped = cgroups_limit_memory(),
        .reports = reports,
        .joined = is_joined(request->operation),
        // A compiler is limited by resident memory: its address space says little.
        .memory_model = runs ? language->memory_model : MEMORY_RESIDENT,
        .arguments = runs ? &language->run : compiles ? &language->compile : &language->version,
        .limits = runs ? run_limits(request, language) : compile_limits(),
    };
    slot->shape = (struct box_shape){
        .system_folders = !is_native,
        .compiles = !runs,
        .mounts = is_native ? NULL : mounts,
        .scratch_bytes = reports ? ASSIST_SCRATCH_BYTES : runs ? RUN_SCRATCH_BYTES : COMPILE_SCRATCH_BYTES,
    };
    if (compiles) {
        order->source_name = language->source_name;
        order->artefact_name = language->artefact_name;
    } else if (runs && !is_native) {
        order->source_name = language->artefact_name ? language->artefact_name : language->source_name;
    }
    if (reports) {
        order->artefact_name = REPORT_NAME;
        order->limits.file_bytes = ASSIST_FILE_BYTES;
    }
}

static int take(int *descriptor) {
    int taken = *descriptor;
    *descriptor = -1;
    return taken;
}

/// Makes the descriptors of a request the slot's own; 0, or -1 with errno.
static int take_descriptors(struct slot *slot, int *passed, int count) {
    int kit = kit_position(slot->operation);
    if (slot->order.joined) {
        slot->input = take(&passed[1]);
        slot->joined_pipe = take(&passed[2]);
    } else if (kit == 2) {
        slot->input = reopen_read_only(passed[1]);
    } else {
        slot->input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    if (count > 0) slot->program = take(&passed[0]);
    if (kit >= 0 && kit < count) slot->kit = take(&passed[kit]);
    return slot->input < 0 ? -1 : 0;
}

static struct slot *free_slot(const struct keeper *keeper) {
    for (int i = 0; i < keeper->slot_count; i++) {
        if (keeper->slots[i].state == SLOT_FREE) return &keeper->slots[i];
    }
    return NULL;
}

static void begin_request(
    struct keeper *keeper, const struct request *request, const struct language *language, int *passed,
    int passed_count) {
    struct slot *slot = free_slot(keeper);
    if (!slot) {
        answer_error(keeper, request->id, "all slots are in use");
        return;
    }
    plan_operation(slot, request, language);
    slot->operation = request->operation;
    slot->request = request->id;
    const char *step = "opening the input";
    if (take_descriptors(slot, passed, passed_count) == 0 && slot_begin(slot, &step) == 0) return;
    char detail[DETAIL_TEXT_SIZE];
    snprintf(detail, sizeof detail, "%s: %s", step, strerror(errno));
    slot_release(slot);
    answer_error(keeper, request->id, detail);
}

static void take_request(struct keeper *keeper, struct request *request, int *passed, int count) {
    request->language[LANGUAGE_ID_SIZE - 1] = 0;
    const struct language *language = language_named(request->language);
    const char *fault = NULL;
    if (!keeper->isolation.layers) {
        fault = keeper->detail;
    } else if (request->operation < OPERATION_COMPILE || request->operation > OPERATION_ASSIST_JOINED) {
        fault = "unknown operation";
    } else if (!language) {
        fault = "unknown language";
    } else {
        fault = check_descriptors(request->operation, passed, count);
    }
    if (fault) {
        answer_error(keeper, request->id, fault);
    } else {
        begin_request(keeper, request, language, passed, count);
    }
}

/// False when the server is gone.
static bool read_server(struct keeper *keeper) {
    struct request request;
    int passed[MAX_PASSED_DESCRIPTORS], count = 0;
    ssize_t size = receive_packet(keeper->server, &request, sizeof request, passed, &count);
    if (size < 0 && (errno == EAGAIN || errno == EINTR || errno == EMSGSIZE)) return true;
    if (size <= 0) return false;
    if (size == (ssize_t)sizeof request && request.magic == PROTOCOL_MAGIC) {
        take_request(keeper, &request, passed, count);
    }
    for (int i = 0; i < count; i++) close_if_open(&passed[i]);
    return true;
}

// MARK: Replies

static void finish(struct keeper *keeper, struct slot *slot) {
    struct reply reply = {.magic = PROTOCOL_MAGIC, .id = slot->request};
    slot_conclude(slot, keeper->isolation.layers, &reply);
    uint32_t layers = slot->report.layers | (slot->report.layers ? cgroups_layers() : 0);
    layers_text(layers, reply.layers, sizeof reply.layers);
    int passed[MAX_PASSED_DESCRIPTORS];
    int count = 0;
    if (slot->output.store >= 0) {
        passed[count++] = slot->output.store;
        reply.flags |= REPLY_HAS_OUTPUT;
    }
    if (slot->error.store >= 0) {
        passed[count++] = slot->error.store;
        reply.flags |= REPLY_HAS_ERROR;
    }
    for (int i = 0; i < count; i++) seal(passed[i]);
    bool has_artefact = slot->artefact >= 0 && slot->report.artefact_bytes >= 0 && reply.end == END_EXITED;
    if (has_artefact && seal(slot->artefact) == 0 &&
        sealed_size(slot->artefact) == slot->report.artefact_bytes) {
        passed[count++] = slot->artefact;
        reply.artefact_bytes = slot->report.artefact_bytes;
        reply.flags |= REPLY_HAS_ARTEFACT;
    }
    bool compiled = slot->operation == OPERATION_COMPILE && reply.end == END_EXITED && reply.exit_code == 0;
    if (compiled && !slot->order.artefact_name) reply.flags |= REPLY_SOURCE_IS_ARTEFACT;
    send_packet(keeper->server, &reply, sizeof reply, passed, count);
    slot_release(slot);
}

void keeper_serve(struct keeper *keeper) {
    struct pollfd polls[1 + MAX_SLOTS * SLOT_POLLS];
    int first[MAX_SLOTS + 1];
    for (;;) {
        int timeout = -1, count = 1;
        polls[0] = (struct pollfd){.fd = keeper->server, .events = POLLIN};
        for (int i = 0; i < keeper->slot_count; i++) {
            int due = slot_check(&keeper->slots[i]);
            if (due >= 0 && (timeout < 0 || due < timeout)) timeout = due;
            if (keeper->slots[i].state == SLOT_OVER) finish(keeper, &keeper->slots[i]);
            first[i] = count;
            count += slot_polls(&keeper->slots[i], polls + count);
        }
        first[keeper->slot_count] = count;
        if (poll(polls, (nfds_t)count, timeout) < 0 && errno != EINTR) break;
        for (int i = 0; i < keeper->slot_count; i++) {
            struct slot *slot = &keeper->slots[i];
            for (int p = first[i]; p < first[i + 1]; p++) {
                if (polls[p].revents) slot_handle(slot, &polls[p]);
            }
            if (slot->state == SLOT_OVER) finish(keeper, slot);
        }
        if (polls[0].revents && !read_server(keeper)) break;
    }
    for (int i = 0; i < keeper->slot_count; i++) slot_end(&keeper->slots[i]);
}

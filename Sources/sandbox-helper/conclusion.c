#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "slot.h"

/// What of a run is our own fault, in words; NULL when nothing is.
static const char *own_fault(const struct slot *slot, uint32_t required_layers, bool out_of_memory, char *text) {
    const struct box_report *report = &slot->report;
    bool ended_by_us = slot->reasons & (REASON_CPU | REASON_WALL | REASON_MEMORY | REASON_OUTPUT);
    bool native = !slot->order.arguments || slot->order.arguments->count == 0;
    if (slot->reasons & REASON_SETUP) return "the box was not ready in time";
    if (slot->reasons & REASON_STREAM) return "the output could not be stored";
    if (report->step != STEP_NONE && !(report->step == STEP_EXECUTE && native)) {
        snprintf(text, DETAIL_TEXT_SIZE, "%s: %s", step_name(report->step), strerror(report->error));
        return text;
    }
    // The kernel may take the warden for its guest's memory: the whole box has gone with it.
    if (!slot->reported && !ended_by_us && !out_of_memory) return "the box ended without a report";
    if ((report->layers & required_layers) != required_layers && !ended_by_us && !out_of_memory) {
        return "a protection did not take hold";
    }
    return NULL;
}

/// The order of decision when several hold: docs/decisions/0002-order-of-verdicts.md.
static enum end decide(const struct slot *slot, bool out_of_memory, const struct reply *reply) {
    const struct guest_limits *limits = &slot->order.limits;
    if ((slot->reasons & REASON_CPU) || reply->cpu_us > limits->cpu_ms * 1000) return END_CPU_TIME_LIMIT;
    if ((slot->reasons & REASON_WALL) || reply->wall_us > limits->wall_ms * 1000) return END_WALL_TIME_LIMIT;
    if (out_of_memory) return END_MEMORY_LIMIT;
    if (slot->reasons & REASON_OUTPUT) return END_OUTPUT_LIMIT;
    if (!WIFSIGNALED(slot->report.wait_status)) return END_EXITED;
    return WTERMSIG(slot->report.wait_status) == SIGSYS ? END_BLOCKED_SYSTEM_CALL : END_SIGNALLED;
}

static void drain(struct stream *stream) {
    while (stream->pipe >= 0 && stream_read(stream) == STREAM_GOES_ON) continue;
}

void slot_conclude(struct slot *slot, uint32_t required_layers, struct reply *reply) {
    const struct box_report *report = &slot->report;
    drain(&slot->output);
    drain(&slot->error);
    if (slot->output.truncated || (slot->error.truncated && slot->operation == OPERATION_COMPILE)) {
        slot->reasons |= REASON_OUTPUT;
    }
    bool was_grouped = slot->started_us != 0 || slot->reported;
    int64_t cpu = was_grouped ? cgroup_cpu_us(&slot->group) - report->warden_cpu_us : -1;
    int64_t peak = was_grouped ? cgroup_peak_bytes(&slot->group) : -1;
    // The children's own account is exact to the end of their lives, but leaves out those that nobody waited for; the
    // group counts all, and a little of what the warden does afterwards.
    reply->cpu_us = cpu > report->cpu_us + MAX_WARDEN_CPU_US ? cpu : report->cpu_us;
    reply->wall_us = slot->reported ? report->wall_us : was_grouped ? monotonic_us() - slot->started_us : 0;
    int64_t resident = report->max_resident_bytes;
    if (slot->survey_peak_bytes > resident) resident = slot->survey_peak_bytes;
    reply->memory_bytes = peak >= 0 ? peak : resident;
    // Without a group what was seen decides, where there is one the kernel's event.
    bool out_of_memory = peak >= 0 ? cgroup_oom_kills(&slot->group) > 0
                                   : resident > slot->order.limits.memory_bytes || (slot->reasons & REASON_MEMORY);
    reply->output_bytes = slot->output.bytes;
    reply->error_bytes = slot->error.bytes;
    char text[DETAIL_TEXT_SIZE];
    const char *fault = own_fault(slot, required_layers, out_of_memory, text);
    if (fault) snprintf(reply->detail, sizeof reply->detail, "%s", fault);
    reply->end = fault ? END_SANDBOX_ERROR : decide(slot, out_of_memory, reply);
    if (slot->output.truncated) reply->flags |= REPLY_OUTPUT_TRUNCATED;
    if (slot->error.truncated) reply->flags |= REPLY_ERROR_TRUNCATED;
    if (slot->reported && WIFEXITED(report->wait_status)) {
        reply->flags |= REPLY_HAS_EXIT_CODE;
        reply->exit_code = WEXITSTATUS(report->wait_status);
    } else if (slot->reported && WIFSIGNALED(report->wait_status)) {
        reply->flags |= REPLY_HAS_SIGNAL;
        reply->signal = WTERMSIG(report->wait_status);
    }
    if (report->collect_error != 0 && reply->end == END_EXITED) {
        snprintf(reply->detail, sizeof reply->detail, "the compiler left no usable file: %s",
                 strerror(report->collect_error));
    }
}

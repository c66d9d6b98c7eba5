#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "descriptors.h"
#include "keeper.h"
#include "layers.h"
#include "ceilings.h"

/// Guests' user ids: above the ranges that distributions, containers and systemd hand out; the second where
/// the machine maps only 65,536 ids. One a slot and helper, so that neither limits nor files are shared
/// between runs, and as many again for the wardens of their boxes.
static const uid_t id_ranges[] = {1900000000, 60600};
enum { HELPERS_APART = 65536, IDS_A_HELPER = 2 * MAX_SLOTS };

static uid_t base_of(uid_t range) {
    uid_t apart = range > 65535 ? (uid_t)(getpid() % HELPERS_APART) * IDS_A_HELPER : 0;
    return range + apart;
}

/// An empty network namespace for each slot: a new one for each run would be its dearest part. Nothing can be
/// left in one, because it has no interface that is up and all its sockets die with the box.
static int make_networks(struct keeper *keeper) {
    int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (own < 0) return -1;
    int result = 0;
    for (int i = 0; i < keeper->slot_count && result == 0; i++) {
        struct slot *slot = &keeper->slots[i];
        if (slot->network >= 0) continue;
        result = unshare(CLONE_NEWNET);
        if (result == 0) slot->network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (slot->network < 0) result = -1;
    }
    if (setns(own, CLONE_NEWNET) != 0) result = -1;
    close(own);
    return result;
}

/// Builds a whole box around a guest that does nothing. The layers that held, or 0 with `detail` set. A box that
/// works stays: it is of the shape that interpreters want.
static uint32_t trial(struct keeper *keeper, struct isolation isolation) {
    struct slot *slot = &keeper->slots[0];
    const char *step = "";
    slot->isolation = isolation;
    slot->operation = OPERATION_RUN;
    slot->shape = (struct box_shape){.system_folders = true, .scratch_bytes = RUN_SCRATCH_BYTES};
    slot->order = (struct run_order){
        .is_trial = true,
        .memory_is_grouped = true,
        .limits = {.cpu_ms = 5000, .wall_ms = 5000, .memory_bytes = 64 * MIB, .processes = 16,
                   .file_bytes = RUN_FILE_BYTES},
    };
    slot->input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (slot->input < 0 || slot_begin(slot, &step) != 0) {
        snprintf(keeper->detail, sizeof keeper->detail, "%s: %s", step, strerror(errno));
        slot_end(slot);
        return 0;
    }
    while (slot->state != SLOT_OVER) {
        struct pollfd polls[SLOT_POLLS];
        int due = slot_check(slot);
        int count = slot_polls(slot, polls);
        if (slot->state == SLOT_OVER) break;
        if (poll(polls, (nfds_t)count, due) < 0 && errno != EINTR) break;
        for (int i = 0; i < count; i++) {
            if (polls[i].revents) slot_handle(slot, &polls[i]);
        }
    }
    struct reply reply = {0};
    slot_conclude(slot, FLOOR_LAYERS, &reply);
    uint32_t layers = slot->report.layers;
    bool works = reply.end == END_EXITED && reply.exit_code == 0;
    if (!works) snprintf(keeper->detail, sizeof keeper->detail, "%.180s", reply.detail);
    slot_release(slot);
    if (!works) slot_end(slot);
    return works ? layers : 0;
}

static int settle_on(struct keeper *keeper, struct isolation isolation) {
    isolation.layers = trial(keeper, isolation);
    if (!isolation.layers) return -1;
    keeper->isolation = isolation;
    for (int i = 0; i < keeper->slot_count; i++) keeper->slots[i].isolation = isolation;
    return 0;
}

int isolation_find(struct keeper *keeper) {
    if (geteuid() == 0 && make_networks(keeper) == 0) {
        for (size_t i = 0; i < sizeof id_ranges / sizeof id_ranges[0]; i++) {
            struct isolation isolation = {.privileged = true, .guest_base = base_of(id_ranges[i])};
            if (settle_on(keeper, isolation) == 0) return 0;
        }
    }
    for (int i = 0; i < keeper->slot_count; i++) close_if_open(&keeper->slots[i].network);
    return settle_on(keeper, (struct isolation){.privileged = false});
}

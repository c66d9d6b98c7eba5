/// The protections around a guest. A bit is set only by the code that saw the protection take hold in this
/// very run.
#ifndef CODUEL_LAYERS_H
#define CODUEL_LAYERS_H

#include <stddef.h>
#include <stdint.h>

enum layer {
    LAYER_USER_NAMESPACE = 1u << 0,
    LAYER_PID_NAMESPACE = 1u << 1,
    LAYER_MOUNT_NAMESPACE = 1u << 2,
    LAYER_NETWORK_NAMESPACE = 1u << 3,
    LAYER_IPC_NAMESPACE = 1u << 4,
    LAYER_UTS_NAMESPACE = 1u << 5,
    LAYER_CGROUP_NAMESPACE = 1u << 6,
    LAYER_PRIVATE_ROOT = 1u << 7,
    LAYER_PRIVATE_PROC = 1u << 8,
    LAYER_SEPARATE_UID = 1u << 9,
    LAYER_NO_CAPABILITIES = 1u << 10,
    LAYER_NO_NEW_PRIVILEGES = 1u << 11,
    LAYER_SECCOMP = 1u << 12,
    LAYER_RLIMITS = 1u << 13,
    LAYER_CGROUP_MEMORY_V1 = 1u << 14,
    LAYER_CGROUP_MEMORY_V2 = 1u << 15,
    LAYER_CGROUP_PIDS_V1 = 1u << 16,
    LAYER_CGROUP_PIDS_V2 = 1u << 17,
    LAYER_CGROUP_CPU_V1 = 1u << 18,
    LAYER_CGROUP_CPU_V2 = 1u << 19,
};

#define ALL_LAYERS ((1u << 20) - 1)

/// Without these there is no box at all, and nothing is run.
#define FLOOR_LAYERS                                                                                       \
    (LAYER_PID_NAMESPACE | LAYER_MOUNT_NAMESPACE | LAYER_NETWORK_NAMESPACE | LAYER_IPC_NAMESPACE |         \
     LAYER_PRIVATE_ROOT | LAYER_NO_CAPABILITIES | LAYER_NO_NEW_PRIVILEGES | LAYER_SECCOMP | LAYER_RLIMITS)

/// Writes the names of the set bits, comma-separated.
void layers_text(uint32_t layers, char *text, size_t size);

#endif

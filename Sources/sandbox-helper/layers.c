#include "layers.h"

#include <string.h>

static const char *const names[] = {
    "user-namespace",    "pid-namespace",    "mount-namespace",  "network-namespace", "ipc-namespace",
    "uts-namespace",     "cgroup-namespace", "private-root",     "private-proc",      "separate-uid",
    "no-capabilities",   "no-new-privileges", "seccomp",         "rlimits",           "cgroup-memory-v1",
    "cgroup-memory-v2",  "cgroup-pids-v1",   "cgroup-pids-v2",   "cgroup-cpu-v1",     "cgroup-cpu-v2",
};

void layers_text(uint32_t layers, char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (size_t bit = 0; bit < sizeof(names) / sizeof(names[0]); bit++) {
        if (!(layers & (1u << bit))) continue;
        size_t length = strlen(names[bit]);
        if (used + length + 2 > size) return;
        if (used) text[used++] = ',';
        memcpy(text + used, names[bit], length + 1);
        used += length;
    }
}

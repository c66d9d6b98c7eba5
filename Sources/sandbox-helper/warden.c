#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "box.h"
#include "layers.h"
#include "seccomp_filter.h"

enum { HIGHEST_CAPABILITY = 63 };

/// What the warden does for its guests: gives them their folders and their id, ends them, takes away what they left.
static const unsigned warden_capabilities = (1u << CAP_KILL) | (1u << CAP_DAC_OVERRIDE) | (1u << CAP_CHOWN) |
                                            (1u << CAP_FOWNER) | (1u << CAP_SETUID) | (1u << CAP_SETGID);

static int drop_bounding_set(void) {
    for (int capability = 0; capability <= HIGHEST_CAPABILITY; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
        return errno == EINVAL && capability > 0 ? 0 : -1;
    }
    return 0;
}

static int limit_capabilities(unsigned kept) {
    const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                               SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    memset(data, 0, sizeof data);
    data[0].effective = data[0].permitted = kept;
    if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0 || drop_bounding_set() != 0) return -1;
    return (int)syscall(SYS_capset, &header, data);
}

bool has_no_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct held[2];
    if (syscall(SYS_capget, &header, held) != 0) return false;
    uint32_t all = held[0].effective | held[0].permitted | held[1].effective | held[1].permitted;
    return all == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0;
}

int warden_enter(const struct box_plan *plan, uint32_t *layers, int *step) {
    *step = STEP_IDENTITY;
    if (*layers & LAYER_USER_NAMESPACE && plan->privileged) {
        // Root in here is `warden_id` outside, an id that owns nothing; the root of the machine has no name here.
        if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) return -1;
    }
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    // Changing ids has cleared it.
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    *step = STEP_CAPABILITIES;
    if (limit_capabilities(warden_capabilities) != 0) return -1;
    *step = STEP_FILTER;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return seccomp_filter_load();
}

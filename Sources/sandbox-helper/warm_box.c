#define _GNU_SOURCE
#include "warm_box.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ceilings.h"
#include "descriptors.h"

void warm_box_initialise(struct warm_box *box) {
    *box = (struct warm_box){.state = BOX_IS_ABSENT, .pid = -1, .handle = -1, .control = -1};
}

bool same_shape(const struct box_shape *a, const struct box_shape *b) {
    return a->system_folders == b->system_folders && a->compiles == b->compiles && a->mounts == b->mounts &&
           a->scratch_bytes == b->scratch_bytes;
}

// MARK: The user namespace

static int write_map(pid_t pid, const char *file, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    int map = open(path, O_WRONLY | O_CLOEXEC);
    if (map < 0) return -1;
    // A map is taken whole or not at all.
    ssize_t written = write(map, text, strlen(text));
    int error = errno;
    close(map);
    errno = error;
    return written == (ssize_t)strlen(text) ? 0 : -1;
}

static int go(const struct warm_box *box) {
    uint32_t message = KEEPER_GO;
    return send_packet(box->control, &message, sizeof message, NULL, 0);
}

static int write_maps(const struct warm_box *box, const char *users, const char *groups) {
    if (write_map(box->pid, "setgroups", "deny") != 0 || write_map(box->pid, "uid_map", users) != 0 ||
        write_map(box->pid, "gid_map", groups) != 0) {
        return -1;
    }
    return go(box);
}

/// Two ids: root, which is the warden's outside, and the guests' own.
int warm_box_map(const struct warm_box *box) {
    char map[96];
    snprintf(map, sizeof map, "0 %u 1\n%u %u 1\n", box->warden_id, box->guest_id, box->guest_id);
    return write_maps(box, map, map);
}

/// Without privileges the box's user namespace knows one id: the helper's own.
static int map_own_identity(const struct warm_box *box) {
    char users[64], groups[64];
    snprintf(users, sizeof users, "%u %u 1", geteuid(), geteuid());
    snprintf(groups, sizeof groups, "%u %u 1", getegid(), getegid());
    return write_maps(box, users, groups);
}

// MARK: Life

static int clone_box(struct warm_box *box, const struct box_plan *plan) {
    uint64_t flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD;
    if (!plan->privileged) flags |= CLONE_NEWUSER;
    if (plan->network < 0) flags |= CLONE_NEWNET;
    struct clone_args arguments = {
        .flags = flags, .pidfd = (uint64_t)(uintptr_t)&box->handle, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) box_main(plan);
    if (pid < 0) return -1;
    box->pid = (pid_t)pid;
    return 0;
}

int warm_box_start(struct warm_box *box, struct box_plan *plan, const char **step) {
    int control[2];
    *step = "opening the control socket";
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0) return -1;
    box->control = control[0];
    plan->control = control[1];
    box->shape = plan->shape;
    box->guest_id = plan->guest_id;
    box->warden_id = plan->warden_id;
    *step = "creating the namespaces";
    int result = clone_box(box, plan);
    if (result == 0 && !plan->privileged) {
        *step = "mapping the user";
        result = map_own_identity(box);
    }
    int error = errno;
    close(control[1]);
    if (result != 0) warm_box_end(box);
    errno = error;
    if (result != 0) return -1;
    box->state = BOX_IS_BUILDING;
    box->deadline_us = monotonic_us() + SETUP_TIMEOUT_MS * 1000ll;
    return 0;
}

void warm_box_end(struct warm_box *box) {
    if (box->pid > 0) {
        kill(box->pid, SIGKILL);
        while (waitpid(box->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    close_if_open(&box->handle);
    close_if_open(&box->control);
    warm_box_initialise(box);
}

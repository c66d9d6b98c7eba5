// Speaks to sandbox-helper as the server does: starts one, compiles C in it, runs what came out.
#ifndef HELPER_CLIENT_H
#define HELPER_CLIENT_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol.h"

enum { MAX_FILES = 3, ANY_CORE = -1 };

static void fail(const char *what) {
    fprintf(stderr, "sandbox: %s: %s\n", what, strerror(errno));
    exit(1);
}

/// Keeps this process, and what it starts from now on, on one core.
static void stay_on(int core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    if (core != ANY_CORE && sched_setaffinity(0, sizeof cores, &cores) != 0) fail("sched_setaffinity");
}

static int helper_socket;
static pid_t helper;

static int sealed(const char *bytes, size_t size) {
    int file = memfd_create("input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size) fail("memfd");
    if (fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) fail("seal");
    return file;
}

/// One language, as `Sources/Sandbox/Languages.swift` writes it: C.
static int language_table(void) {
    static const char table[] =
        "1\0c\0main.c\0main\0address-space\0" "64\0"
        "6\0/usr/bin/gcc\0-O2\0-static\0-o\0main\0main.c\0"
        "0\0" "2\0/usr/bin/gcc\0--version\0" "0\0" "0";
    return sealed(table, sizeof table);
}

/// Starts one, with all its boxes on one core or anywhere; the layers that it found.
static struct hello start_helper(const char *path, int core) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) fail("socketpair");
    int table = language_table();
    helper = fork();
    if (helper == 0) {
        stay_on(core);
        // Out of each other's way first.
        int socket = fcntl(ends[1], F_DUPFD, 20), languages = fcntl(table, F_DUPFD, 20);
        dup2(socket, 3);
        dup2(languages, 4);
        execl(path, path, "1", NULL);
        _exit(127);
    }
    close(ends[1]);
    close(table);
    helper_socket = ends[0];
    struct hello hello;
    if (recv(helper_socket, &hello, sizeof hello, 0) != sizeof hello || !hello.usable) fail("the helper");
    return hello;
}

static void stop_helper(void) {
    close(helper_socket);
    waitpid(helper, NULL, 0);
}

struct limits {
    int64_t cpu_ms, memory_bytes, output_bytes;
};
static const struct limits usual = {10000, 256 << 20, 1 << 20};

/// Asks and waits; `*kept` is the last descriptor that came, if it is wanted.
static struct reply ask(uint32_t operation, const int *files, int count, const struct limits *limits, int *kept) {
    static uint64_t id;
    struct request request = {
        .magic = PROTOCOL_MAGIC, .operation = operation, .id = ++id, .language = "c", .cpu_ms = limits->cpu_ms,
        .wall_ms = 30000, .memory_bytes = limits->memory_bytes, .output_bytes = limits->output_bytes,
        .error_bytes = 1 << 16, .processes = 16};
    char control[CMSG_SPACE(sizeof(int) * MAX_FILES)] = {0};
    struct reply reply;
    struct iovec part = {&request, sizeof request};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
        .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
    memcpy(CMSG_DATA(header), files, sizeof(int) * (size_t)count);
    if (sendmsg(helper_socket, &message, 0) != sizeof request) fail("sendmsg");
    part = (struct iovec){&reply, sizeof reply};
    message.msg_controllen = sizeof control;
    if (recvmsg(helper_socket, &message, MSG_CMSG_CLOEXEC) != sizeof reply) fail("recvmsg");
    int last = -1;
    header = CMSG_FIRSTHDR(&message);
    int passed = header ? (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;
    for (int i = 0; i < passed; i++) {
        if (last >= 0) close(last);
        memcpy(&last, CMSG_DATA(header) + sizeof(int) * (size_t)i, sizeof last);
    }
    if (kept) {
        *kept = last;
    } else if (last >= 0) {
        close(last);
    }
    return reply;
}

static int compile(const char *source) {
    int file = sealed(source, strlen(source)), artefact = -1;
    struct reply reply = ask(OPERATION_COMPILE, &file, 1, &usual, &artefact);
    close(file);
    if (!(reply.flags & REPLY_HAS_ARTEFACT)) fail("compiling");
    return artefact;
}

static struct reply run(int artefact, const char *input, const struct limits *limits) {
    int files[] = {artefact, sealed(input, strlen(input))};
    struct reply reply = ask(OPERATION_RUN, files, 2, limits, NULL);
    close(files[1]);
    if (reply.end == END_SANDBOX_ERROR) fail(reply.detail);
    return reply;
}

#endif

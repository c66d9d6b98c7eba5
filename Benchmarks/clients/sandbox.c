// Speaks to sandbox-helper as the server does, and takes the time next to starting the same program without it.
//
//   sandbox HELPER ROUNDS [BWRAP]      one JSON object; needs gcc where guests find it (/usr/bin/gcc)
//
// All ways take turns. Wall time is from the call to the end; CPU time is what the kernel (bare) or the helper says.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "protocol.h"

enum { MAX_ROUNDS = 5000, MAX_FILES = 3 };

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void fail(const char *what) {
    fprintf(stderr, "sandbox: %s: %s\n", what, strerror(errno));
    exit(1);
}

// MARK: The helper

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

static void start_helper(const char *path) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) fail("socketpair");
    int table = language_table();
    helper = fork();
    if (helper == 0) {
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
    printf("\"layers\": \"%s\"", hello.layers);
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

// MARK: Without it

static char child_stack[65536] __attribute__((aligned(16)));

struct bare {
    int file;
    int input;
    char **arguments;
};

static int become(void *context) {
    struct bare *bare = context;
    char *none[] = {NULL}, *name[] = {"main", NULL};
    if (bare->input >= 0) dup2(bare->input, 0);
    if (bare->arguments) execve(bare->arguments[0], bare->arguments, none);
    else syscall(SYS_execveat, bare->file, "", name, none, AT_EMPTY_PATH);
    _exit(127);
}

/// vfork and exec, or a command; its CPU time in µs.
static double start_bare(struct bare bare) {
    int status;
    struct rusage used;
    pid_t child = clone(become, child_stack + sizeof child_stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &bare);
    if (child < 0 || wait4(child, &status, 0, &used) != child || status != 0) fail("a bare program");
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + (double)used.ru_utime.tv_usec +
           (double)used.ru_stime.tv_usec;
}

// MARK: Figures

static void print_row(const char *name, const double *values, int count) {
    printf(",\n\"%s\": [", name);
    for (int i = 0; i < count; i++) printf("%s%.0f", i ? "," : "", values[i]);
    printf("]");
}

/// How many boxes stand by; with `end` they are killed.
static int boxes(bool end) {
    char path[64], text[4096] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", helper, helper);
    FILE *file = fopen(path, "r");
    if (!file) fail("the helper's children");
    if (!fgets(text, sizeof text, file)) text[0] = 0;
    fclose(file);
    int count = 0;
    char *next = text;
    for (long pid; (pid = strtol(next, &next, 10)) > 0;) {
        char name[32] = "";
        snprintf(path, sizeof path, "/proc/%ld/comm", pid);
        FILE *comm = fopen(path, "r");
        bool is_box = comm && fgets(name, sizeof name, comm) && strcmp(name, "box\n") == 0;
        if (comm) fclose(comm);
        if (is_box) count++;
        if (is_box && end) kill((pid_t)pid, SIGKILL);
    }
    return count;
}

/// Ends the boxes that stand by, so that the next run finds none. Without a pause the kernel's last move of a process
/// between groups is a moment ago, which makes the next one cheap.
static void end_boxes(int pause_us) {
    // Gone means that the helper has noticed; one that was still being cleared is built anew, and goes again.
    while (boxes(true) > 0) usleep(2000);
    usleep((useconds_t)pause_us);
}

static void measure_overhead(int rounds, const char *bwrap) {
    static double bare[MAX_ROUNDS], warm[MAX_ROUNDS], cold[MAX_ROUNDS], rested[MAX_ROUNDS], other[MAX_ROUNDS];
    int zero = compile("int main(void) { return 0; }");
    char program[] = "/tmp/coduel-zero-XXXXXX", text[64];
    int copy = mkstemp(program), others = 0, colds = 0;
    static char bytes[1 << 20];
    ssize_t size = pread(zero, bytes, sizeof bytes, 0);
    if (size <= 0 || write(copy, bytes, (size_t)size) != size || fchmod(copy, 0755) != 0) fail(program);
    close(copy);
    snprintf(text, sizeof text, "%s", program);
    char *command[] = {
        (char *)bwrap, "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin",
        "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev",
        "--tmpfs", "/tmp", "--ro-bind", program, "/program", "--chdir", "/tmp", "/program", NULL};
    for (int i = -10; i < rounds; i++) {
        int at = i < 0 ? 0 : i;
        double begin = now_us();
        start_bare((struct bare){.file = zero, .input = -1});
        bare[at] = now_us() - begin;
        begin = now_us();
        run(zero, "", &usual);
        warm[at] = now_us() - begin;
        if (bwrap) {
            begin = now_us();
            start_bare((struct bare){.input = -1, .arguments = command});
            other[at] = now_us() - begin;
            others = rounds;
        }
        if (i < 0 || i % 10) continue;
        for (int k = 0; k < 4; k++) {
            end_boxes(k == 0 ? 100000 : 500);
            begin = now_us();
            run(zero, "", &usual);
            if (k == 0) rested[colds / 3] = now_us() - begin;
            else cold[colds++] = now_us() - begin;
        }
    }
    unlink(program);
    print_row("bare_us", bare, rounds);
    print_row("warm_us", warm, rounds);
    print_row("cold_us", cold, colds);
    print_row("cold_rested_us", rested, colds / 3);
    print_row("bwrap_us", other, others);
}

static void measure_time(int rounds) {
    static double bare[MAX_ROUNDS], boxed[MAX_ROUNDS];
    int loop = compile(
        "int main(void) { volatile unsigned sum = 0; for (unsigned i = 0; i < 30000000u; i++) sum += i; return 0; }");
    for (int i = -3; i < rounds; i++) {
        int at = i < 0 ? 0 : i;
        bare[at] = start_bare((struct bare){.file = loop, .input = -1});
        boxed[at] = (double)run(loop, "", &usual).cpu_us;
    }
    print_row("loop_bare_cpu_us", bare, rounds);
    print_row("loop_boxed_cpu_us", boxed, rounds);
}

/// Peaks of programs that touch so many MiB, beyond that of one that touches none.
static void measure_memory(void) {
    static const int sizes[] = {0, 1, 2, 5, 10, 20, 50, 100, 150, 200};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    double peaks[SIZES];
    int touch = compile(
        "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
        "int main(void) { unsigned long size; if (scanf(\"%lu\", &size) != 1) return 1;\n"
        "char *block = malloc((size << 20) + 1); memset(block, 1, (size << 20) + 1); return block[size << 19] != 1; }");
    for (int i = 0; i < SIZES; i++) {
        char input[16];
        snprintf(input, sizeof input, "%d", sizes[i]);
        run(touch, input, &usual);
        peaks[i] = (double)run(touch, input, &usual).memory_bytes;
    }
    printf(",\n\"memory_mib\": [");
    for (int i = 0; i < SIZES; i++) printf("%s%d", i ? "," : "", sizes[i]);
    printf("]");
    print_row("memory_peak_bytes", peaks, SIZES);
}

/// Bytes kept, and whether the run was ended, around the limit.
static void measure_output(void) {
    int writer = compile(
        "#include <stdio.h>\nint main(void) { unsigned long size; if (scanf(\"%lu\", &size) != 1) return 1;\n"
        "while (size--) putchar('x'); return 0; }");
    static const int64_t limits[] = {1, 100, 4096, 65536, 65537, 1000000};
    printf(",\n\"output\": [");
    for (int i = 0; i < 6; i++) {
        for (int extra = -1; extra <= 1; extra++) {
            char input[32];
            struct limits limit = usual;
            limit.output_bytes = limits[i];
            snprintf(input, sizeof input, "%lld", (long long)limits[i] + extra);
            struct reply reply = run(writer, input, &limit);
            printf("%s[%lld,%lld,%lld,%s]", i || extra > -1 ? "," : "", (long long)limits[i],
                   (long long)limits[i] + extra, (long long)reply.output_bytes,
                   reply.end == END_OUTPUT_LIMIT ? "true" : "false");
        }
    }
    printf("]");
}

int main(int count, char **arguments) {
    int rounds = count > 2 ? atoi(arguments[2]) : 0;
    if (rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: sandbox HELPER ROUNDS [BWRAP]\n");
        return 2;
    }
    printf("{");
    start_helper(arguments[1]);
    measure_overhead(rounds, count > 3 ? arguments[3] : NULL);
    measure_time(rounds);
    measure_memory();
    measure_output();
    printf("}\n");
    close(helper_socket);
    waitpid(helper, NULL, 0);
    return 0;
}

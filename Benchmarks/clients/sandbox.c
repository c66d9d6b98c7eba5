// Takes the time of a box next to starting the same program without one, and how exactly a box measures and limits.
//
//   sandbox HELPER ROUNDS ITERATIONS NEIGHBOUR [BWRAP]     one JSON object; needs gcc where guests find it (/usr/bin/gcc)
//
// All ways take turns. Wall time is from the call to the end; CPU time is what the kernel (bare) or the helper says.
// With NEIGHBOUR 1 exactness is measured on the first core while a second helper judges on the next one.
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
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper_client.h"

enum { MAX_ROUNDS = 5000 };

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
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

#include "sandbox_exactness.h"

int main(int count, char **arguments) {
    int rounds = count > 4 ? atoi(arguments[2]) : 0;
    long iterations = count > 4 ? atol(arguments[3]) : 0;
    if (rounds < 1 || rounds > MAX_ROUNDS || iterations < 1 || iterations > MAX_ITERATIONS) {
        fprintf(stderr, "usage: sandbox HELPER ROUNDS ITERATIONS NEIGHBOUR [BWRAP]\n");
        return 2;
    }
    struct hello hello = start_helper(arguments[1], ANY_CORE);
    printf("{\"layers\": \"%s\"", hello.layers);
    measure_overhead(rounds, count > 5 ? arguments[5] : NULL);
    stop_helper();

    bool is_beside = strcmp(arguments[4], "1") == 0;
    struct neighbour neighbour = {.process = -1};
    if (is_beside) {
        neighbour = start_neighbour(arguments[1]);
        stay_on(FIRST_CORE);
    }
    start_helper(arguments[1], is_beside ? FIRST_CORE : ANY_CORE);
    long before = runs_of(&neighbour);
    double begin = now_us();
    measure_time(rounds, iterations);
    double seconds = (now_us() - begin) / 1e6;
    printf(",\n\"neighbour_runs_per_s\": %.1f", (double)(runs_of(&neighbour) - before) / seconds);
    measure_memory();
    measure_output();
    printf("}\n");
    stop_helper();
    stop_neighbour(&neighbour);
    return 0;
}

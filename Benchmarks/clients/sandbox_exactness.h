// How exactly boxes measure and limit: CPU time, memory, output; and a second judge that works beside. Part of sandbox.c.

enum {
    MAX_ITERATIONS = 2000000000,
    FIRST_CORE = 0,
    SECOND_CORE = 1,
    NEIGHBOUR_START_US = 300000,
    MEMORY_REPEATS = 5,
};

// MARK: The second judge

struct neighbour {
    pid_t process;
    volatile long *runs;  // shared with it
};

/// Judges without end on the second core: a loop that needs the processor, and one that needs memory, in turns.
static struct neighbour start_neighbour(const char *path) {
    struct neighbour neighbour = {
        .runs = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)};
    if (neighbour.runs == MAP_FAILED) fail("mmap");
    fflush(stdout);
    neighbour.process = fork();
    if (neighbour.process < 0) fail("fork");
    if (neighbour.process > 0) {
        while (*neighbour.runs < 2) {
            if (waitpid(neighbour.process, NULL, WNOHANG) != 0) fail("the second judge ended");
            usleep(1000);
        }
        usleep(NEIGHBOUR_START_US);
        return neighbour;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    stay_on(SECOND_CORE);
    start_helper(path, SECOND_CORE);
    int loop = compile(
        "int main(void) { volatile unsigned sum = 0; for (unsigned i = 0; i < 100000000u; i++) sum += i; return 0; }");
    int memory = compile(
        "#include <stdlib.h>\n#include <string.h>\nint main(void) { char *block = malloc(64 << 20);\n"
        "for (int i = 0; i < 8; i++) memset(block, i, 64 << 20); return block[1 << 20] != 7; }");
    for (;;) {
        run(*neighbour.runs % 2 ? loop : memory, "", &usual);
        ++*neighbour.runs;
    }
}

static long runs_of(const struct neighbour *neighbour) {
    return neighbour->process > 0 ? *neighbour->runs : 0;
}

/// Its helper ends by itself once its socket is closed.
static void stop_neighbour(const struct neighbour *neighbour) {
    if (neighbour->process < 0) return;
    kill(neighbour->process, SIGKILL);
    waitpid(neighbour->process, NULL, 0);
}

// MARK: CPU time

/// The same loop bare and boxed, in turns, each as often the first of a turn.
static void measure_time(int rounds, long iterations) {
    static double bare[MAX_ROUNDS], boxed[MAX_ROUNDS];
    char source[256];
    snprintf(
        source, sizeof source,
        "int main(void) { volatile unsigned sum = 0; for (unsigned i = 0; i < %ldu; i++) sum += i; return 0; }",
        iterations);
    int loop = compile(source);
    for (int i = -4; i < rounds; i++) {
        int at = i < 0 ? 0 : i;
        if (i % 2 == 0) bare[at] = start_bare((struct bare){.file = loop, .input = -1});
        boxed[at] = (double)run(loop, "", &usual).cpu_us;
        if (i % 2 != 0) bare[at] = start_bare((struct bare){.file = loop, .input = -1});
    }
    print_row("loop_bare_cpu_us", bare, rounds);
    print_row("loop_boxed_cpu_us", boxed, rounds);
}

// MARK: Memory

/// Reads how many MiB to hold, and how: `block`, by `processes` (two that hold a half each at the same time), or as a
/// `file` in the working folder.
static const char allocating[] =
    "#include <fcntl.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <sys/wait.h>\n"
    "#include <unistd.h>\n"
    "static int hold(unsigned long bytes) { char *block = malloc(bytes + 1); if (!block) return 1;\n"
    "  memset(block, 1, bytes + 1); return block[bytes / 2] != 1; }\n"
    "static int processes(unsigned long bytes) {\n"
    "  int full[2], go[2]; char one; if (pipe(full) || pipe(go)) return 1;\n"
    "  for (int i = 0; i < 2; i++) if (fork() == 0) { close(go[1]); int bad = hold(bytes / 2);\n"
    "    if (write(full[1], \"x\", 1) != 1 || read(go[0], &one, 1) != 0) bad = 1; _exit(bad); }\n"
    "  for (int i = 0; i < 2; i++) if (read(full[0], &one, 1) != 1) return 1;\n"
    "  close(go[1]); int bad = 0, status;\n"
    "  for (int i = 0; i < 2; i++) if (wait(&status) < 0 || status) bad = 1;\n"
    "  return bad; }\n"
    "static int file(unsigned long bytes) { static char part[1 << 16]; memset(part, 1, sizeof part);\n"
    "  int file = open(\"held\", O_CREAT | O_WRONLY, 0600); if (file < 0) return 2;\n"
    "  for (unsigned long at = 0; at < bytes; at += sizeof part)\n"
    "    if (write(file, part, sizeof part) != (long)sizeof part) return 3;\n"
    "  return 0; }\n"
    "int main(void) { unsigned long size; char way[16]; if (scanf(\"%lu %15s\", &size, way) != 2) return 1;\n"
    "  size <<= 20; return way[0] == 'b' ? hold(size) : way[0] == 'p' ? processes(size) : file(size); }\n";

/// Peaks of programs that hold so many MiB, each after one of the same way that holds none: `[way, MiB, peak of
/// none, peak]`, in bytes.
static void measure_memory(void) {
    static const int sizes[] = {1, 2, 5, 10, 20, 50, 100, 150, 200};
    static const char *const ways[] = {"block", "processes", "file"};
    static const int largest[] = {200, 200, 20};
    enum { SIZES = sizeof sizes / sizeof sizes[0], WAYS = sizeof ways / sizeof ways[0] };
    int program = compile(allocating);
    printf(",\n\"memory\": [");
    bool is_first = true;
    for (int repeat = 0; repeat < MEMORY_REPEATS; repeat++) {
        for (int way = 0; way < WAYS; way++) {
            for (int i = 0; i < SIZES && sizes[i] <= largest[way]; i++) {
                double peaks[2];
                for (int full = 0; full < 2; full++) {
                    char input[32];
                    snprintf(input, sizeof input, "%d %s", full ? sizes[i] : 0, ways[way]);
                    struct reply reply = run(program, input, &usual);
                    if (reply.end != END_EXITED || reply.exit_code != 0) {
                        fprintf(stderr, "sandbox: holding %s: end %u, exit code %d\n", input, reply.end, reply.exit_code);
                        exit(1);
                    }
                    peaks[full] = (double)reply.memory_bytes;
                }
                printf("%s[\"%s\",%d,%.0f,%.0f]", is_first ? "" : ",", ways[way], sizes[i], peaks[0], peaks[1]);
                is_first = false;
            }
        }
    }
    printf("]");
}

// MARK: Output

/// Bytes kept, and whether the run was ended, around the limit: `[limit, written, kept, was ended]`. Written byte by
/// byte through a buffer, and all with one call.
static void measure_output(void) {
    int writer = compile(
        "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n"
        "int main(void) { unsigned long size; char way[8]; if (scanf(\"%lu %7s\", &size, way) != 2) return 1;\n"
        "if (way[0] == 'b') { while (size--) putchar('x'); return 0; }\n"
        "char *block = malloc(size + 1); memset(block, 'x', size + 1);\n"
        "for (unsigned long at = 0; at < size;) { long done = write(1, block + at, size - at);\n"
        "  if (done <= 0) return 1; at += done; }\n"
        "return 0; }");
    static const int64_t limits[] = {1, 100, 4095, 4096, 65536, 65537, 1000000, 16 << 20};
    static const char *const ways[] = {"buffer", "once"};
    enum { COUNT = sizeof limits / sizeof limits[0] };
    bool is_first = true;
    printf(",\n\"output\": [");
    for (int i = 0; i < COUNT; i++) {
        for (int extra = -1; extra <= 1; extra++) {
            for (int way = 0; way < 2; way++) {
                char input[32];
                struct limits limit = usual;
                limit.output_bytes = limits[i];
                snprintf(input, sizeof input, "%lld %s", (long long)limits[i] + extra, ways[way]);
                struct reply reply = run(writer, input, &limit);
                printf("%s[%lld,%lld,%lld,%s]", is_first ? "" : ",", (long long)limits[i], (long long)limits[i] + extra,
                       (long long)reply.output_bytes, reply.end == END_OUTPUT_LIMIT ? "true" : "false");
                is_first = false;
            }
        }
    }
    printf("]");
}

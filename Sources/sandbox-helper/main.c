/// sandbox-helper: started by the server with one end of a SOCK_SEQPACKET socketpair as descriptor 3, the language
/// table as descriptor 4 and the number of slots as its argument. It alone keeps the privileges that building a box
/// needs; once it has said hello it takes no path and no argument vector from anyone. It ends when the server closes
/// its end.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.h"
#include "janitor.h"
#include "keeper.h"
#include "languages.h"
#include "layers.h"
#include "ceilings.h"
#include "protocol.h"
#include "seccomp_filter.h"

enum { SERVER_DESCRIPTOR = 3, LANGUAGES_DESCRIPTOR = 4, EXIT_USAGE = 2, EXIT_UNUSABLE = 3 };

static int is_packet_socket(int descriptor) {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

static int prepare_process(void) {
    int kept[] = {SERVER_DESCRIPTOR, LANGUAGES_DESCRIPTOR};
    struct rlimit files;
    signal(SIGPIPE, SIG_IGN);
    if (chdir("/") != 0 || close_all_except(kept, 2) != 0) return -1;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    // Threads of the server's dispatch queues have priorities of their own, and one of them may have started this.
    if (getpriority(PRIO_PROCESS, 0) < 0) setpriority(PRIO_PROCESS, 0, 0);
    prctl(PR_SET_NAME, "sandbox-helper", 0, 0, 0);
    return 0;
}

static int say_hello(const struct keeper *keeper) {
    struct hello hello = {.magic = PROTOCOL_MAGIC, .slots = (uint32_t)keeper->slot_count};
    uint32_t layers = keeper->isolation.layers;
    hello.usable = layers != 0;
    if (layers) layers |= cgroups_layers();
    layers_text(layers, hello.layers, sizeof hello.layers);
    layers_text(ALL_LAYERS, hello.all_layers, sizeof hello.all_layers);
    languages_text(hello.languages, sizeof hello.languages);
    if (!layers) memcpy(hello.detail, keeper->detail, sizeof hello.detail);
    return send_packet(keeper->server, &hello, sizeof hello, NULL, 0);
}

int main(int argument_count, char **arguments) {
    static struct slot slots[MAX_SLOTS];
    int slot_count = argument_count == 2 ? atoi(arguments[1]) : 0;
    if (slot_count < 1 || slot_count > MAX_SLOTS || !is_packet_socket(SERVER_DESCRIPTOR)) {
        fprintf(stderr, "sandbox-helper is started by coduel; it has no use of its own\n");
        return EXIT_USAGE;
    }
    struct keeper keeper = {.server = SERVER_DESCRIPTOR, .slot_count = slot_count, .slots = slots};
    for (int i = 0; i < slot_count; i++) slot_initialise(&slots[i], i);
    if (prepare_process() != 0) {
        fprintf(stderr, "sandbox-helper: %s\n", strerror(errno));
        return EXIT_UNUSABLE;
    }
    if (languages_read(LANGUAGES_DESCRIPTOR) != 0) {
        fprintf(stderr, "sandbox-helper: the language table cannot be read\n");
        return EXIT_UNUSABLE;
    }
    close(LANGUAGES_DESCRIPTOR);
    cgroups_open();
    if (seccomp_filter_build(cgroups_limit_memory()) != 0 || janitor_start() != 0) {
        fprintf(stderr, "sandbox-helper: %s\n", strerror(errno));
        cgroups_remove_all();
        return EXIT_UNUSABLE;
    }
    isolation_find(&keeper);
    if (say_hello(&keeper) == 0) keeper_serve(&keeper);
    janitor_finish();
    return 0;
}

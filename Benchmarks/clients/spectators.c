// Many readers and a few writers of one Yjs document over WebSocket; how long an edit takes to reach them.
//
//   cc -O2 -o spectators spectators.c
//   ./spectators --port 8080 --pid SERVER < sockets
//
// Standard input has a line a socket: `w PATH` writes and reads, `r PATH` only reads; PATH holds the token's
// query. Writers type one character an edit, each a run of its own, evenly apart, into the file of the room or,
// in an empty document, into the root text `text`. One thread, epoll, 127.0.0.1 only. Prints one JSON object;
// exit status 1 where an edit did not arrive.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "yjs_bytes.h"

enum {
    MAX_SOCKETS = 20000,
    MAX_WRITERS = 64,
    MAX_EDITS = 100000,
    MAX_SECONDS = 300,
    MAX_PATH = 2048,
    IN_BYTES = 1 << 18,
    JOINS_AT_ONCE = 64,
    JOIN_SECONDS = 60,
};

typedef struct {
    int fd;
    int writer;  // index, or -1
    enum { WAITING, CONNECTING, UPGRADING, OPEN, CLOSED } state;
    bool joined;
    uint64_t began;
    char *path;
    uint8_t *kept;  // the beginning of a frame whose rest has not arrived
    size_t kept_bytes;
} Socket;

typedef struct {
    Socket *socket;
    uint64_t client;
    uint32_t edits;
    uint64_t due;
    uint64_t sent_at[MAX_EDITS];
    uint32_t awaited[MAX_EDITS];  // sockets that have not got it yet, the writer among them
} Writer;

typedef struct {
    double *ms;
    size_t count, room;
} Samples;

static Socket sockets[MAX_SOCKETS];
static int socket_count, joined_count, joining_count, closed_count, reader_count;
static Writer *writers[MAX_WRITERS];
static int writer_count;
static Samples joins, deliveries, echoes, complete;
static uint64_t messages, duplicates, unreadable;
static bool is_measuring;
static bool has_file;  // the document's first struct is the room's file
static uint64_t file_client, file_clock;
static int poller, port;

static void fail(const char *what) {
    fprintf(stderr, "spectators: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(2);
}

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void note(Samples *samples, uint64_t from, uint64_t to) {
    if (samples->count == samples->room) {
        samples->room = samples->room ? samples->room * 2 : 4096;
        samples->ms = realloc(samples->ms, samples->room * sizeof(double));
        if (!samples->ms) fail("memory");
    }
    samples->ms[samples->count++] = (double)(to - from) / 1e6;
}

// MARK: Edits

// A socket got edits `from` to `to` of a client.
static void arrived(Socket *socket, uint64_t client, uint64_t from, uint64_t to, uint64_t at) {
    for (int index = 0; index < writer_count; index++) {
        Writer *writer = writers[index];
        if (writer->client != client) continue;
        for (uint64_t edit = from; edit < to && edit < writer->edits; edit++) {
            if (writer->awaited[edit] == 0) {
                duplicates++;
                continue;
            }
            bool is_echo = writer->socket == socket;
            if (is_measuring) note(is_echo ? &echoes : &deliveries, writer->sent_at[edit], at);
            if (--writer->awaited[edit] == 0 && is_measuring) note(&complete, writer->sent_at[edit], at);
        }
    }
}

static void read_update(Socket *socket, Reader *reader, uint64_t at) {
    uint64_t sections = read_number(reader);
    for (uint64_t section = 0; section < sections && !reader->is_bad; section++) {
        uint64_t structs = read_number(reader), client = read_number(reader), clock = read_number(reader);
        if (section == 0 && !has_file && !socket->joined && structs > 0 && client < 256) {
            has_file = true;
            file_client = client;
            file_clock = clock;
        }
        uint64_t end = clock;
        for (uint64_t index = 0; index < structs && !reader->is_bad; index++) end += read_struct(reader);
        if (!reader->is_bad) arrived(socket, client, clock, end, at);
    }
    if (reader->is_bad) unreadable++;
}

// MARK: Sockets

static void end_socket(Socket *socket) {
    if (socket->state == CLOSED) return;
    if (!socket->joined) joining_count--;
    socket->state = CLOSED;
    closed_count++;
    close(socket->fd);
}

// Small messages on loopback: what does not fit into the socket's buffer at once is a fault of the run.
static void send_all(Socket *socket, const void *bytes, size_t count) {
    if (send(socket->fd, bytes, count, MSG_NOSIGNAL) != (ssize_t)count) end_socket(socket);
}

static void send_message(Socket *socket, const uint8_t *message, size_t count) {
    uint8_t frame[256] = {0x82, (uint8_t)(0x80 | count), 1, 2, 3, 4};
    if (count > 125) fail("a message is too long");
    for (size_t index = 0; index < count; index++) frame[6 + index] = message[index] ^ (uint8_t)(index % 4 + 1);
    send_all(socket, frame, count + 6);
}

static void send_edit(Writer *writer, uint64_t at) {
    if (writer->edits == MAX_EDITS || writer->socket->state != OPEN) return;
    uint32_t clock = writer->edits;
    uint8_t update[100] = {1, 1};
    size_t count = 2 + write_number(update + 2, writer->client);
    count += write_number(update + count, clock);
    if (clock > 0) {
        update[count++] = 0x84;
        count += write_number(update + count, writer->client);
        count += write_number(update + count, clock - 1);
    } else if (has_file) {
        update[count++] = 4;
        update[count++] = 0;
        count += write_number(update + count, file_client);
        count += write_number(update + count, file_clock);
    } else {
        memcpy(update + count, "\x04\x01\x04text", 7);
        count += 7;
    }
    update[count++] = 1;
    update[count++] = (uint8_t)('a' + clock % 26);
    update[count++] = 0;
    uint8_t message[104] = {0, 2, (uint8_t)count};
    memcpy(message + 3, update, count);
    writer->sent_at[clock] = at;
    writer->awaited[clock] = (uint32_t)socket_count;
    writer->edits++;
    send_message(writer->socket, message, count + 3);
}

static void on_message(Socket *socket, const uint8_t *bytes, size_t count, uint64_t at) {
    messages += is_measuring;
    Reader reader = {bytes, bytes + count, false};
    if (read_number(&reader) != 0) return;
    uint64_t kind = read_number(&reader);
    if (kind == 0) return send_message(socket, (const uint8_t[]){0, 1, 2, 0, 0}, 5);
    read_number(&reader);
    read_update(socket, &reader, at);
    if (kind == 1 && !socket->joined) {
        socket->joined = true;
        joined_count++;
        joining_count--;
        note(&joins, socket->began, at);
    }
}

// Takes whole frames off the front; returns the bytes used.
static size_t take_frames(Socket *socket, const uint8_t *bytes, size_t count, uint64_t at) {
    size_t used = 0;
    if (socket->state == UPGRADING) {
        const uint8_t *end = memmem(bytes, count, "\r\n\r\n", 4);
        if (!end) return 0;
        if (count < 12 || memcmp(bytes + 9, "101", 3) != 0) {
            fprintf(stderr, "spectators: refused: %.40s\n", (const char *)bytes);
            exit(3);
        }
        used = (size_t)(end + 4 - bytes);
        socket->state = OPEN;
        send_message(socket, (const uint8_t[]){0, 0, 1, 0}, 4);
    }
    while (socket->state == OPEN && count - used >= 2) {
        const uint8_t *frame = bytes + used;
        size_t head = 2, length = frame[1] & 127;
        if (length == 126) {
            head = 4;
            if (count - used < head) break;
            length = (size_t)frame[2] << 8 | frame[3];
        } else if (length == 127) {
            fail("a frame is too long");
        }
        if (count - used < head + length) break;
        used += head + length;
        if ((frame[0] & 15) == 2) on_message(socket, frame + head, length, at);
        if ((frame[0] & 15) == 8) end_socket(socket);
        if ((frame[0] & 15) == 9) send_all(socket, (const uint8_t[]){0x8A, 0x80, 0, 0, 0, 0}, 6);
    }
    return used;
}

static void on_readable(Socket *socket) {
    static uint8_t buffer[IN_BYTES];
    memcpy(buffer, socket->kept, socket->kept_bytes);
    ssize_t got = recv(socket->fd, buffer + socket->kept_bytes, sizeof buffer - socket->kept_bytes, 0);
    if (got <= 0) {
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        return end_socket(socket);
    }
    size_t count = socket->kept_bytes + (size_t)got;
    size_t used = take_frames(socket, buffer, count, now_ns());
    if (count == used && socket->kept_bytes == 0) return;
    socket->kept_bytes = count - used;
    socket->kept = realloc(socket->kept, socket->kept_bytes + 1);
    if (!socket->kept) fail("memory");
    memcpy(socket->kept, buffer + used, socket->kept_bytes);
}

static void begin(Socket *socket) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socket->began = now_ns();
    socket->state = CONNECTING;
    joining_count++;
    int on = 1;
    setsockopt(socket->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(socket->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) fail("connect");
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = socket};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, socket->fd, &event)) fail("epoll_ctl");
}

static void upgrade(Socket *socket) {
    char request[MAX_PATH + 256];
    int count = snprintf(
        request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: c3BlY3RhdG9ycyBiZW5jaA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        socket->path, port);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = socket};
    epoll_ctl(poller, EPOLL_CTL_MOD, socket->fd, &event);
    socket->state = UPGRADING;
    send_all(socket, request, (size_t)count);
}

static void poll_until(uint64_t until) {
    struct epoll_event events[256];
    uint64_t time = now_ns(), left = until > time ? until - time : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / 1000000000), .tv_nsec = (long)(left % 1000000000)};
    int count = epoll_pwait2(poller, events, 256, &timeout, NULL);
    for (int index = 0; index < count; index++) {
        Socket *socket = events[index].data.ptr;
        if (socket->state == CONNECTING && (events[index].events & EPOLLOUT)) upgrade(socket);
        if (socket->state != CLOSED && (events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) on_readable(socket);
    }
}

// MARK: The run

#include "spectators_report.h"

static void read_sockets(void) {
    char line[MAX_PATH];
    while (socket_count < MAX_SOCKETS && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if ((line[0] != 'r' && line[0] != 'w') || line[1] != ' ') fail("a line is neither `w PATH` nor `r PATH`");
        Socket *one = &sockets[socket_count++];
        one->writer = -1;
        one->path = strdup(line + 2);
        one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (one->fd < 0 || !one->path) fail("socket");
        if (line[0] == 'r') {
            reader_count++;
            continue;
        }
        if (writer_count == MAX_WRITERS) fail("too many writers");
        Writer *writer = calloc(1, sizeof *writer);
        if (!writer) fail("memory");
        writer->socket = one;
        writer->client = (now_ns() & 0x3FFFFFFF) + 1000 + (uint64_t)writer_count;
        one->writer = writer_count;
        writers[writer_count++] = writer;
    }
}

static void join_all(void) {
    uint64_t deadline = now_ns() + (uint64_t)JOIN_SECONDS * 1000000000;
    int next = 0;
    while (joined_count < socket_count) {
        while (next < socket_count && joining_count < JOINS_AT_ONCE) begin(&sockets[next++]);
        if (closed_count > 0) fail("a socket was closed while joining");
        if (now_ns() > deadline) fail("joining takes too long");
        poll_until(now_ns() + 50000000);
    }
}

static void type_for(double seconds, double rate) {
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9), gap = (uint64_t)(1e9 / rate);
    for (uint64_t time = now_ns(); time < end; time = now_ns()) {
        uint64_t next = end;
        for (int index = 0; index < writer_count; index++) {
            Writer *writer = writers[index];
            if (writer->due == 0) writer->due = time + gap * (uint64_t)index / (uint64_t)writer_count;
            if (writer->due <= time) {
                send_edit(writer, now_ns());
                writer->due += gap;
            }
            if (writer->due < next) next = writer->due;
        }
        poll_until(next);
    }
}

static uint64_t missing(void) {
    uint64_t count = 0;
    for (int index = 0; index < writer_count; index++) {
        for (uint32_t edit = 0; edit < writers[index]->edits; edit++) count += writers[index]->awaited[edit];
    }
    return count;
}

int main(int count, char **arguments) {
    double rate = 5, warmup = 2, seconds = 10, drain = 3;
    int pid = 0;
    for (int index = 1; index + 1 < count; index += 2) {
        const char *name = arguments[index], *value = arguments[index + 1];
        if (strcmp(name, "--port") == 0) port = atoi(value);
        else if (strcmp(name, "--pid") == 0) pid = atoi(value);
        else if (strcmp(name, "--rate") == 0) rate = atof(value);
        else if (strcmp(name, "--warmup") == 0) warmup = atof(value);
        else if (strcmp(name, "--seconds") == 0) seconds = atof(value);
        else if (strcmp(name, "--drain") == 0) drain = atof(value);
        else fail("an unknown option");
    }
    if (rate <= 0 || warmup + seconds + drain > MAX_SECONDS) fail("--rate or --seconds is out of bounds");
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    poller = epoll_create1(EPOLL_CLOEXEC);
    read_sockets();
    if (writer_count == 0) fail("nobody writes");
    Usage before_joins = usage_of(pid);
    join_all();
    Usage after_joins = usage_of(pid);
    type_for(warmup, rate);
    Usage start = usage_of(pid);
    uint64_t start_at = now_ns();
    is_measuring = true;
    type_for(seconds, rate);
    Usage end = usage_of(pid);
    double elapsed = (double)(now_ns() - start_at) / 1e9;
    uint64_t deadline = now_ns() + (uint64_t)(drain * 1e9);
    while (missing() > 0 && now_ns() < deadline) poll_until(now_ns() + 10000000);
    is_measuring = false;
    report(elapsed, before_joins, after_joins, start, end, missing());
    return missing() > 0 || closed_count > 0 ? 1 : 0;
}

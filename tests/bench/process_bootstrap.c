// A local function that does nothing: a client of the AWS Lambda Runtime API, version 2018-06-01, on blocking
// sockets.
//
//   process_bootstrap [STATS]
//
// STATS is a folder: the process keeps a file there, named by its process id, with what it has seen so far
// (struct stats, read by tests/bench/process.py). From the environment: AWS_LAMBDA_RUNTIME_API, the server's
// address, and BENCH_WORK_US, for how long the function sleeps in each invocation.
//
// The overhead of an invocation is the time from the function's result (its request is about to be sent) to
// the next event (its last byte was read) in the same process. While events wait all the time, this holds
// everything but the function's own time: the result on its way, the bridge's part, the next event's way, and
// both processes' waiting for a core.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define API "/2018-06-01/runtime/invocation/"

enum {
    HEAD_MAX = 16384,     // bytes of a response's head
    ID_MAX = 256,         // bytes of an invocation's id
    BUCKETS = 50000,      // microseconds; the last one has all that is longer
    ACCEPTED = 202,       // status of a result that was taken
    IDLE_NS = 1000000000  // a longer wait for an event is no overhead: none was there
};

struct stats {
    int64_t invocations;
    int64_t first_ns;  // first event's arrival, monotonic clock
    int64_t last_ns;   // last result's
    int64_t own_ns;    // the function's own time, of all
    uint32_t overhead_us[BUCKETS];
    uint32_t result_us[BUCKETS];  // the part of it until the result was accepted
};

/** Bytes of a response that were read and not yet used. */
struct input {
    int fd;
    char *data;
    size_t size;
    size_t capacity;
};

static struct stats *stats;
static struct sockaddr_in server;
static char host[64];

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/** Ends the process, as a runtime client does that can't go on. */
static _Noreturn void fail(const char *what)
{
    (void)fprintf(stderr, "process_bootstrap: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void open_connection(struct input *in)
{
    if (in->fd >= 0) {
        (void)close(in->fd);
    }
    in->size = 0;
    in->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    (void)setsockopt(in->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (in->fd < 0 || connect(in->fd, (struct sockaddr *)&server, sizeof(server)) != 0) {
        fail("connect");
    }
}

static void send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            fail("send");
        }
        size_t done = sent < 0 ? 0 : (size_t)sent;
        data += done;
        size -= done;
    }
}

/** Reads at least one more byte; false: the server has closed the connection. */
static bool receive(struct input *in)
{
    if (in->capacity - in->size < HEAD_MAX) {
        in->capacity = in->capacity * 2 + HEAD_MAX;
        in->data = realloc(in->data, in->capacity + 1);
        if (in->data == NULL) {
            fail("realloc");
        }
    }
    ssize_t got;
    do {
        got = recv(in->fd, in->data + in->size, in->capacity - in->size, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        fail("recv");
    }
    in->size += (size_t)got;
    in->data[in->size] = '\0';
    return got > 0;
}

/** Reads until `size` bytes are there. */
static void need(struct input *in, size_t size)
{
    while (in->size < size) {
        if (!receive(in)) {
            errno = ECONNRESET;
            fail("a response was cut off");
        }
    }
}

/** The value of a header of the head, not ended; NULL: absent. */
static const char *header(const char *head, size_t head_size, const char *name)
{
    size_t name_size = strlen(name);
    const char *end = head + head_size;
    for (const char *line = memchr(head, '\n', head_size); line != NULL && line + 1 + name_size < end;
         line = memchr(line + 1, '\n', (size_t)(end - line - 1))) {
        if (strncasecmp(line + 1, name, name_size) == 0 && line[1 + name_size] == ':') {
            const char *value = line + 1 + name_size + 1;
            return value + strspn(value, " \t");
        }
    }
    return NULL;
}

/** The position after the chunked body that begins at `at`, with its trailers. */
static size_t skip_chunks(struct input *in, size_t at)
{
    for (;;) {
        char *end;
        while ((end = memmem(in->data + at, in->size - at, "\r\n", 2)) == NULL) {
            need(in, in->size + 1);
        }
        size_t size = strtoul(in->data + at, NULL, 16);
        size_t line_size = (size_t)(end - in->data) - at + 2;
        at += line_size;
        if (size > 0) {
            need(in, at + size + 2);
            at += size + 2;
            continue;
        }
        for (;;) {  // trailers, then an empty line
            while ((end = memmem(in->data + at, in->size - at, "\r\n", 2)) == NULL) {
                need(in, in->size + 1);
            }
            size_t trailer = (size_t)(end - in->data) - at;
            at += trailer + 2;
            if (trailer == 0) {
                return at;
            }
        }
    }
}

/** Reads one response to its end; its status. The invocation's id goes to `ret_id`, "" without one. */
static int read_response(struct input *in, char *ret_id)
{
    char *end = NULL;
    while (in->size == 0 || (end = memmem(in->data, in->size, "\r\n\r\n", 4)) == NULL) {
        need(in, in->size + 1);
    }
    size_t head_size = (size_t)(end - in->data) + 4;
    int status = (int)strtol(in->data + strcspn(in->data, " "), NULL, 10);
    const char *id = header(in->data, head_size, "Lambda-Runtime-Aws-Request-Id");
    size_t id_size = id == NULL ? 0 : strcspn(id, "\r");
    id_size = id_size < ID_MAX ? id_size : ID_MAX - 1;
    memcpy(ret_id, id == NULL ? "" : id, id_size);
    ret_id[id_size] = '\0';
    const char *closes = header(in->data, head_size, "Connection");
    bool is_last = closes != NULL && strncasecmp(closes, "close", 5) == 0;
    const char *length = header(in->data, head_size, "Content-Length");
    const char *encoding = header(in->data, head_size, "Transfer-Encoding");
    size_t total = head_size + (length == NULL ? 0 : strtoul(length, NULL, 10));
    if (encoding != NULL && strncasecmp(encoding, "chunked", 7) == 0) {
        total = skip_chunks(in, head_size);
    }
    need(in, total);
    memmove(in->data, in->data + total, in->size - total);
    in->size -= total;
    if (is_last) {
        open_connection(in);
    }
    return status;
}

static void count(uint32_t *buckets, int64_t took_ns)
{
    int64_t us = took_ns / 1000;
    buckets[us < BUCKETS ? us : BUCKETS - 1]++;
}

static void open_stats(const char *folder)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%ld", folder, (long)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || ftruncate(fd, sizeof(*stats)) != 0) {
        fail(path);
    }
    stats = mmap(NULL, sizeof(*stats), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (stats == MAP_FAILED) {
        fail("mmap");
    }
    (void)close(fd);
}

/** The server's address, HOST:PORT. */
static void find_server(void)
{
    const char *address = getenv("AWS_LAMBDA_RUNTIME_API");
    const char *colon = address == NULL ? NULL : strrchr(address, ':');
    if (colon == NULL || (size_t)(colon - address) >= sizeof(host)) {
        errno = EINVAL;
        fail("AWS_LAMBDA_RUNTIME_API");
    }
    (void)snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10))};
    if (inet_pton(AF_INET, host, &server.sin_addr) != 1) {
        errno = EINVAL;
        fail(host);
    }
}

static void work(long work_us)
{
    if (work_us > 0) {
        const struct timespec t = {work_us / 1000000, work_us % 1000000 * 1000};
        (void)nanosleep(&t, NULL);
    }
}

/** Posts the result of the invocation. */
static void respond(struct input *in, const char *id)
{
    char request[ID_MAX + 256];
    char ignored[ID_MAX];
    int size = snprintf(request, sizeof(request),
                        "POST " API "%s/response HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                        "Content-Length: 2\r\n\r\n{}",
                        id, host);
    send_all(in->fd, request, (size_t)size);
    int status = read_response(in, ignored);
    if (status != ACCEPTED) {
        (void)fprintf(stderr, "process_bootstrap: the result of %s: status %d\n", id, status);
    }
}

int main(int argc, char **argv)
{
    static struct stats unkept;
    const char *work_text = getenv("BENCH_WORK_US");
    long work_us = work_text == NULL ? 0 : strtol(work_text, NULL, 10);
    struct input in = {.fd = -1};
    stats = &unkept;
    if (argc > 1) {
        open_stats(argv[1]);
    }
    (void)prctl(PR_SET_TIMERSLACK, 1000);
    find_server();
    open_connection(&in);
    char next[256];
    int next_size = snprintf(next, sizeof(next), "GET " API "next HTTP/1.1\r\nHost: %s\r\n\r\n", host);
    int64_t ended_ns = 0;  // the last result; 0: there was none
    for (;;) {
        char id[ID_MAX];
        send_all(in.fd, next, (size_t)next_size);
        int status = read_response(&in, id);
        int64_t began_ns = now_ns();
        if (status != 200) {
            errno = EPROTO;
            fail("the next invocation");
        }
        if (ended_ns != 0 && began_ns - ended_ns < IDLE_NS) {
            count(stats->overhead_us, began_ns - ended_ns);
        }
        stats->first_ns = ended_ns == 0 ? began_ns : stats->first_ns;
        work(work_us);
        ended_ns = now_ns();
        stats->own_ns += ended_ns - began_ns;
        respond(&in, id);
        stats->last_ns = now_ns();
        count(stats->result_us, stats->last_ns - ended_ns);
        __atomic_fetch_add(&stats->invocations, 1, __ATOMIC_RELEASE);
    }
}

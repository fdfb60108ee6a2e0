// A function that works for a while: an HTTP server that answers each request after a time of its own, on one
// thread, and counts what a perfect scheduler would need for them.
//
//   work_server PORT
//
//   POST /work?MIN,MAX  is answered 200 after MIN to MAX microseconds, the next number of a fixed sequence
//   POST /fragile?WORK,CAPACITY  is answered 200 after WORK microseconds while at most CAPACITY requests are
//       worked on; with n of them, after (n / CAPACITY)^2 times as long
//   POST /fail?KEY      is answered 500 for keys {"id":N} with N up to KEY, else 200, both at once
//   GET /stats          what happened since the last /reset, as JSON:
//       requests, seconds (first request to last answer), work_s (sum of all times), chain_s (the largest sum
//       of one key's), busy_s (seconds times requests that were being worked on), running, running_max
//       failed (answered 500)
//   GET /reset
//
// The key is the header ce-partitionkey.
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
#include <time.h>
#include <unistd.h>

enum { FDS_MAX = 4096, BUFFER_BYTES = 16384, KEYS = 1 << 17 };

struct connection {
    size_t size;
    char buffer[BUFFER_BYTES];
};

struct due {
    int64_t at_us;
    int fd;
};

static struct connection *connections[FDS_MAX];
static struct due heap[FDS_MAX];
static size_t heap_size;
static int epoll_fd;
static const char OK[] = "200 OK";

static struct {
    uint64_t random;
    int64_t requests, work_us, first_us, last_us, busy_us, changed_us, running, running_max, failed;
    int64_t chain_us[KEYS];
} stats;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void reset(void)
{
    memset(&stats, 0, sizeof(stats));
    stats.random = 88172645463325252ULL;
}

static void heap_push(struct due d)
{
    size_t i = heap_size++;
    for (; i > 0 && heap[(i - 1) / 2].at_us > d.at_us; i = (i - 1) / 2) {
        heap[i] = heap[(i - 1) / 2];
    }
    heap[i] = d;
}

static struct due heap_pop(void)
{
    struct due top = heap[0];
    struct due last = heap[--heap_size];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < heap_size; i = child) {
        child += child + 1 < heap_size && heap[child + 1].at_us < heap[child].at_us;
        if (heap[child].at_us >= last.at_us) {
            break;
        }
        heap[i] = heap[child];
    }
    heap[i] = last;
    return top;
}

/** Requests at work times seconds, and their highest number. */
static void count_running(int change)
{
    int64_t now = now_us();
    stats.busy_us += stats.running * (now - stats.changed_us);
    stats.changed_us = now;
    stats.running += change;
    stats.running_max = stats.running > stats.running_max ? stats.running : stats.running_max;
}

static void reply(int fd, const char *status, const char *text)
{
    char out[1024];
    int size = snprintf(out, sizeof(out), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status,
                        strlen(text), text);
    if (write(fd, out, (size_t)size) != size) {
        exit(1);
    }
}

static uint64_t hash(const char *data, size_t size)
{
    uint64_t h = 1469598103934665603ULL;
    for (size_t i = 0; i < size; i++) {
        h = (h ^ (uint8_t)data[i]) * 1099511628211ULL;
    }
    return h;
}

/** The value of a header in the head, "" when it is absent. */
static const char *header(const char *head, const char *name, size_t *ret_size)
{
    const char *found = strcasestr(head, name);
    const char *value = found == NULL ? "" : found + strlen(name);
    value += strspn(value, ": ");
    *ret_size = strcspn(value, "\r");
    return value;
}

static void begin_work(int fd, const char *head, int64_t took_us)
{
    size_t size;
    const char *key = header(head, "ce-partitionkey", &size);
    int64_t now = now_us();
    if (stats.requests++ == 0) {
        stats.first_us = stats.changed_us = now;
    }
    count_running(1);
    stats.work_us += took_us;
    stats.chain_us[hash(key, size) % KEYS] += took_us;
    heap_push((struct due){now + took_us, fd});
}

static void work(int fd, const char *head)
{
    long min_us = 0;
    long max_us = 0;
    (void)sscanf(head, "POST /work?%ld,%ld", &min_us, &max_us);
    stats.random ^= stats.random << 13;
    stats.random ^= stats.random >> 7;
    stats.random ^= stats.random << 17;
    int64_t took_us = min_us + (int64_t)(stats.random % (uint64_t)(max_us - min_us + 1));
    begin_work(fd, head, took_us);
}

static void work_in_a_crowd(int fd, const char *head)
{
    long work_us = 0;
    long capacity = 1;
    (void)sscanf(head, "POST /fragile?%ld,%ld", &work_us, &capacity);
    long n = stats.running + 1 > capacity ? (long)stats.running + 1 : capacity;
    begin_work(fd, head, work_us * n * n / (capacity * capacity));
}
static void succeed_or_fail(int fd, const char *head)
{
    size_t size;
    const char *key = header(head, "ce-partitionkey", &size);
    long limit = strtol(head + strlen("POST /fail?"), NULL, 10);
    const char *colon = memchr(key, ':', size);
    bool fails = colon != NULL && strtol(colon + 1, NULL, 10) <= limit;
    stats.requests++;
    stats.failed += fails;
    reply(fd, fails ? "500 Internal Server Error" : OK, "");
}

static void answer_due(void)
{
    while (heap_size > 0 && heap[0].at_us <= now_us()) {
        struct due d = heap_pop();
        count_running(-1);
        stats.last_us = now_us();
        if (connections[d.fd] != NULL) {
            reply(d.fd, OK, "");
        }
    }
}

static void answer_stats(int fd)
{
    int64_t chain_us = 0;
    for (size_t i = 0; i < KEYS; i++) {
        chain_us = stats.chain_us[i] > chain_us ? stats.chain_us[i] : chain_us;
    }
    char text[512];
    (void)snprintf(text, sizeof(text),
                   "{\"requests\":%lld,\"seconds\":%.6f,\"work_s\":%.6f,\"chain_s\":%.6f,\"busy_s\":%.6f,"
                   "\"running\":%lld,\"running_max\":%lld,\"failed\":%lld}",
                   (long long)stats.requests, (double)(stats.last_us - stats.first_us) / 1e6,
                   (double)stats.work_us / 1e6, (double)chain_us / 1e6, (double)stats.busy_us / 1e6,
                   (long long)stats.running, (long long)stats.running_max, (long long)stats.failed);
    reply(fd, OK, text);
}

/** Handles the first request of the buffer; false: it is not complete. */
static bool take_request(int fd, struct connection *c)
{
    c->buffer[c->size] = '\0';
    char *end = strstr(c->buffer, "\r\n\r\n");
    if (end == NULL) {
        return false;
    }
    *end = '\0';
    size_t length_size;
    size_t total =
        (size_t)(end - c->buffer) + 4 + strtoul(header(c->buffer, "content-length", &length_size), NULL, 10);
    if (total > c->size) {
        *end = '\r';
        return false;
    }
    if (strncmp(c->buffer, "GET /stats", 10) == 0) {
        answer_stats(fd);
    } else if (strncmp(c->buffer, "GET /reset", 10) == 0) {
        reset();
        reply(fd, OK, "");
    } else if (strncmp(c->buffer, "POST /fail?", 11) == 0) {
        succeed_or_fail(fd, c->buffer);
    } else if (strncmp(c->buffer, "POST /fragile?", 14) == 0) {
        work_in_a_crowd(fd, c->buffer);
    } else {
        work(fd, c->buffer);
    }
    memmove(c->buffer, c->buffer + total, c->size - total);
    c->size -= total;
    return true;
}

static void drop(int fd)
{
    free(connections[fd]);
    connections[fd] = NULL;
    close(fd);
}

static void read_connection(int fd)
{
    struct connection *c = connections[fd];
    ssize_t got = read(fd, c->buffer + c->size, BUFFER_BYTES - 1 - c->size);
    if (got <= 0) {
        drop(fd);
        return;
    }
    c->size += (size_t)got;
    while (take_request(fd, c)) {}
}

static void accept_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0 || fd >= FDS_MAX) {
        exit(1);
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connections[fd] = calloc(1, sizeof(struct connection));
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

int main(int argc, char **argv)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 0)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(listener, 1024) != 0) {
        perror("work_server");
        return 1;
    }
    reset();
    epoll_fd = epoll_create1(0);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener,
              &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    for (;;) {
        struct epoll_event events[64];
        int64_t wait_us = heap_size == 0 ? 1000000 : heap[0].at_us - now_us();
        wait_us = wait_us < 0 ? 0 : wait_us;
        struct timespec wait = {wait_us / 1000000, wait_us % 1000000 * 1000};
        int count = epoll_pwait2(epoll_fd, events, 64, &wait, NULL);
        if (count < 0 && errno != EINTR) {
            perror("epoll_pwait2");
            return 1;
        }
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener) {
                accept_one(listener);
            } else {
                read_connection(events[i].data.fd);
            }
        }
        answer_due();
    }
}

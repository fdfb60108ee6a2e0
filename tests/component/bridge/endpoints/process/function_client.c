#include "tests/component/bridge/endpoints/process/function_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024, BIG_BYTES = 7 << 20, LONG_BYTES = 5 << 20, GROW_BYTES = 4 << 20 };

#define ROOT "/2018-06-01/runtime/"

/** One connection to the Runtime API. */
struct client {
    int fd;
    char buffer[BUFFER_BYTES];
    char id[64];
    char *body;
};

static void fail(const char *what)
{
    perror(what);
    exit(99);
}

static void open_client(struct client *c)
{
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)strtoul(strchr(api, ':') + 1, NULL, 10));
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        fail("connect");
    }
    int on = 1;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void send_all(struct client *c, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(c->fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            fail("send");
        }
        data += sent;
        size -= (size_t)sent;
    }
}

/** Reads one response into the buffer; its status. */
static int read_response(struct client *c)
{
    size_t size = 0;
    size_t wanted = SIZE_MAX;
    while (size < wanted) {
        ssize_t got = recv(c->fd, c->buffer + size, sizeof(c->buffer) - 1 - size, 0);
        if (got <= 0) {
            exit(0);  // the server has gone
        }
        size += (size_t)got;
        c->buffer[size] = '\0';
        char *end = strstr(c->buffer, "\r\n\r\n");
        const char *length = strcasestr(c->buffer, "content-length:");
        if (end != NULL && wanted == SIZE_MAX) {
            c->body = end + 4;
            wanted = (size_t)(c->body - c->buffer) + strtoul(length + strlen("content-length:"), NULL, 10);
        }
    }
    return (int)strtol(c->buffer + strlen("HTTP/1.1 "), NULL, 10);
}

static int post(struct client *c, const char *path, const char *body, size_t size)
{
    char head[256];
    int length = snprintf(head, sizeof(head),
                          "POST " ROOT "%s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", path, size);
    send_all(c, head, (size_t)length);
    send_all(c, body, size);
    return read_response(c);
}

static int post_result(struct client *c, const char *id, const char *kind, const char *body)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "invocation/%s/%s", id, kind);
    return post(c, path, body, strlen(body));
}

static void ask(struct client *c)
{
    static const char REQUEST[] = "GET " ROOT "invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";
    send_all(c, REQUEST, strlen(REQUEST));
}

static void take_asked(struct client *c)
{
    if (read_response(c) != 200) {
        exit(0);
    }
    const char *id = strcasestr(c->buffer, "lambda-runtime-aws-request-id:");
    (void)sscanf(id + strlen("lambda-runtime-aws-request-id:"), " %63s", c->id);
}

static void take_next(struct client *c)
{
    ask(c);
    take_asked(c);
}

/** Asks, and closes the connection before there can be an invocation. */
static void hang_up(struct client *c)
{
    open_client(c);
    ask(c);
    close(c->fd);
}

static void post_big(struct client *c)
{
    char *big = malloc(BIG_BYTES);
    memset(big, 'x', BIG_BYTES);
    char path[128];
    (void)snprintf(path, sizeof(path), "invocation/%s/response", c->id);
    int status = post(c, path, big, BIG_BYTES);
    printf("status %d\n", status);
    fflush(stdout);
    free(big);
}

static void wait_for_file(const char *path)
{
    while (access(path, F_OK) != 0) {
        usleep(1000);
    }
}

/** Holds ever more memory, in processes of their own: what each holds is little. */
static void grow(void)
{
    for (;;) {
        char *block = malloc(GROW_BYTES);
        memset(block, 1, GROW_BYTES);
        if (fork() == 0) {
            memset(block, 2, GROW_BYTES);
            pause();
        }
        usleep(10 * 1000);
    }
}

static void use_cpu(void)
{
    for (volatile unsigned long count = 0;; count++) {}
}

static void handle(struct client *c, const char *what)
{
    char body[1024];
    (void)snprintf(body, sizeof(body), "%s", c->body);
    if (strcmp(what, "crash") == 0) {
        fprintf(stderr, "about to crash\n");
        exit(7);
    } else if (strcmp(what, "error") == 0) {
        (void)post_result(c, c->id, "error",
                          "{\"errorType\":\"ValueError\",\"errorMessage\":\"no such order\"}");
    } else if (strcmp(what, "silent") == 0) {
        pause();
    } else if (strcmp(what, "grow") == 0) {
        grow();
    } else if (strcmp(what, "busy") == 0) {
        use_cpu();
    } else if (strcmp(what, "big") == 0) {
        post_big(c);
    } else {
        if (body[0] == '/') {
            wait_for_file(body);
        } else if (strcmp(what, "other") == 0) {
            printf("status %d\n",
                   post_result(c, "00000000-0000-4000-8000-000000000000", "response", "\"wrong\""));
            fflush(stdout);
        } else if (strcmp(what, "longer") == 0) {
            char id[80];
            (void)snprintf(id, sizeof(id), "%s0", c->id);
            (void)post_result(c, id, "response", "\"wrong\"");
        }
        if (strcmp(what, "deaf") == 0) {
            (void)snprintf(body, sizeof(body), "%d", (int)getpid());
        }
        (void)post_result(c, c->id, "response", body);
        if (strcmp(what, "twice") == 0) {
            (void)post_result(c, c->id, "response", "\"again\"");
        }
    }
}

/** Echo with two connections, one of which always asks. */
static void work_ahead(void)
{
    struct client *both = calloc(2, sizeof(*both));
    open_client(&both[0]);
    open_client(&both[1]);
    ask(&both[0]);
    for (int at = 0;; at = 1 - at) {
        take_asked(&both[at]);
        char body[64];
        (void)snprintf(body, sizeof(body), "%.63s", both[at].body);
        ask(&both[1 - at]);
        if (body[0] == '/') {
            wait_for_file(body);
        }
        (void)post_result(&both[at], both[at].id, "response", body);
    }
}

static void *work(void *self)
{
    const char *what = self;
    struct client *c = calloc(1, sizeof(*c));
    if (strcmp(what, "hang-up") == 0) {
        hang_up(c);
    }
    for (open_client(c);;) {
        take_next(c);
        char word[64];
        (void)snprintf(word, sizeof(word), "%.63s", c->body);
        handle(c, strcmp(what, "as-told") == 0 ? word : what);
        if (strcmp(what, "once") == 0) {
            pause();
        }
    }
    return NULL;
}

int function_client(const char *what)
{
    if (strcmp(what, "exit") == 0) {
        fprintf(stderr, "no configuration\n");
        return 3;
    }
    if (strcmp(what, "idle") == 0) {
        pause();
    }
    if (strcmp(what, "init-long") == 0) {
        struct client *c = calloc(1, sizeof(*c));
        open_client(c);
        char *text = malloc(LONG_BYTES);
        memset(text, 'x', LONG_BYTES);
        memcpy(text, "{\"errorMessage\":\"", strlen("{\"errorMessage\":\""));
        memcpy(text + LONG_BYTES - 2, "\"}", 2);
        (void)post(c, "init/error", text, LONG_BYTES);
        free(text);
        free(c);
        return 1;
    }
    if (strcmp(what, "init-error") == 0) {
        struct client *c = calloc(1, sizeof(*c));
        open_client(c);
        static const char ERROR[] = "{\"errorType\":\"ImportError\",\"errorMessage\":\"no module app\"}";
        (void)post(c, "init/error", ERROR, strlen(ERROR));
        free(c);
        return 1;
    }
    if (strcmp(what, "deaf") == 0) {
        const struct sigaction ignored = {.sa_handler = SIG_IGN};
        (void)sigaction(SIGTERM, &ignored, NULL);
    }
    if (strcmp(what, "ahead") == 0) {
        work_ahead();
    }
    pthread_t other;
    for (int threads = 1; strcmp(what, "as-told") == 0 && threads < 3; threads++) {
        if (pthread_create(&other, NULL, work, (void *)(uintptr_t)what) != 0) {
            fail("thread");
        }
    }
    (void)work((void *)(uintptr_t)what);
    return 0;
}

// Calls one URL through core/http/http_client, for test_http1_servers.py, and prints each outcome as a line
// of JSON.
//
//   http_calls URL [calls=1] [at_once=1] [pause_ms=0] [timeout_ms=10000] [body_bytes=5] [response_bytes=200]
//
// pause_ms passes between the end of a call and the next one in its place.
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/http/http_client.h"
#include "core/http/http_head.h"

struct option {
    const char *name;
    long value;
};

static struct option options[] = {
    {"calls", 1},          {"at_once", 1},    {"pause_ms", 0},
    {"timeout_ms", 10000}, {"body_bytes", 5}, {"response_bytes", 200},
};

static struct {
    struct http_client *client;
    struct http_head *head;
    uint8_t *body;
    long begun;
} calls;

/** One of those made at once. */
struct caller {
    uv_timer_t timer;
};

static long option(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        if (strcmp(options[i].name, name) == 0) {
            return options[i].value;
        }
    }
    abort();
}

static void set_option(const char *text)
{
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        size_t size = strlen(options[i].name);
        if (strncmp(text, options[i].name, size) == 0 && text[size] == '=') {
            options[i].value = strtol(text + size + 1, NULL, 10);
            return;
        }
    }
    (void)fprintf(stderr, "http_calls: unexpected argument \"%s\"\n", text);
    exit(64);
}

static void begin(struct caller *caller);

static void on_time(uv_timer_t *timer)
{
    begin(timer->data);
}

static void on_done(void *self, const struct http_response *r)
{
    struct caller *caller = self;
    json_t *line = json_pack("{s:i, s:s, s:b, s:b, s:b, s:s%, s:I, s:s, s:I}", "status", r->status, "fault",
                             r->transport.kind == FAULT_NONE ? "" : r->transport.text, "is_sent",
                             (int)r->is_sent, "is_timeout", (int)r->is_timeout, "is_cut", (int)r->is_cut,
                             "body", r->body.size == 0 ? "" : (const char *)r->body.data, r->body.size,
                             "retry_after_us", (json_int_t)r->retry_after_us, "location",
                             r->location == NULL ? "" : r->location, "took_us", (json_int_t)r->took_us);
    (void)json_dumpf(line, stdout, JSON_COMPACT);
    (void)puts("");
    (void)fflush(stdout);
    json_decref(line);
    if (option("pause_ms") > 0 && calls.begun < option("calls")) {
        (void)uv_timer_start(&caller->timer, on_time, (uint64_t)option("pause_ms"), 0);
    } else {
        begin(caller);
    }
}

static void begin(struct caller *caller)
{
    if (calls.begun == option("calls")) {
        uv_close((uv_handle_t *)&caller->timer, NULL);
        return;
    }
    calls.begun++;
    const struct http_request request = {
        .head = calls.head,
        .body = slice_make(calls.body, (size_t)option("body_bytes")),
        .timeout_us = option("timeout_ms") * CLOCK_US_PER_MS,
        .response_max_bytes = (size_t)option("response_bytes"),
    };
    (void)http_client_send(calls.client, &request, on_done, caller);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        return 64;
    }
    for (int i = 2; i < argc; i++) {
        set_option(argv[i]);
    }
    struct fault f;
    const struct http_head_params params = {.method = "POST", .url = argv[1]};
    if (!http_head_new(&params, &calls.head, &f)) {
        (void)fprintf(stderr, "%s\n", f.text);
        return 64;
    }
    uv_loop_t *loop = uv_default_loop();
    size_t at_once = (size_t)option("at_once");
    calls.client = http_client_new(loop, &(struct http_client_params){.connections_max = at_once});
    calls.body = memory_zeroed((size_t)option("body_bytes") + 1, 1);
    memset(calls.body, 'x', (size_t)option("body_bytes"));
    struct caller *callers = memory_zeroed(at_once, sizeof(*callers));
    for (size_t i = 0; i < at_once; i++) {
        (void)uv_timer_init(loop, &callers[i].timer);
        callers[i].timer.data = &callers[i];
        begin(&callers[i]);
    }
    (void)uv_run(loop, UV_RUN_DEFAULT);
    http_client_free(calls.client);
    (void)uv_run(loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(loop);
    http_head_free(calls.head);
    free(calls.body);
    free(callers);
    return 0;
}

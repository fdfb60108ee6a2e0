// Calls one URL through core/http/http_client, for the tests with real servers, and prints each outcome as a
// line of JSON; with quiet=1 only what went wrong, and the rate.
//
//   http_calls URL [calls=1] [at_once=1] [connections=at_once] [pause_ms=0] [timeout_ms=10000] [body_bytes=5]
//              [response_bytes=200] [redirects=0] [quiet=0] [method=POST] [version=auto|1.1|2]
//              [ca=FILE] [certificate=FILE] [key=FILE] [server_name=NAME]
//              [proxy=URL] [proxy_user=USER] [proxy_password=PASSWORD] [policy=private|public|list]
//              [allow=ITEM]
//
// pause_ms passes between the end of a call and the next one in its place.
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/config/config_file.h"
#include "core/http/http_client.h"
#include "core/http/http_head.h"
#include "core/http/http_policy.h"

struct option {
    const char *name;
    long value;
};

static struct option options[] = {
    {"calls", 1},          {"at_once", 1},    {"pause_ms", 0},
    {"timeout_ms", 10000}, {"body_bytes", 5}, {"response_bytes", 200},
    {"connections", 0},    {"redirects", 0},  {"quiet", 0},
};

struct text_option {
    const char *name;
    const char *value;  // NULL: not given
};

static struct text_option text_options[] = {
    {"method", NULL},      {"version", NULL},    {"ca", NULL},
    {"certificate", NULL}, {"key", NULL},        {"server_name", NULL},
    {"proxy", NULL},       {"proxy_user", NULL}, {"proxy_password", NULL},
    {"policy", NULL},      {"allow", NULL},
};

static struct {
    struct http_client *client;
    struct http_head *head;
    uint8_t *body;
    long begun;
    long failed;
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

static const char *text_option(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(text_options); i++) {
        if (strcmp(text_options[i].name, name) == 0) {
            return text_options[i].value;
        }
    }
    abort();
}

static void set_option(const char *text)
{
    for (size_t i = 0; i < COUNT_OF(text_options); i++) {
        size_t size = strlen(text_options[i].name);
        if (strncmp(text, text_options[i].name, size) == 0 && text[size] == '=') {
            text_options[i].value = text + size + 1;
            return;
        }
    }
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

static void print(const struct http_response *r)
{
    json_t *fields = json_array();
    for (size_t i = 0; i < r->field_count; i++) {
        (void)json_array_append_new(
            fields, json_pack("[s%, s%]", r->fields[i].name.data, r->fields[i].name.size,
                              r->fields[i].value.size == 0 ? "" : (const char *)r->fields[i].value.data,
                              r->fields[i].value.size));
    }
    json_t *line =
        json_pack("{s:i, s:s, s:b, s:b, s:b, s:s%, s:I, s:s, s:I, s:o}", "status", r->status, "fault",
                  r->transport.kind == FAULT_NONE ? "" : r->transport.text, "is_sent", (int)r->is_sent,
                  "is_timeout", (int)r->is_timeout, "is_cut", (int)r->is_cut, "body",
                  r->body.size == 0 ? "" : (const char *)r->body.data, r->body.size, "retry_after_us",
                  (json_int_t)r->retry_after_us, "location", r->location == NULL ? "" : r->location,
                  "took_us", (json_int_t)r->took_us, "fields", fields);
    (void)json_dumpf(line, stdout, JSON_COMPACT);
    (void)puts("");
    (void)fflush(stdout);
    json_decref(line);
}

static void on_done(void *self, const struct http_response *r)
{
    struct caller *caller = self;
    bool is_good = r->transport.kind == FAULT_NONE && r->status == 200;
    calls.failed += is_good ? 0 : 1;
    if (option("quiet") == 0 || !is_good) {
        print(r);
    }
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
        .wants_fields = option("quiet") == 0,
    };
    (void)http_client_send(calls.client, &request, on_done, caller);
}

static char *file_option(const char *name)
{
    const char *path = text_option(name);
    if (path == NULL) {
        return NULL;
    }
    struct bytes text = {0};
    struct fault f;
    if (!config_file_load(path, 1 << 20, &text, NULL, &f)) {
        (void)fprintf(stderr, "%s\n", f.text);
        exit(64);
    }
    char *copy = slice_to_string(bytes_slice(&text));
    bytes_clear(&text);
    return copy;
}

static enum http_version version_of(const char *text)
{
    return text == NULL || strcmp(text, "auto") == 0 ? HTTP_VERSION_AUTO
           : strcmp(text, "2") == 0                  ? HTTP_VERSION_2
                                                     : HTTP_VERSION_1_1;
}

static enum http_policy_kind policy_of(const char *text)
{
    return strcmp(text, "public") == 0 ? HTTP_POLICY_PUBLIC
           : strcmp(text, "list") == 0 ? HTTP_POLICY_LIST
                                       : HTTP_POLICY_PRIVATE;
}

static struct http_client *new_client(uv_loop_t *loop)
{
    char *ca = file_option("ca");
    char *certificate = file_option("certificate");
    char *key = file_option("key");
    static char *allowed[1];
    static const struct text_list ALLOW = {allowed, COUNT_OF(allowed)};
    static struct http_policy policy;
    allowed[0] = (char *)(uintptr_t)text_option("allow");
    policy = (struct http_policy){.allow = allowed[0] == NULL ? NULL : &ALLOW};
    if (text_option("policy") != NULL) {
        policy.kind = policy_of(text_option("policy"));
    }
    size_t connections = (size_t)option("connections");
    const struct http_client_params params = {
        .connections_max = connections == 0 ? (size_t)option("at_once") : connections,
        .version = version_of(text_option("version")),
        .tls = {ca, certificate, key, text_option("server_name")},
        .proxy = {text_option("proxy"), text_option("proxy_user"), text_option("proxy_password")},
        .redirects_max = (int)option("redirects"),
        .policy = text_option("policy") == NULL ? NULL : &policy,
    };
    struct http_client *client = http_client_new(loop, &params);
    free(ca);
    free(certificate);
    free(key);
    return client;
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
    const char *method = text_option("method") == NULL ? "POST" : text_option("method");
    const struct http_head_params params = {.method = method, .url = argv[1]};
    if (!http_head_new(&params, &calls.head, &f)) {
        (void)fprintf(stderr, "%s\n", f.text);
        return 64;
    }
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    uv_loop_t *loop = uv_default_loop();
    size_t at_once = (size_t)option("at_once");
    calls.client = new_client(loop);
    calls.body = memory_zeroed((size_t)option("body_bytes") + 1, 1);
    memset(calls.body, 'x', (size_t)option("body_bytes"));
    int64_t began_us = clock_now_us();
    struct caller *callers = memory_zeroed(at_once, sizeof(*callers));
    for (size_t i = 0; i < at_once; i++) {
        (void)uv_timer_init(loop, &callers[i].timer);
        callers[i].timer.data = &callers[i];
        begin(&callers[i]);
    }
    (void)uv_run(loop, UV_RUN_DEFAULT);
    double took_s = (double)(clock_now_us() - began_us) / (double)CLOCK_US_PER_S;
    if (option("quiet") != 0) {
        (void)printf("{\"calls\":%ld,\"failed\":%ld,\"calls_per_s\":%.0f}\n", calls.begun, calls.failed,
                     (double)calls.begun / took_s);
    }
    http_client_free(calls.client);
    (void)uv_run(loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(loop);
    http_head_free(calls.head);
    free(calls.body);
    free(callers);
    return 0;
}

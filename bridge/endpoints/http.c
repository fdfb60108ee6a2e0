// Functions at a URL: POST, the configured headers, a bearer token.
#include "bridge/endpoints/endpoint.h"
#include "core/http/http_client.h"

enum { RESPONSE_BYTES_MAX = 2048 };

struct endpoint_call {
    struct endpoint *endpoint;
    struct http_call *call;
    endpoint_on_response on_response;
    void *self;
    struct endpoint_call *next;  // in the free list
};

struct endpoint {
    const struct function_config *config;
    struct http_client *client;
    struct curl_slist *headers;  // constant ones; the content type is the first node
    const char *content_type;    // of `headers`
    struct endpoint_call *idle;
};

static void append(struct curl_slist **list, const char *name, const char *value)
{
    // `name:` removes curl's own header; `name;` sends the header without a value.
    CLEANUP(memory_free_pointer)
    char *line = value == NULL      ? memory_format("%s:", name)
                 : value[0] == '\0' ? memory_format("%s;", name)
                                    : memory_format("%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(*list, line);
    INVARIANT(longer != NULL);
    *list = longer;
}

static void make_headers(struct endpoint *e, const char *content_type)
{
    const struct function_config *config = e->config;
    curl_slist_free_all(e->headers);
    e->headers = NULL;
    append(&e->headers, "Content-Type", content_type);
    append(&e->headers, "Accept", NULL);
    append(&e->headers, "Expect", NULL);
    if (config->http.bearer != NULL) {
        CLEANUP(memory_free_pointer) char *bearer = memory_format("Bearer %s", config->http.bearer);
        append(&e->headers, "Authorization", bearer);
    }
    for (size_t i = 0; i < config->http.headers.count; i++) {
        append(&e->headers, config->http.headers.items[i].key, config->http.headers.items[i].value);
    }
    e->content_type = content_type;
}

/** Control characters could split a header, wherever the text comes from. */
static bool check_text(const char *what, const char *text, struct fault *f)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            return fault_set(f, FAULT_CONFIG, "endpoint.http: %s has a control character", what);
        }
    }
    return true;
}

static bool check(const struct function_config *config, struct fault *f)
{
    if (config->http.bearer != NULL && !check_text("the bearer token", config->http.bearer, f)) {
        return false;
    }
    for (size_t i = 0; i < config->http.headers.count; i++) {
        if (!check_text("a header's name", config->http.headers.items[i].key, f) ||
            !check_text("a header's value", config->http.headers.items[i].value, f)) {
            return false;
        }
    }
    return true;
}

static bool http_open(const struct function_config *config, uv_loop_t *loop, struct endpoint **ret,
                      struct fault *f)
{
    if (!check(config, f)) {
        return false;
    }
    struct endpoint *e = memory_zeroed(1, sizeof(*e));
    e->config = config;
    e->client = http_client_new(loop, (size_t)config->delivery.concurrency);
    *ret = e;
    return true;
}

static void on_done(void *self, const struct http_response *r)
{
    struct endpoint_call *call = self;
    struct endpoint *e = call->endpoint;
    struct response response = {
        .is_sent = r->is_sent,
        .is_timeout = r->is_timeout,
        .status = r->status,
        .retry_after_us = r->retry_after_us,
        .location = r->location,
        .body = r->body,
        .took_us = r->took_us,
    };
    if (r->transport.kind != FAULT_NONE) {
        response.transport = r->transport;
    }
    endpoint_on_response on_response = call->on_response;
    call->next = e->idle;
    e->idle = call;
    on_response(call->self, &response);
}

static struct endpoint_call *http_send(struct endpoint *e, const struct endpoint_request *request,
                                       endpoint_on_response on_response, void *self)
{
    if (e->content_type != request->content_type) {
        make_headers(e, request->content_type);
    }
    struct endpoint_call *call = e->idle;
    if (call != NULL) {
        e->idle = call->next;
    } else {
        call = memory_new(sizeof(*call));
    }
    *call = (struct endpoint_call){.endpoint = e, .on_response = on_response, .self = self};
    struct http_request r = {
        .method = "POST",
        .url = e->config->http.url,
        .headers = e->headers,
        .header_lines = request->header_lines,
        .body = request->body,
        .timeout_us = request->timeout_us,
        .response_max_bytes = RESPONSE_BYTES_MAX,
    };
    call->call = http_client_send(e->client, &r, on_done, call);
    return call;
}

static void http_cancel(struct endpoint *e, struct endpoint_call *call)
{
    http_call_cancel(call->call);
    call->next = e->idle;
    e->idle = call;
}

static void http_close(struct endpoint *e)
{
    if (e == NULL) {
        return;
    }
    http_client_free(e->client);
    curl_slist_free_all(e->headers);
    for (struct endpoint_call *call = e->idle, *next; call != NULL; call = next) {
        next = call->next;
        free(call);
    }
    free(e);
}

const struct endpoint_type endpoint_http = {
    .kind = "http",
    .summary = "POST to a URL",
    .open = http_open,
    .send = http_send,
    .cancel = http_cancel,
    .close = http_close,
};

// Functions at a URL: method, the configured headers, credentials, gzip.
#include "bridge/endpoints/endpoint.h"

#include "bridge/endpoints/signed_call.h"
#include "core/http/gzip.h"

enum { COMPRESSED_KEPT = 1 << 20 };  // a call's larger buffer is freed, not reused

struct endpoint_call {
    struct endpoint *endpoint;
    struct signed_call signed_call;
    struct bytes compressed;  // the body, if it is sent compressed
    struct bytes lines;       // the header lines with that
    endpoint_on_response on_response;
    void *self;
    struct endpoint_call *next;  // in the free list
};

/** What is the same in all requests of one content type. */
struct request_head {
    struct http_head *head;
    char *content_type;  // owned
    struct request_head *next;
};

struct endpoint {
    const struct function_config *config;
    struct http_client *client;
    struct auth_chain *auth;
    struct request_head *heads;  // the one in use first; calls may still use the others
    struct endpoint_call *idle;
    struct gzip *gzip;  // NULL: bodies are not compressed
};

static bool add_head(struct endpoint *e, const char *content_type, struct fault *f)
{
    const struct function_config *config = e->config;
    struct http_header *headers CLEANUP(memory_free_pointer) =
        memory_new((config->http.headers.count + 1) * sizeof(*headers));
    size_t count = 0;
    headers[count++] = (struct http_header){"Content-Type", content_type, false};
    for (size_t i = 0; i < config->http.headers.count; i++) {
        const struct text_pair *pair = &config->http.headers.items[i];
        if (template_config_is_header(pair)) {
            continue;  // the request brings it
        }
        headers[count++] = (struct http_header){pair->key, pair->value, pair->is_secret};
    }
    CLEANUP(memory_free_pointer)
    char *origin = template_is_one(config->http.url) ? template_config_origin(config->http.url) : NULL;
    const struct http_head_params params = {
        .method = function_config_method(config),
        .url = origin != NULL ? origin : config->http.url,
        .headers = headers,
        .header_count = count,
    };
    struct http_head *head = NULL;
    if (!http_head_new(&params, &head, f)) {
        return fault_context(f, "endpoint.http");
    }
    struct request_head *added = memory_new(sizeof(*added));
    *added = (struct request_head){head, memory_string(content_type), e->heads};
    e->heads = added;
    return true;
}

static const struct http_head *head_of(struct endpoint *e, const char *content_type)
{
    for (const struct request_head *head = e->heads; head != NULL; head = head->next) {
        if (strcmp(head->content_type, content_type) == 0) {
            return head->head;
        }
    }
    struct fault f;
    INVARIANT(add_head(e, content_type, &f));  // http_open has checked all but this type
    INVARIANT(e->heads != NULL);
    return e->heads->head;
}

static void http_close(struct endpoint *e)
{
    if (e == NULL) {
        return;
    }
    http_client_free(e->client);
    auth_chain_close(e->auth);
    for (struct request_head *head = e->heads, *next; head != NULL; head = next) {
        next = head->next;
        http_head_free(head->head);
        free(head->content_type);
        free(head);
    }
    for (struct endpoint_call *call = e->idle, *next; call != NULL; call = next) {
        next = call->next;
        signed_call_clear(&call->signed_call);
        bytes_clear(&call->compressed);
        bytes_clear(&call->lines);
        free(call);
    }
    gzip_free(e->gzip);
    free(e);
}

static bool http_open(const struct function_config *config, uv_loop_t *loop, struct endpoint **ret,
                      struct fault *f)
{
    struct endpoint *e = memory_zeroed(1, sizeof(*e));
    e->config = config;
    if (!add_head(e, "application/json", f) || !auth_chain_open(config, loop, &e->auth, f)) {
        http_close(e);
        return false;
    }
    const struct http_client_params params = function_config_http_params(config);
    e->client = http_client_new(loop, &params);
    e->gzip = config->http.gzip_bytes > 0 ? gzip_new() : NULL;
    *ret = e;
    return true;
}

static void recycle(struct endpoint_call *call)
{
    struct endpoint *e = call->endpoint;
    if (call->compressed.capacity > COMPRESSED_KEPT) {
        bytes_clear(&call->compressed);
    }
    call->next = e->idle;
    e->idle = call;
}

static void on_response(struct signed_call *signed_call, struct response *response,
                        const struct http_response *r)
{
    struct endpoint_call *call = CONTAINER_OF(signed_call, struct endpoint_call, signed_call);
    endpoint_on_response on_call_response = call->on_response;
    void *self = call->self;
    (void)r;
    recycle(call);
    on_call_response(self, response);
}

/** Compresses a large body, before it is signed: what is signed is what is sent. */
static void compress(struct endpoint_call *call, struct http_request *request)
{
    struct endpoint *e = call->endpoint;
    if (e->gzip == NULL || request->body.size < (size_t)e->config->http.gzip_bytes) {
        return;
    }
    bytes_reset(&call->compressed);
    if (gzip_append(e->gzip, request->body, &call->compressed)) {
        bytes_reset(&call->lines);
        if (request->header_lines != NULL) {
            bytes_append_string(&call->lines, request->header_lines);
        }
        auth_begin_line(&call->lines, "content-encoding");
        bytes_append_string(&call->lines, "gzip");
        request->header_lines = bytes_text(&call->lines);
        request->body = bytes_slice(&call->compressed);
    }
}

static struct endpoint_call *http_send(struct endpoint *e, const struct endpoint_request *request,
                                       endpoint_on_response on_call_response, void *self)
{
    struct endpoint_call *call = e->idle;
    if (call != NULL) {
        e->idle = call->next;
    } else {
        call = memory_zeroed(1, sizeof(*call));
        call->endpoint = e;
    }
    call->on_response = on_call_response;
    call->self = self;
    struct http_request r = {
        .head = head_of(e, request->content_type),
        .target = request->target,
        .header_lines = request->header_lines,
        .body = request->body,
        .timeout_us = request->timeout_us,
        .response_max_bytes = request->response_max_bytes,
        .wants_fields = request->wants_fields || e->config->http.auth.aws.is_set,
    };
    compress(call, &r);
    signed_call_begin(&call->signed_call, e->client, e->auth, &r, request->message_id, on_response);
    return call;
}

static void http_cancel(struct endpoint *e, struct endpoint_call *call)
{
    (void)e;
    signed_call_cancel(&call->signed_call);
    recycle(call);
}

const struct endpoint_type endpoint_http = {
    .kind = "http",
    .summary = "requests to a URL",
    .body_max = SIZE_MAX,
    .open = http_open,
    .send = http_send,
    .cancel = http_cancel,
    .close = http_close,
};

// Functions at a URL: POST, the configured headers, a bearer token, signatures of Standard Webhooks.
#include "bridge/endpoints/endpoint.h"

#include <inttypes.h>

#include "core/base/clock.h"
#include "core/http/http_client.h"
#include "core/http/http_head.h"
#include "core/http/webhook_signature.h"

struct endpoint_call {
    struct endpoint *endpoint;
    struct http_call *call;
    endpoint_on_response on_response;
    void *self;
    struct endpoint_call *next;  // in the free list
};

/** What is the same in all requests of one content type. */
struct request_head {
    struct http_head *head;
    const char *content_type;
    struct request_head *next;
};

struct endpoint {
    const struct function_config *config;
    struct http_client *client;
    struct webhook_key *keys[2];  // NULL: not signed; the second one only while a secret is replaced
    struct request_head *heads;   // the one in use first; calls may still use the others
    struct endpoint_call *idle;
};

static bool add_head(struct endpoint *e, const char *content_type, struct fault *f)
{
    const struct function_config *config = e->config;
    struct http_header *headers CLEANUP(memory_free_pointer) =
        memory_new((config->http.headers.count + 2) * sizeof(*headers));
    size_t count = 0;
    headers[count++] = (struct http_header){"Content-Type", content_type};
    char *bearer CLEANUP(memory_free_secret_pointer) = NULL;
    if (config->http.bearer != NULL) {
        bearer = memory_format("Bearer %s", config->http.bearer);
        headers[count++] = (struct http_header){"Authorization", bearer};
    }
    for (size_t i = 0; i < config->http.headers.count; i++) {
        const struct text_pair *pair = &config->http.headers.items[i];
        headers[count++] = (struct http_header){pair->key, pair->value};
    }
    const struct http_head_params params = {
        .method = "POST",
        .url = config->http.url,
        .headers = headers,
        .header_count = count,
    };
    struct http_head *head = NULL;
    if (!http_head_new(&params, &head, f)) {
        return fault_context(f, "endpoint.http");
    }
    struct request_head *added = memory_new(sizeof(*added));
    *added = (struct request_head){head, content_type, e->heads};
    e->heads = added;
    return true;
}

static const struct http_head *head_of(struct endpoint *e, const char *content_type)
{
    for (const struct request_head *head = e->heads; head != NULL; head = head->next) {
        if (head->content_type == content_type) {
            return head->head;
        }
    }
    struct fault f;
    INVARIANT(add_head(e, content_type, &f));  // http_open has checked all but this type
    INVARIANT(e->heads != NULL);
    return e->heads->head;
}

static bool open_keys(struct endpoint *e, struct fault *f)
{
    const char *const secrets[] = {e->config->http.webhook_secret, e->config->http.webhook_previous_secret};
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        if (secrets[i] != NULL && !webhook_key_new(secrets[i], &e->keys[i], f)) {
            return fault_context(f, "endpoint.http.auth.standard_webhooks");
        }
    }
    return true;
}

static void http_close(struct endpoint *e)
{
    if (e == NULL) {
        return;
    }
    http_client_free(e->client);
    for (size_t i = 0; i < COUNT_OF(e->keys); i++) {
        webhook_key_free(e->keys[i]);
    }
    for (struct request_head *head = e->heads, *next; head != NULL; head = next) {
        next = head->next;
        http_head_free(head->head);
        free(head);
    }
    for (struct endpoint_call *call = e->idle, *next; call != NULL; call = next) {
        next = call->next;
        free(call);
    }
    free(e);
}

static bool http_open(const struct function_config *config, uv_loop_t *loop, struct endpoint **ret,
                      struct fault *f)
{
    struct endpoint *e = memory_zeroed(1, sizeof(*e));
    e->config = config;
    if (!add_head(e, "application/json", f) || !open_keys(e, f)) {
        http_close(e);
        return false;
    }
    const struct http_client_params params = {.connections_max = (size_t)config->delivery.concurrency};
    e->client = http_client_new(loop, &params);
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
        .is_abort = r->is_abort,
        .body = r->body,
        .is_cut = r->is_cut,
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
    struct endpoint_call *call = e->idle;
    if (call != NULL) {
        e->idle = call->next;
    } else {
        call = memory_new(sizeof(*call));
    }
    *call = (struct endpoint_call){.endpoint = e, .on_response = on_response, .self = self};
    struct http_request r = {
        .head = head_of(e, request->content_type),
        .header_lines = request->header_lines,
        .body = request->body,
        .timeout_us = request->timeout_us,
        .response_max_bytes = request->response_max_bytes,
    };
    call->call = http_client_send(e->client, &r, on_done, call);
    return call;
}

/** Appends the signatures of all keys; the id is in the lines. */
static void append_signatures(struct endpoint *e, const struct endpoint_attempt *attempt, size_t id_at,
                              size_t id_size, struct bytes *lines)
{
    for (size_t i = 0; i < COUNT_OF(e->keys) && e->keys[i] != NULL; i++) {
        bytes_append_string(lines, i == 0 ? "\r\nwebhook-signature: " : " ");
        const struct webhook_message message = {
            .id = slice_make(lines->data + id_at, id_size),
            .timestamp_s = attempt->wall_us / CLOCK_US_PER_S,
            .body = attempt->body,
        };
        webhook_signature_append(lines, e->keys[i], &message);
    }
}

// Source: Standard Webhooks 1.0: the id is the same on each attempt, the timestamp is that of the attempt.
static void http_sign(struct endpoint *e, const struct endpoint_attempt *attempt, struct bytes *lines)
{
    if (e->keys[0] == NULL) {
        return;
    }
    bytes_append_string(lines, lines->size > 0 ? "\r\nwebhook-id: " : "webhook-id: ");
    size_t id_at = lines->size;
    if (attempt->message_id.size > 0) {
        webhook_id_append(lines, attempt->message_id);
    } else {
        webhook_id_append_digest(lines, attempt->body);
    }
    size_t id_size = lines->size - id_at;
    bytes_format(lines, "\r\nwebhook-timestamp: %" PRId64, attempt->wall_us / CLOCK_US_PER_S);
    append_signatures(e, attempt, id_at, id_size, lines);
}

static void http_cancel(struct endpoint *e, struct endpoint_call *call)
{
    http_call_cancel(call->call);
    call->next = e->idle;
    e->idle = call;
}

const struct endpoint_type endpoint_http = {
    .kind = "http",
    .summary = "POST to a URL",
    .body_max = SIZE_MAX,
    .open = http_open,
    .sign = http_sign,
    .send = http_send,
    .cancel = http_cancel,
    .close = http_close,
};

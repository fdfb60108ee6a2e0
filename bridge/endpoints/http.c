// Functions at a URL: POST, the configured headers, a bearer token.
#include "bridge/endpoints/endpoint.h"
#include "core/http/http_client.h"
#include "core/http/http_head.h"

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
    struct request_head *heads;  // the one in use first; calls may still use the others
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

static bool http_open(const struct function_config *config, uv_loop_t *loop, struct endpoint **ret,
                      struct fault *f)
{
    struct endpoint *e = memory_zeroed(1, sizeof(*e));
    e->config = config;
    if (!add_head(e, "application/json", f)) {
        free(e);
        return false;
    }
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

const struct endpoint_type endpoint_http = {
    .kind = "http",
    .summary = "POST to a URL",
    .body_max = SIZE_MAX,
    .open = http_open,
    .send = http_send,
    .cancel = http_cancel,
    .close = http_close,
};

#include "core/http/http_client.h"

#include "core/base/memory.h"
#include "core/http/http_head.h"
#include "core/http/http_transport.h"

struct http_client {
    uv_loop_t *loop;
    size_t connections_max;
    void *plain;  // of http1_client; opened by the first call that needs it, as the next
    void *tls;    // of http_curl
};

struct http_client *http_client_new(uv_loop_t *loop, size_t connections_max)
{
    struct http_client *c = memory_zeroed(1, sizeof(*c));
    c->loop = loop;
    c->connections_max = connections_max < HTTP_CLIENT_CALLS_MAX ? connections_max : HTTP_CLIENT_CALLS_MAX;
    return c;
}

struct http_call *http_client_send(struct http_client *c, const struct http_request *request,
                                   http_on_done on_done, void *self)
{
    const struct http_transport_type *type = request->head->is_tls ? &http_curl : &http1_client;
    void **transport = request->head->is_tls ? &c->tls : &c->plain;
    if (*transport == NULL) {
        *transport = type->open(c->loop, c->connections_max);
    }
    return type->send(*transport, request, on_done, self);
}

void http_call_cancel(struct http_call *call)
{
    call->type->cancel(call);
}

void http_client_free(struct http_client *c)
{
    if (c == NULL) {
        return;
    }
    http1_client.close(c->plain);
    http_curl.close(c->tls);
    free(c);
}

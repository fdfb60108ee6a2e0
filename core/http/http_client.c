#include "core/http/http_client.h"

#include "core/base/memory.h"
#include "core/http/http_transport.h"

struct http_client {
    uv_loop_t *loop;
    size_t connections_max;
    void *curl;  // opened by the first call that needs it
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
    if (c->curl == NULL) {
        c->curl = http_curl.open(c->loop, c->connections_max);
    }
    return http_curl.send(c->curl, request, on_done, self);
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
    http_curl.close(c->curl);
    free(c);
}

#include "core/http/http_client.h"

#include "core/base/memory.h"
#include "core/http/http_redirect.h"
#include "core/http/http_transport.h"

struct http_client {
    uv_loop_t *loop;
    struct http_client_params params;  // its texts are copies
    void *transport;                   // of http1_client; opened by the first call
    struct http_redirects redirects;
};

static char *copy_of(const char *text)
{
    return text == NULL ? NULL : memory_string(text);
}

struct http_client *http_client_new(uv_loop_t *loop, const struct http_client_params *params)
{
    struct http_client *c = memory_zeroed(1, sizeof(*c));
    c->loop = loop;
    c->params = *params;
    if (c->params.connections_max > HTTP_CLIENT_CALLS_MAX) {
        c->params.connections_max = HTTP_CLIENT_CALLS_MAX;
    }
    c->params.tls = (struct http_tls_params){
        .ca = copy_of(params->tls.ca),
        .certificate = copy_of(params->tls.certificate),
        .key = copy_of(params->tls.key),
        .server_name = copy_of(params->tls.server_name),
    };
    c->params.proxy = (struct http_proxy_params){
        .url = copy_of(params->proxy.url),
        .username = copy_of(params->proxy.username),
        .password = copy_of(params->proxy.password),
    };
    return c;
}

static void clear_params(struct http_client_params *params)
{
    const char *const texts[] = {params->tls.ca,        params->tls.certificate, params->tls.server_name,
                                 params->proxy.url,     params->proxy.username,  params->tls.key,
                                 params->proxy.password};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        memory_free_secret((char *)(uintptr_t)texts[i]);
    }
}

struct http_call *http_client_send(struct http_client *c, const struct http_request *request,
                                   http_on_done on_done, void *self)
{
    if (c->transport == NULL) {
        c->transport = http1_client.open(c->loop, &c->params);
        c->redirects = (struct http_redirects){&http1_client, c->transport, c->params.redirects_max, NULL};
    }
    if (c->params.redirects_max > 0) {
        return http_redirects_send(&c->redirects, request, on_done, self);
    }
    return http1_client.send(c->transport, request, on_done, self);
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
    http1_client.close(c->transport);
    http_redirects_clear(&c->redirects);
    clear_params(&c->params);
    free(c);
}

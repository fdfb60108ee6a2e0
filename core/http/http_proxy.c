#include "core/http/http_proxy.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/http/http_head.h"

/** The lines of the head that a proxy wants, of a request with the proxy's URL. */
static char *headers_of(const struct http_head *head)
{
    struct bytes out CLEANUP(bytes_wipe) = {0};
    for (size_t i = 0; i < head->field_count; i++) {
        bool is_credential = slice_equal(head->fields[i].name, slice_of("authorization"));
        bytes_append_string(&out, is_credential ? "Proxy-Authorization: " : "User-Agent: ");
        bytes_append_slice(&out, head->fields[i].value);
        bytes_append_string(&out, "\r\n");
    }
    return memory_string(bytes_text(&out));
}

bool http_proxy_new(const struct http_proxy_params *params, struct http_proxy **ret, struct fault *f)
{
    const struct http_head_params of_url = {
        .method = "GET",
        .url = params->url,
        .username = params->username,
        .password = params->password,
    };
    struct http_head *head = NULL;
    if (!http_head_new(&of_url, &head, f)) {
        return fault_context(f, "proxy");
    }
    bool is_plain = !head->is_tls && head->target_size == 1;
    if (is_plain) {
        struct http_proxy *p = memory_zeroed(1, sizeof(*p));
        p->host = memory_string(head->host);
        p->port = head->port;
        p->headers = headers_of(head);
        *ret = p;
    }
    http_head_free(head);
    return is_plain || fault_set(f, FAULT_CONFIG, "a proxy's URL is http://HOST:PORT, nothing more");
}

void http_proxy_free(struct http_proxy *p)
{
    if (p == NULL) {
        return;
    }
    free(p->host);
    memory_free_secret(p->headers);
    free(p);
}

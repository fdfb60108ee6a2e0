#include "core/http/http_curl_handle.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/http/http_head.h"

static void set_method(struct http_curl_handle *h, const char *method)
{
    if (h->method != NULL && strcmp(h->method, method) == 0) {
        return;
    }
    free(h->method);
    h->method = memory_string(method);
    bool is_get = strcmp(method, "GET") == 0;
    bool is_post = strcmp(method, "POST") == 0;
    if (is_get) {
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, NULL);
        curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
    } else {
        curl_easy_setopt(h->easy, CURLOPT_POST, 1L);
    }
    curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, is_get || is_post ? NULL : method);
}

/** Parses the URL, which http_head has checked, once: with CURLOPT_URL alone curl would parse it for each
 * transfer. */
static void set_url(struct http_curl_handle *h, const char *url)
{
    CURLU *parsed = curl_url();
    INVARIANT(parsed != NULL);
    INVARIANT(curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK);
    // The head has the header Authorization made of them.
    (void)curl_url_set(parsed, CURLUPART_USER, NULL, 0);
    (void)curl_url_set(parsed, CURLUPART_PASSWORD, NULL, 0);
    curl_easy_setopt(h->easy, CURLOPT_URL, url);
    curl_easy_setopt(h->easy, CURLOPT_CURLU, parsed);
    curl_url_cleanup(h->parsed_url);
    h->parsed_url = parsed;
    free(h->url);
    h->url = memory_string(url);
}

static void set_blob(CURL *easy, CURLoption option, const char *text)
{
    if (text != NULL) {
        struct curl_blob blob = {(void *)(uintptr_t)text, strlen(text), CURL_BLOB_NOCOPY};
        curl_easy_setopt(easy, option, &blob);
    }
}

static void set_tls(CURL *easy, const struct http_tls_params *tls)
{
    set_blob(easy, CURLOPT_CAINFO_BLOB, tls->ca);
    set_blob(easy, CURLOPT_SSLCERT_BLOB, tls->certificate);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, tls->key);
}

static void set_proxy(CURL *easy, const struct http_proxy_params *proxy)
{
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");  // as CURLOPT_PROXY: else from the environment
    curl_easy_setopt(easy, CURLOPT_PROXY, proxy->url == NULL ? "" : proxy->url);
    if (proxy->url != NULL) {
        curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
        curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, proxy->username);
        curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, proxy->password);
    }
}

/** Which HTTP is spoken without TLS, or over it. */
static long version_of(enum http_version version, bool is_tls)
{
    switch (version) {
    case HTTP_VERSION_AUTO:
        return CURL_HTTP_VERSION_2TLS;
    case HTTP_VERSION_1_1:
        return CURL_HTTP_VERSION_1_1;
    case HTTP_VERSION_2:
        break;
    }
    return is_tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
}

void http_curl_handle_init(struct http_curl_handle *h, struct http_sockets *sockets,
                           const struct http_client_params *params)
{
    *h = (struct http_curl_handle){.easy = curl_easy_init(), .version = params->version};
    CURL *easy = h->easy;
    INVARIANT(easy != NULL);
    set_proxy(easy, &params->proxy);
    set_tls(easy, &params->tls);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    // No CURLOPT_PIPEWAIT: it would delay all other calls until the first response.
    http_sockets_adopt(sockets, easy);
}

void http_curl_handle_configure(struct http_curl_handle *h, const struct http_request *request)
{
    const struct http_head *head = request->head;
    if (h->url == NULL || strcmp(h->url, head->url) != 0) {
        set_url(h, head->url);
    }
    if (h->has_target || request->target != NULL) {
        curl_easy_setopt(h->easy, CURLOPT_REQUEST_TARGET, request->target);
        h->has_target = request->target != NULL;
    }
    curl_easy_setopt(h->easy, CURLOPT_HTTP_VERSION, version_of(h->version, head->is_tls));
    set_method(h, head->method);
    struct curl_slist *headers = head->headers;
    if (request->header_lines != NULL) {
        // curl sends a node's text unchanged and parses only its first header name.
        h->lines = (struct curl_slist){(char *)(uintptr_t)request->header_lines, headers};
        headers = &h->lines;
    }
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers);
    if (head->has_content) {
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS,
                         request->body.size == 0 ? (const void *)"" : request->body.data);
    }
}

void http_curl_handle_clear(struct http_curl_handle *h)
{
    curl_easy_cleanup(h->easy);
    curl_url_cleanup(h->parsed_url);
    free(h->url);
    free(h->method);
}

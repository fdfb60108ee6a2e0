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
    curl_easy_setopt(h->easy, CURLOPT_URL, url);  // relative redirects are resolved against it
    curl_easy_setopt(h->easy, CURLOPT_CURLU, parsed);
    curl_url_cleanup(h->parsed_url);
    h->parsed_url = parsed;
    free(h->url);
    h->url = memory_string(url);
}

void http_curl_handle_init(struct http_curl_handle *h, struct http_sockets *sockets)
{
    *h = (struct http_curl_handle){.easy = curl_easy_init()};
    CURL *easy = h->easy;
    INVARIANT(easy != NULL);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");  // else libcurl takes one from the environment
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    // HTTP/2 where TLS offers it. No CURLOPT_PIPEWAIT: it would delay all other calls until the first
    // response.
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    http_sockets_adopt(sockets, easy);
}

void http_curl_handle_configure(struct http_curl_handle *h, const struct http_request *request)
{
    const struct http_head *head = request->head;
    if (h->url == NULL || strcmp(h->url, head->url) != 0) {
        set_url(h, head->url);
    }
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

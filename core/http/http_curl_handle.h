// A handle of libcurl and what it is configured for. Only what changes is set again for the next request.
#ifndef CORE_HTTP_HTTP_CURL_HANDLE_H
#define CORE_HTTP_HTTP_CURL_HANDLE_H

#include <curl/curl.h>

#include "core/http/http_client_params.h"
#include "core/http/http_request.h"
#include "core/http/http_sockets.h"

/** Embedded; must not move while a request runs. */
struct http_curl_handle {
    CURL *easy;
    enum http_version version;
    struct curl_slist lines;  // header_lines as one node in front of the head's list
    char *url;                // as last set, like the next two
    CURLU *parsed_url;
    char *method;
    bool has_target;  // the last request had one of its own
};

/** Makes the handle, its sockets watched by `sockets`. The caller sets the callbacks. The parameters are lent
 * until http_curl_handle_clear. */
void http_curl_handle_init(struct http_curl_handle *h, struct http_sockets *sockets,
                           const struct http_client_params *params);

/** Configures it for a request, which is lent until the transfer has ended. */
void http_curl_handle_configure(struct http_curl_handle *h, const struct http_request *request);

void http_curl_handle_clear(struct http_curl_handle *h);

#endif

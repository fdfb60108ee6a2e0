// What arrives of a response through libcurl, within the limits of http_request.h and http1_parser.h.
#ifndef CORE_HTTP_HTTP_CURL_SINK_H
#define CORE_HTTP_HTTP_CURL_SINK_H

#include <curl/curl.h>

#include "core/http/http_field_list.h"

/** Embedded; must not move while a request runs. Zero-initialised may be cleared. */
struct http_curl_sink {
    struct bytes body;
    size_t body_max;
    size_t discard_left;    // how much of the body behind that may still be read
    bool is_cut;            // there was more: the transfer ended with CURLE_WRITE_ERROR
    size_t head_left;       // how much more the heads may have, those of 1xx and trailers included
    bool is_head_too_long;  // the same for a head
    bool is_head_ended;     // what follows are trailers, or another head after that of a 1xx
    struct http_field_list fields;
};

/** Sets the handle's callbacks. */
void http_curl_sink_attach(struct http_curl_sink *s, CURL *easy);

/** Begins with the next response; keeps the buffers. */
void http_curl_sink_begin(struct http_curl_sink *s, size_t body_max, bool wants_fields);

void http_curl_sink_clear(struct http_curl_sink *s);

#endif

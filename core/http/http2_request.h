// The header fields of a request in HTTP/2.
#ifndef CORE_HTTP_HTTP2_REQUEST_H
#define CORE_HTTP_HTTP2_REQUEST_H

#include <nghttp2/nghttp2.h>

#include "core/http/http_request.h"

/** Buffers that are used again. Zero-initialised may be cleared. */
struct http2_scratch {
    struct bytes text;
    struct bytes fields;  // of nghttp2_nv
};

/** Pseudo-header fields first, names in lower case (RFC 9113, 8.2 and 8.3). The result is valid until the
 * next call, and as long as the request is. */
const nghttp2_nv *http2_request_fields(const struct http_request *request, struct http2_scratch *scratch,
                                       size_t *ret_count);

void http2_scratch_clear(struct http2_scratch *scratch);

#endif

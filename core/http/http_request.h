// A request and its response, as values.
#ifndef CORE_HTTP_HTTP_REQUEST_H
#define CORE_HTTP_HTTP_REQUEST_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

struct http_head;

/** How much of a response's body is read and discarded, beyond what the request wants of it, so that the
 * connection can be used again. A body with more than that is cut off: the response counts, its connection is
 * closed. */
enum { HTTP_BODY_DISCARD_MAX = 1 << 20 };

/** A header of a response, without blanks around the value. */
struct http_field {
    struct slice name;  // as it was sent: in any case in HTTP/1.1, in lower case in HTTP/2
    struct slice value;
};

struct http_request {
    const struct http_head *head;  // lent until on_done
    const char *target;         // path and query in place of the head's: visible ASCII, begins with '/'; lent
                                // until on_done; NULL: the head's
    const char *header_lines;   // further headers, joined by CR LF, none at the end; lent; NULL: none
    const char *credentials;    // the part of header_lines, up to their end, that is secret; NULL: none
    struct slice body;          // lent until on_done; only with a method that has content
    int64_t timeout_us;         // for the whole call
    size_t response_max_bytes;  // of the response's body; the rest is discarded, or cut off
    bool wants_fields;          // the response is to have all headers
};

/** Valid during on_done. */
struct http_response {
    struct fault transport;  // kind FAULT_NONE: `status` is valid; FAULT_RETRY: no complete response arrived
    bool is_sent;  // with a transport fault: whether a byte of the request may have reached the peer
    bool is_timeout;
    int status;
    int64_t retry_after_us;  // -1: Retry-After absent or invalid, or status not 429 or 503; at most 2^31 s
    const char *location;    // of a 3xx, absolute; NULL
    bool is_abort;           // a header `webhook-delivery: abort-message`
    struct slice body;       // the first response_max_bytes
    const struct http_field
        *fields;  // all headers in the order of their arrival, if wants_fields; no trailers
    size_t field_count;
    bool is_cut;  // the body is longer than response_max_bytes + HTTP_BODY_DISCARD_MAX
    int64_t took_us;
};

typedef void (*http_on_done)(void *self, const struct http_response *response);

#endif

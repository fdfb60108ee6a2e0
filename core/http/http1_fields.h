// What the head of a response in HTTP/1.1 says: its status line and the fields that the client obeys.
#ifndef CORE_HTTP_HTTP1_FIELDS_H
#define CORE_HTTP_HTTP1_FIELDS_H

#include "core/http/http_field_list.h"

enum { HTTP1_RETRY_AFTER_MAX = 64 };

/** Zero-initialised may be cleared. */
struct http1_fields {
    int status;
    int minor;  // 1 of HTTP/1.1
    bool has_length;
    uint64_t length;  // Content-Length
    bool has_coding;  // a Transfer-Encoding
    bool is_chunked;  // its last coding so far
    bool is_close;
    bool is_keep_alive;
    int64_t keep_alive_s;  // of Keep-Alive: timeout=…; -1: absent
    bool is_abort;         // Webhook-Delivery: abort-message
    bool has_retry_after;
    bool has_location;
    char retry_after[HTTP1_RETRY_AFTER_MAX];  // of the first field Retry-After, empty if it is too long
    struct bytes location;                    // of the first field Location; a NUL follows it
    struct http_field_list list;              // all fields, if the caller wants them
};

/** Forgets what the last head said; keeps the buffers. */
void http1_fields_begin(struct http1_fields *f, bool wants_list);

/**
 * Takes `HTTP/1.1 200 OK`, without its line's end; the reason and the blank before it may be absent.
 *
 * @return NULL, or why the response is bad; static
 */
const char *http1_fields_take_status_line(struct http1_fields *f, struct slice line);

/** The same for the line of a field, unfolded. */
const char *http1_fields_take(struct http1_fields *f, struct slice line);

/** The same for a name and a value without blanks around it. */
const char *http1_fields_take_pair(struct http1_fields *f, struct slice name, struct slice value);

void http1_fields_clear(struct http1_fields *f);

#endif

// The constant part of all requests to one URL: parsed and written once, only copied from then on.
#ifndef CORE_HTTP_HTTP_HEAD_H
#define CORE_HTTP_HTTP_HEAD_H

#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/http/http_request.h"

struct http_header {
    const char *name;
    const char *value;
    bool is_secret;  // HTTP/2 keeps it out of the tables of header compression
};

/** Borrowed for the call. */
struct http_head_params {
    const char *method;                 // GET, or one whose requests have content, even if it is empty
    const char *url;                    // http:// or https://
    const struct http_header *headers;  // Host, User-Agent and Authorization replace what is sent by default
    size_t header_count;
    const char *username;  // basic auth; NULL: what the URL says, or none
    const char *password;
};

/** A header for HTTP/2. */
struct http_head_field {
    struct slice name;  // in lower case
    struct slice value;
    bool is_secret;
};

/** Read-only for all but http_head.c. */
struct http_head {
    bool is_tls;
    bool has_content;  // the method is not GET
    char *method;
    char *url;
    char *host;  // to look up: a name or an address, without brackets
    int port;
    size_t target_at;  // path and query in `text`
    size_t target_size;
    struct bytes text;  // for HTTP/1.1: up to and with "Content-Length: " if it has content, else up
                        // to the end of the last header
    struct http_head_field *fields;  // for HTTP/2: the same headers without Host
    size_t field_count;
    struct slice authority;  // what Host says
    struct bytes field_text;
};

/**
 * @param f  FAULT_CONFIG: the URL is invalid or not http or https, or a header would break the request: a
 *           name that is no token, a line end in a value, Content-Length, Transfer-Encoding
 */
bool http_head_new(const struct http_head_params *params, struct http_head **ret, struct fault *f) MUST_USE;

/** No call uses it any more. Accepts NULL. */
void http_head_free(struct http_head *head);

/**
 * The URL of a redirect as an absolute one, resolved against that of the request; NULL when it is invalid.
 * The caller frees it.
 *
 * @param target  of the request, in place of the head's; NULL: the head's
 */
char *http_head_resolve(const struct http_head *head, const char *target, const char *location);

/** Path and query of an absolute URL, if it has the head's scheme, host and port; else NULL. The caller frees
 * it. */
char *http_head_target_of(const struct http_head *head, const char *url);

#endif

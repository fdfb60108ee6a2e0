// A request on its way into a socket: borrowed pieces, written together.
#ifndef CORE_HTTP_HTTP1_OUTPUT_H
#define CORE_HTTP_HTTP1_OUTPUT_H

#include <sys/uio.h>

#include "core/http/http_request.h"
#include "core/http/http_stream.h"

enum { HTTP1_OUTPUT_PARTS = 7, HTTP1_OUTPUT_LENGTH_MAX = 24 };

/** Embedded; must not move while it is in use. */
struct http1_output {
    struct iovec parts[HTTP1_OUTPUT_PARTS];
    int next;  // the first part that is not written yet
    int count;
    bool is_begun;  // the kernel has taken a byte
    char length[HTTP1_OUTPUT_LENGTH_MAX];
};

/** The request's parts are lent until the output is no longer used. */
void http1_output_begin(struct http1_output *o, const struct http_request *request);

/** Writes what the stream takes. Returns 0, or the errno for which nothing was taken; EAGAIN is none. */
int http1_output_write(struct http1_output *o, struct http_stream *stream);

static inline bool http1_output_is_done(const struct http1_output *o)
{
    return o->next == o->count;
}

#endif

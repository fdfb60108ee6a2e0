// A connected socket, with or without TLS on it. Non-blocking; the owner watches the descriptor.
#ifndef CORE_HTTP_HTTP_STREAM_H
#define CORE_HTTP_HTTP_STREAM_H

#include <sys/types.h>

#include "core/base/bytes.h"
#include "core/http/http_tls.h"

struct iovec;

/** Embedded in its owner, and may move. */
struct http_stream {
    int fd;                // -1: closed
    struct ssl_st *ssl;    // NULL: plain
    struct http_tls *tls;  // lent
    bool has_read;         // a byte has arrived
    bool is_refused;       // the peer refused the client's certificate before it read anything
    struct fault fault;    // why TLS failed, when `errno` is EPROTO
};

/** Reads once. Returns the number of bytes; 0 at the orderly end; -1: see errno, EAGAIN when nothing has
 * arrived. */
ssize_t http_stream_read(struct http_stream *s, void *data, size_t size);

/** Writes what is taken at once. Returns the number of bytes, 0 for none; -1: see errno. */
ssize_t http_stream_write(struct http_stream *s, const struct iovec *parts, int count);

/** Whether nothing has arrived, not even the end. TLS's own messages are taken out. */
bool http_stream_is_quiet(struct http_stream *s);

/** What went wrong, after -1 with this errno; borrowed until the next call. */
const char *http_stream_error(const struct http_stream *s, int code);

void http_stream_close(struct http_stream *s);

#endif

#include "core/http/http_stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { RECORD_MAX = 16 * 1024 };  // RFC 8446, 5.1: more in one go would be cut anyway

/** Turns the failure of an SSL function into errno. */
static ssize_t fail(struct http_stream *s, int result)
{
    int saved = errno;
    int code = SSL_get_error(s->ssl, result);
    switch (code) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        s->is_refused = !s->has_read && http_tls_is_refusal();
        errno = saved;
        http_tls_explain(s->tls, s->ssl, code, "", &s->fault);
        errno = EPROTO;
        return -1;
    }
}

static ssize_t read_tls(struct http_stream *s, void *data, size_t size)
{
    ERR_clear_error();
    int got = SSL_read(s->ssl, data, size > INT32_MAX ? INT32_MAX : (int)size);
    s->has_read = s->has_read || got > 0;
    return got > 0 ? got : fail(s, got);
}

ssize_t http_stream_read(struct http_stream *s, void *data, size_t size)
{
    if (s->ssl != NULL) {
        return read_tls(s, data, size);
    }
    ssize_t got;
    do {
        got = recv(s->fd, data, size, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    return got;
}

/** After a write has failed: the peer may have said why, before it closed the connection. */
static void look_for_alert(struct http_stream *s)
{
    char byte;
    const struct fault of_write = s->fault;
    ERR_clear_error();
    int got = SSL_peek(s->ssl, &byte, 1);  // a response stays where it is
    if (got > 0 || fail(s, got) >= 0 || !s->is_refused) {
        s->fault = of_write;
    }
}

/** Small parts go into one record. A record that was not taken is offered again with the same bytes, as
 * SSL_write wants it, because the parts begin with them. */
static ssize_t write_tls(struct http_stream *s, const struct iovec *parts, int count)
{
    uint8_t record[RECORD_MAX];
    size_t size = 0;
    const void *data = record;
    if (count == 1) {
        data = parts[0].iov_base;
        size = parts[0].iov_len < RECORD_MAX ? parts[0].iov_len : RECORD_MAX;
    } else {
        for (int i = 0; i < count && size < RECORD_MAX; i++) {
            size_t room = RECORD_MAX - size;
            size_t taken = parts[i].iov_len < room ? parts[i].iov_len : room;
            memcpy(record + size, parts[i].iov_base, taken);
            size += taken;
        }
    }
    ERR_clear_error();
    int written = SSL_write(s->ssl, data, (int)size);
    if (data == record) {
        explicit_bzero(record, size);  // it has headers
    }
    if (written > 0) {
        return written;
    }
    ssize_t result = fail(s, written);
    if (result < 0 && errno == EAGAIN) {
        return 0;
    }
    if (result == 0) {
        (void)fault_set(&s->fault, FAULT_RETRY, "the server closed the connection");
    }
    look_for_alert(s);
    errno = EPROTO;
    return -1;
}

ssize_t http_stream_write(struct http_stream *s, const struct iovec *parts, int count)
{
    if (s->ssl != NULL) {
        return write_tls(s, parts, count);
    }
    ssize_t size;
    do {
        struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count};
        size = sendmsg(s->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (size < 0 && errno == EINTR);
    return size < 0 && errno == EAGAIN ? 0 : size;
}

bool http_stream_is_quiet(struct http_stream *s)
{
    char byte;
    if (s->ssl != NULL) {
        return read_tls(s, &byte, 1) < 0 && errno == EAGAIN;
    }
    return recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

const char *http_stream_error(const struct http_stream *s, int code)
{
    return code == EPROTO && s->ssl != NULL ? s->fault.text : strerror(code);
}

void http_stream_close(struct http_stream *s)
{
    if (s->ssl != NULL) {
        ERR_clear_error();
        (void)SSL_shutdown(s->ssl);  // says goodbye if there is room, and waits for nothing
        SSL_free(s->ssl);
        ERR_clear_error();
        s->ssl = NULL;
    }
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
}

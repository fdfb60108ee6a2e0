#include "core/http/http1_output.h"

#include <errno.h>
#include <string.h>

#include "core/http/http_head.h"

static void add(struct http1_output *o, const void *data, size_t size)
{
    if (size > 0) {
        o->parts[o->count++] = (struct iovec){(void *)(uintptr_t)data, size};
    }
}

/** The digits and the line's end. */
static void add_length(struct http1_output *o, size_t length)
{
    char *end = o->length + sizeof(o->length);
    char *at = end - 2;
    at[0] = '\r';
    at[1] = '\n';
    do {
        *--at = (char)('0' + length % 10);
        length /= 10;
    } while (length > 0);
    add(o, at, (size_t)(end - at));
}

static void add_head(struct http1_output *o, const struct http_head *head, const char *target)
{
    if (target == NULL) {
        add(o, head->text.data, head->text.size);
        return;
    }
    size_t rest = head->target_at + head->target_size;
    add(o, head->text.data, head->target_at);
    add(o, target, strlen(target));
    add(o, head->text.data + rest, head->text.size - rest);
}

void http1_output_begin(struct http1_output *o, const struct http_request *request)
{
    o->next = 0;
    o->count = 0;
    o->is_begun = false;
    add_head(o, request->head, request->target);
    if (request->head->has_content) {
        add_length(o, request->body.size);
    }
    if (request->header_lines != NULL && request->header_lines[0] != '\0') {
        add(o, request->header_lines, strlen(request->header_lines));
        add(o, "\r\n\r\n", 4);
    } else {
        add(o, "\r\n", 2);
    }
    if (request->head->has_content) {
        add(o, request->body.data, request->body.size);
    }
}

static void advance(struct http1_output *o, size_t size)
{
    o->is_begun = o->is_begun || size > 0;
    while (o->next < o->count && size >= o->parts[o->next].iov_len) {
        size -= o->parts[o->next++].iov_len;
    }
    if (size > 0) {
        struct iovec *part = &o->parts[o->next];
        part->iov_base = (char *)part->iov_base + size;
        part->iov_len -= size;
    }
}

int http1_output_write(struct http1_output *o, struct http_stream *stream)
{
    bool has_written = false;
    do {
        ssize_t size = http_stream_write(stream, o->parts + o->next, o->count - o->next);
        if (size < 0 && !has_written) {
            return errno;
        }
        if (size <= 0) {
            return 0;  // a failure comes again
        }
        has_written = true;
        advance(o, (size_t)size);
    } while (stream->ssl != NULL && !http1_output_is_done(o));  // a record at a time
    return 0;
}

#include "core/http/http2_request.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/http/http_head.h"

enum { LENGTH_MAX = 24 };

/** What is secret is kept out of the tables of header compression (RFC 7541, 7.1.3). */
static void add_field(struct http2_scratch *s, struct slice name, struct slice value, bool is_secret)
{
    const nghttp2_nv field = {(uint8_t *)(uintptr_t)name.data, (uint8_t *)(uintptr_t)value.data, name.size,
                              value.size, is_secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE};
    bytes_append(&s->fields, &field, sizeof(field));
}

static void add(struct http2_scratch *s, struct slice name, struct slice value)
{
    add_field(s, name, value, false);
}

static struct slice without_blanks(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t')) {
        from++;
    }
    return slice_make(from, (size_t)(to - from));
}

/** Lines joined by CR LF. Their names are copied in lower case into `text`, which has room for them. */
static void add_lines(struct http2_scratch *s, const char *lines, const char *secret)
{
    while (*lines != '\0') {
        size_t size = strcspn(lines, "\r\n");
        const char *colon = memchr(lines, ':', size);
        if (colon != NULL) {
            uint8_t *name = s->text.data + s->text.size;
            size_t name_size = (size_t)(colon - lines);
            for (size_t i = 0; i < name_size; i++) {
                name[i] = (uint8_t)tolower((unsigned char)lines[i]);
            }
            s->text.size += name_size;
            add_field(s, slice_make(name, name_size), without_blanks(colon + 1, lines + size),
                      secret != NULL && lines >= secret);
        }
        lines += size;
        lines += strspn(lines, "\r\n");
    }
}

const nghttp2_nv *http2_request_fields(const struct http_request *request, struct http2_scratch *scratch,
                                       size_t *ret_count)
{
    const struct http_head *head = request->head;
    const char *lines = request->header_lines == NULL ? "" : request->header_lines;
    bytes_reset(&scratch->text);
    bytes_reset(&scratch->fields);
    (void)bytes_reserve(&scratch->text, strlen(lines) + LENGTH_MAX);
    add(scratch, slice_of(":method"), slice_of(head->method));
    add(scratch, slice_of(":scheme"), slice_of(head->is_tls ? "https" : "http"));
    add(scratch, slice_of(":authority"), head->authority);
    struct slice target = request->target != NULL
                              ? slice_of(request->target)
                              : slice_make(head->text.data + head->target_at, head->target_size);
    add_field(scratch, slice_of(":path"), target, true);  // URLs often have keys in them
    for (size_t i = 0; i < head->field_count; i++) {
        add_field(scratch, head->fields[i].name, head->fields[i].value, head->fields[i].is_secret);
    }
    add_lines(scratch, lines, request->credentials);
    if (head->has_content) {
        char *length = (char *)scratch->text.data + scratch->text.size;
        int size = snprintf(length, LENGTH_MAX, "%zu", request->body.size);
        add(scratch, slice_of("content-length"), slice_make(length, (size_t)size));
    }
    *ret_count = scratch->fields.size / sizeof(nghttp2_nv);
    return (const nghttp2_nv *)(const void *)scratch->fields.data;
}

void http2_scratch_clear(struct http2_scratch *scratch)
{
    bytes_wipe(&scratch->text);
    bytes_clear(&scratch->fields);
}

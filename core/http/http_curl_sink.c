#include "core/http/http_curl_sink.h"

#include "core/http/http1_parser.h"

static size_t on_body(char *data, size_t size, size_t count, void *self)
{
    struct http_curl_sink *s = self;
    size_t room = s->body_max - s->body.size;
    size_t got = size * count;
    size_t kept = got < room ? got : room;
    bytes_append(&s->body, data, kept);
    if (got - kept > s->discard_left) {
        s->is_cut = true;
        return 0;
    }
    s->discard_left -= got - kept;
    return got;
}

static struct slice trim(struct slice s)
{
    while (s.size > 0 && strchr(" \t\r\n", s.data[0]) != NULL) {
        s = slice_make(s.data + 1, s.size - 1);
    }
    while (s.size > 0 && strchr(" \t\r\n", s.data[s.size - 1]) != NULL) {
        s.size--;
    }
    return s;
}

/** Keeps the field that a line has; a status line begins anew. */
static void take_line(struct http_curl_sink *s, struct slice line)
{
    if (line.size >= 5 && memcmp(line.data, "HTTP/", 5) == 0) {
        s->is_head_ended = false;
        http_field_list_begin(&s->fields, s->fields.is_wanted);
        return;
    }
    const uint8_t *colon = memchr(line.data, ':', line.size);
    s->is_head_ended = s->is_head_ended || trim(line).size == 0;
    if (!s->is_head_ended && colon != NULL) {
        size_t size = (size_t)(colon - line.data);
        http_field_list_add(&s->fields, slice_make(line.data, size),
                            trim(slice_make(colon + 1, line.size - size - 1)));
    }
}

/** A line of a head. libcurl keeps all of them, some versions without a limit. */
static size_t on_head(char *data, size_t size, size_t count, void *self)
{
    struct http_curl_sink *s = self;
    size_t got = size * count;
    if (got > s->head_left) {
        s->is_head_too_long = true;
        return 0;
    }
    s->head_left -= got;
    if (s->fields.is_wanted) {
        take_line(s, slice_make(data, got));
    }
    return got;
}

void http_curl_sink_attach(struct http_curl_sink *s, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, s);
}

void http_curl_sink_begin(struct http_curl_sink *s, size_t body_max, bool wants_fields)
{
    s->body_max = body_max;
    s->discard_left = HTTP_BODY_DISCARD_MAX;
    s->head_left = HTTP1_HEAD_BYTES_MAX;
    s->is_cut = s->is_head_too_long = s->is_head_ended = false;
    http_field_list_begin(&s->fields, wants_fields);
    bytes_reset(&s->body);
}

void http_curl_sink_clear(struct http_curl_sink *s)
{
    bytes_clear(&s->body);
    http_field_list_clear(&s->fields);
}

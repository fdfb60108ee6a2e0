#include "core/http/http1_parser.h"

#include "core/base/memory.h"

static bool refuse(struct http1_parser *p, const char *why)
{
    p->state = HTTP1_BAD;
    p->why = why;
    return false;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/** Forgets what the head of a 1xx said. */
static void begin_head(struct http1_parser *p)
{
    p->state = HTTP1_STATUS_LINE;
    p->left = 0;
    http1_fields_begin(&p->fields, p->wants_fields);
}

/** The rest of the body is not read. */
static void cut_off(struct http1_parser *p)
{
    p->state = HTTP1_DONE;
    p->is_cut = true;
    p->fields.is_close = true;
}

/** A body whose length is known: of one that is too long no more is read than is kept. */
static void begin_body(struct http1_parser *p)
{
    p->left = p->fields.length;
    p->state = p->left == 0 ? HTTP1_DONE : HTTP1_BODY;
    if (p->left > p->body_max && p->left - p->body_max > p->discard_left) {
        p->discard_left = 0;
        if (p->body_max == 0) {
            cut_off(p);
        }
    }
}

/** RFC 9112, 6.3: how the body's length is known. */
static bool end_head(struct http1_parser *p)
{
    if (p->fields.status < 200) {
        begin_head(p);
        return true;
    }
    if (p->fields.status == 204 || p->fields.status == 304) {
        p->state = HTTP1_DONE;
    } else if (p->fields.has_coding) {
        p->state = p->fields.is_chunked ? HTTP1_CHUNK_SIZE : HTTP1_BODY_TO_END;
    } else if (p->fields.has_length) {
        begin_body(p);
    } else {
        p->state = HTTP1_BODY_TO_END;
    }
    p->head_bytes = 0;  // from here on of the trailers
    return true;
}

static struct slice without_line_end(struct slice line)
{
    size_t size = line.size - 1;
    return slice_make(line.data, size > 0 && line.data[size - 1] == '\r' ? size - 1 : size);
}

/**
 * Takes a line out of `in`, with its LF: in place when it is all there and nothing of it came before. False:
 * more must arrive (or it is too long).
 */
static bool take_line(struct http1_parser *p, struct slice *in, struct slice *ret)
{
    const uint8_t *end = memchr(in->data, '\n', in->size);
    size_t size = end == NULL ? in->size : (size_t)(end - in->data) + 1;
    bool is_chunk = p->state == HTTP1_CHUNK_SIZE;
    p->head_bytes += is_chunk ? 0 : size;
    size_t limit = is_chunk ? HTTP1_CHUNK_LINE_MAX - p->line.size : HTTP1_HEAD_BYTES_MAX;
    if (is_chunk ? size > limit : p->head_bytes > limit) {
        return refuse(p, is_chunk ? "the response has a chunk whose size line is too long"
                                  : "the response's headers are larger than 64 KiB");
    }
    if (end == NULL || p->line.size > 0) {
        bytes_append(&p->line, in->data, size);
        *ret = bytes_slice(&p->line);
    } else {
        *ret = slice_make(in->data, size);
    }
    *in = slice_make(in->data + size, in->size - size);
    return end != NULL;
}

/** Replaces the line's end, which is gone, and the blank after it by a space. */
static void unfold(struct http1_parser *p, struct slice *in)
{
    bytes_append_byte(&p->line, ' ');
    *in = slice_make(in->data + 1, in->size - 1);
    p->head_bytes++;
    p->state = HTTP1_FIELD;
}

/** Takes the line of a field that is complete. */
static bool take_field(struct http1_parser *p, struct slice line)
{
    const char *why = http1_fields_take(&p->fields, line);
    bytes_reset(&p->line);
    p->state = HTTP1_FIELD;
    return why == NULL || refuse(p, why);
}

/** The line of a field is complete if no blank follows. */
static bool end_field(struct http1_parser *p, struct slice line, struct slice *in)
{
    if (in->size == 0 || is_blank(in->data[0])) {
        if (p->line.size == 0) {
            bytes_append_slice(&p->line, line);
        }
        p->line.size = line.size;
        p->state = HTTP1_FIELD_ENDED;
        return true;
    }
    return take_field(p, line);
}

static bool step_field(struct http1_parser *p, struct slice *in)
{
    struct slice line;
    if (!take_line(p, in, &line)) {
        return p->state != HTTP1_BAD;
    }
    line = without_line_end(line);
    if (line.size == 0) {
        bytes_reset(&p->line);
        return end_head(p);
    }
    return end_field(p, line, in);
}

static bool step_field_ended(struct http1_parser *p, struct slice *in)
{
    if (is_blank(in->data[0])) {
        unfold(p, in);
        return true;
    }
    return take_field(p, bytes_slice(&p->line));
}

static bool step_status_line(struct http1_parser *p, struct slice *in)
{
    struct slice line;
    if (!take_line(p, in, &line)) {
        return p->state != HTTP1_BAD;
    }
    const char *why = http1_fields_take_status_line(&p->fields, without_line_end(line));
    bytes_reset(&p->line);
    p->state = HTTP1_FIELD;
    return why == NULL || refuse(p, why);
}

static int hex_value(uint8_t c)
{
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/** `1a`, or `1a;name=value`, whose end is discarded. */
static bool parse_chunk_size(struct http1_parser *p, struct slice line)
{
    uint64_t size = 0;
    size_t at = 0;
    p->head_bytes += line.size > HTTP1_CHUNK_LINE_USUAL ? line.size - HTTP1_CHUNK_LINE_USUAL : 0;
    if (p->head_bytes > HTTP1_HEAD_BYTES_MAX) {
        return refuse(p, "the response's chunk extensions are larger than 64 KiB");
    }
    for (; at < line.size && hex_value(line.data[at]) >= 0; at++) {
        if (size > (UINT64_C(1) << 55)) {
            return refuse(p, "the response has a chunk of an impossible size");
        }
        size = size * 16 + (uint64_t)hex_value(line.data[at]);
    }
    bool is_ended = line.size >= 2 && memcmp(line.data + line.size - 2, "\r\n", 2) == 0 &&
                    memchr(line.data, '\r', line.size - 2) == NULL;
    size_t rest = at;
    while (is_blank(line.data[rest])) {
        rest++;
    }
    if (at == 0 || !is_ended || (line.data[rest] != ';' && line.data[rest] != '\r')) {
        return refuse(p, "the response has a chunk whose size line is invalid");
    }
    p->left = size;
    p->state = size == 0 ? HTTP1_TRAILER : HTTP1_CHUNK;
    return true;
}

static bool step_chunk_size(struct http1_parser *p, struct slice *in)
{
    struct slice line;
    if (!take_line(p, in, &line)) {
        return p->state != HTTP1_BAD;
    }
    bool is_good = parse_chunk_size(p, line);
    bytes_reset(&p->line);
    return is_good;
}

/** Takes at most `size` bytes of the body; false: it was cut off. */
static bool take_body(struct http1_parser *p, struct slice *in, uint64_t size)
{
    size_t used = size < in->size ? (size_t)size : in->size;
    size_t room = p->body_max - p->body.size;
    size_t kept = used < room ? used : room;
    bool is_cut = used - kept > p->discard_left;
    used = is_cut ? kept + p->discard_left : used;
    if (kept > 0) {
        bytes_append(&p->body, in->data, kept);
    }
    p->discard_left -= used - kept;
    p->left -= p->state == HTTP1_BODY_TO_END ? 0 : used;
    *in = slice_make(in->data + used, in->size - used);
    if (is_cut) {
        cut_off(p);
    }
    return !is_cut;
}

static bool step_chunk_end(struct http1_parser *p, struct slice *in)
{
    if (in->data[0] != (p->left == 2 ? '\r' : '\n')) {
        return refuse(p, "the response has a chunk that is longer than its size says");
    }
    *in = slice_make(in->data + 1, in->size - 1);
    p->state = --p->left == 0 ? HTTP1_CHUNK_SIZE : HTTP1_CHUNK_END;
    return true;
}

static bool step_trailer(struct http1_parser *p, struct slice *in)
{
    struct slice line;
    if (!take_line(p, in, &line)) {
        return p->state != HTTP1_BAD;
    }
    p->state = without_line_end(line).size == 0 ? HTTP1_DONE : HTTP1_TRAILER;
    bytes_reset(&p->line);
    return true;
}

/** Uses at least one byte or changes the state. False: the response is bad. */
static bool step(struct http1_parser *p, struct slice *in)
{
    switch (p->state) {
    case HTTP1_STATUS_LINE:
        return step_status_line(p, in);
    case HTTP1_FIELD:
        return step_field(p, in);
    case HTTP1_FIELD_ENDED:
        return step_field_ended(p, in);
    case HTTP1_BODY:
        if (take_body(p, in, p->left)) {
            p->state = p->left == 0 ? HTTP1_DONE : HTTP1_BODY;
        }
        return true;
    case HTTP1_BODY_TO_END:
        (void)take_body(p, in, in->size);
        return true;
    case HTTP1_CHUNK_SIZE:
        return step_chunk_size(p, in);
    case HTTP1_CHUNK:
        if (take_body(p, in, p->left) && p->left == 0) {
            p->left = 2;
            p->state = HTTP1_CHUNK_END;
        }
        return true;
    case HTTP1_CHUNK_END:
        return step_chunk_end(p, in);
    case HTTP1_TRAILER:
        return step_trailer(p, in);
    case HTTP1_DONE:
    case HTTP1_BAD:
        break;
    }
    return false;
}

void http1_parser_begin(struct http1_parser *p, size_t body_max, size_t discard_max)
{
    begin_head(p);
    p->has_begun = false;
    p->head_bytes = 0;
    p->body_max = body_max;
    p->discard_left = discard_max;
    p->is_cut = false;
    p->why = NULL;
    bytes_reset(&p->line);
    bytes_reset(&p->body);
    p->body.is_secret = true;  // it may be a token
}

size_t http1_parser_feed(struct http1_parser *p, struct slice in)
{
    size_t size = in.size;
    p->has_begun = p->has_begun || size > 0;
    while (in.size > 0 && p->state < HTTP1_DONE && step(p, &in)) {}
    return size - in.size;
}

void http1_parser_end(struct http1_parser *p)
{
    if (p->state == HTTP1_BODY_TO_END) {
        p->state = HTTP1_DONE;
        p->fields.is_close = true;
    } else if (p->state < HTTP1_DONE) {
        (void)refuse(p, p->has_begun ? "the connection was closed before the response was complete"
                                     : "the connection was closed without a response");
    }
}

bool http1_parser_may_reuse(const struct http1_parser *p)
{
    bool has_stray_body = (p->fields.status == 204 || p->fields.status == 304) &&
                          (p->fields.has_coding || p->fields.length > 0);
    bool is_doubtful =
        has_stray_body || (p->fields.has_coding && (p->fields.has_length || p->fields.minor == 0));
    return p->state == HTTP1_DONE && !p->fields.is_close && !is_doubtful &&
           (p->fields.minor > 0 || p->fields.is_keep_alive);
}

void http1_parser_clear(struct http1_parser *p)
{
    bytes_clear(&p->line);
    bytes_clear(&p->body);
    http1_fields_clear(&p->fields);
}

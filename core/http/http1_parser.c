#include "core/http/http1_parser.h"

#include <strings.h>

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

static struct slice trim(struct slice s)
{
    while (s.size > 0 && is_blank(s.data[0])) {
        s = slice_make(s.data + 1, s.size - 1);
    }
    while (s.size > 0 && is_blank(s.data[s.size - 1])) {
        s.size--;
    }
    return s;
}

static bool is_word(struct slice s, const char *word)
{
    return s.size == strlen(word) && strncasecmp((const char *)s.data, word, s.size) == 0;
}

/** Takes the next element out of a comma-separated list; false at its end. */
static bool next_element(struct slice *list, struct slice *ret)
{
    if (list->size == 0) {
        return false;
    }
    const uint8_t *comma = memchr(list->data, ',', list->size);
    size_t size = comma == NULL ? list->size : (size_t)(comma - list->data);
    size_t used = comma == NULL ? size : size + 1;
    *ret = trim(slice_make(list->data, size));
    *list = slice_make(list->data + used, list->size - used);
    return true;
}

/** `HTTP/1.1 200 OK`; the reason and the blank before it may be absent. */
static bool parse_status_line(struct http1_parser *p, struct slice line)
{
    const uint8_t *c = line.data;
    if (memchr(c, '\0', line.size) != NULL || memchr(c, '\r', line.size) != NULL) {
        return refuse(p, "the response has a status line with a CR or NUL in it");
    }
    bool is_status = line.size >= 12 && memcmp(c, "HTTP/1.", 7) == 0 && is_digit(c[7]) && c[8] == ' ' &&
                     c[9] >= '1' && c[9] <= '9' && is_digit(c[10]) && is_digit(c[11]) &&
                     (line.size == 12 || c[12] == ' ');
    if (!is_status) {
        return refuse(p, "the response does not begin with an HTTP/1 status line");
    }
    p->minor = c[7] - '0';
    p->status = (c[9] - '0') * 100 + (c[10] - '0') * 10 + (c[11] - '0');
    if (p->status == 101) {
        return refuse(p, "the response is 101, a change of protocols that was not asked for");
    }
    p->state = HTTP1_FIELD;
    return true;
}

static bool take_content_length(struct http1_parser *p, struct slice value)
{
    if (p->has_length) {
        return refuse(p, "the response has more than one Content-Length");
    }
    uint64_t length = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (!is_digit(value.data[i]) || length > (INT64_MAX - 9) / 10) {
            return refuse(p, "the response's Content-Length is not a number that is possible");
        }
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    if (value.size == 0) {
        return refuse(p, "the response's Content-Length is empty");
    }
    p->has_length = true;
    p->left = length;
    return true;
}

static bool take_transfer_encoding(struct http1_parser *p, struct slice value)
{
    struct slice coding;
    p->has_coding = true;
    while (next_element(&value, &coding)) {
        if (coding.size == 0) {
            continue;
        }
        if (p->is_chunked) {
            return refuse(p, "the response's Transfer-Encoding goes on after chunked");
        }
        p->is_chunked = is_word(coding, "chunked");
    }
    return true;
}

static void take_connection(struct http1_parser *p, struct slice value)
{
    struct slice option;
    while (next_element(&value, &option)) {
        p->is_close = p->is_close || is_word(option, "close");
        p->is_keep_alive = p->is_keep_alive || is_word(option, "keep-alive");
    }
}

/** Keep-Alive: timeout=5, max=100 */
static void take_keep_alive(struct http1_parser *p, struct slice value)
{
    static const char NAME[] = "timeout=";
    const size_t name_size = sizeof(NAME) - 1;
    struct slice element;
    while (next_element(&value, &element)) {
        if (element.size <= name_size || strncasecmp((const char *)element.data, NAME, name_size) != 0) {
            continue;
        }
        int64_t seconds = 0;
        for (size_t i = name_size; i < element.size && is_digit(element.data[i]) && seconds < 1000000; i++) {
            seconds = seconds * 10 + (element.data[i] - '0');
        }
        p->keep_alive_s = seconds;
    }
}

static void take_retry_after(struct http1_parser *p, struct slice value)
{
    if (!p->has_retry_after && value.size < sizeof(p->retry_after)) {
        memcpy(p->retry_after, value.data, value.size);
        p->retry_after[value.size] = '\0';
    }
    p->has_retry_after = true;
}

static void take_location(struct http1_parser *p, struct slice value)
{
    if (!p->has_location) {
        bytes_append_slice(&p->location, value);
    }
    p->has_location = true;
}

static bool take_field(struct http1_parser *p, struct slice name, struct slice value)
{
    // By length first: most fields are of no interest.
    switch (name.size) {
    case 8:
        if (is_word(name, "Location")) {
            take_location(p, value);
        }
        return true;
    case 10:
        if (is_word(name, "Connection")) {
            take_connection(p, value);
        } else if (is_word(name, "Keep-Alive")) {
            take_keep_alive(p, value);
        }
        return true;
    case 11:
        if (is_word(name, "Retry-After")) {
            take_retry_after(p, value);
        }
        return true;
    case 14:
        return !is_word(name, "Content-Length") || take_content_length(p, value);
    case 16:
        p->is_abort = p->is_abort || (is_word(name, "Webhook-Delivery") && is_word(value, "abort-message"));
        return true;
    case 17:
        return !is_word(name, "Transfer-Encoding") || take_transfer_encoding(p, value);
    default:
        return true;
    }
}

/** RFC 9110, 5.6.2: a bit for each character of a token. */
static bool is_token_character(uint8_t c)
{
    static const uint32_t BITS[8] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
    return ((BITS[c >> 5] >> (c & 31)) & 1) != 0;
}

static bool parse_field(struct http1_parser *p, struct slice line)
{
    size_t size = 0;
    while (size < line.size && is_token_character(line.data[size])) {
        size++;
    }
    if (size == 0 || size == line.size || line.data[size] != ':') {
        return refuse(p, "the response has a header without a valid name");
    }
    if (memchr(line.data, '\0', line.size) != NULL || memchr(line.data, '\r', line.size) != NULL) {
        return refuse(p, "the response has a header with a CR or NUL in it");
    }
    return take_field(p, slice_make(line.data, size),
                      trim(slice_make(line.data + size + 1, line.size - size - 1)));
}

/** Forgets what the head of a 1xx said. */
static void begin_head(struct http1_parser *p)
{
    p->state = HTTP1_STATUS_LINE;
    p->status = 0;
    p->minor = 0;
    p->has_length = p->is_chunked = p->has_coding = false;
    p->is_close = p->is_keep_alive = false;
    p->has_retry_after = p->has_location = p->is_abort = false;
    p->left = 0;
    p->keep_alive_s = -1;
    bytes_reset(&p->location);
    p->retry_after[0] = '\0';
}

/** The rest of the body is not read. */
static void cut_off(struct http1_parser *p)
{
    p->state = HTTP1_DONE;
    p->is_cut = true;
    p->is_close = true;
}

/** A body whose length is known: of one that is too long no more is read than is kept. */
static void begin_body(struct http1_parser *p)
{
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
    if (p->status < 200) {
        begin_head(p);
        return true;
    }
    if (p->status == 204 || p->status == 304) {
        p->state = HTTP1_DONE;
    } else if (p->has_coding) {
        p->state = p->is_chunked ? HTTP1_CHUNK_SIZE : HTTP1_BODY_TO_END;
    } else if (p->has_length) {
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
    p->state = HTTP1_FIELD;
    bool is_good = parse_field(p, line);
    bytes_reset(&p->line);
    return is_good;
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
    p->state = HTTP1_FIELD;
    bool is_good = parse_field(p, bytes_slice(&p->line));
    bytes_reset(&p->line);
    return is_good;
}

static bool step_status_line(struct http1_parser *p, struct slice *in)
{
    struct slice line;
    if (!take_line(p, in, &line)) {
        return p->state != HTTP1_BAD;
    }
    bool is_good = parse_status_line(p, without_line_end(line));
    bytes_reset(&p->line);
    return is_good;
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
    struct slice rest = is_ended ? trim(slice_make(line.data + at, line.size - 2 - at)) : line;
    if (at == 0 || !is_ended || (rest.size > 0 && rest.data[0] != ';')) {
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
        p->is_close = true;
    } else if (p->state < HTTP1_DONE) {
        (void)refuse(p, p->has_begun ? "the connection was closed before the response was complete"
                                     : "the connection was closed without a response");
    }
}

bool http1_parser_may_reuse(const struct http1_parser *p)
{
    bool has_stray_body = (p->status == 204 || p->status == 304) && (p->has_coding || p->left > 0);
    bool is_doubtful = has_stray_body || (p->has_coding && (p->has_length || p->minor == 0));
    return p->state == HTTP1_DONE && !p->is_close && !is_doubtful && (p->minor > 0 || p->is_keep_alive);
}

void http1_parser_clear(struct http1_parser *p)
{
    bytes_clear(&p->line);
    bytes_clear(&p->body);
    bytes_clear(&p->location);
}

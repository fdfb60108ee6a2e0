#include "core/trace/trace_context.h"

enum {
    TRACE_ID_AT = 3,
    SPAN_ID_AT = TRACE_ID_AT + 2 * TRACE_ID_BYTES + 1,
    FLAGS_AT = SPAN_ID_AT + 2 * TRACE_SPAN_ID_BYTES + 1,
};

// The value of a lower-case hex digit; -1: it is none.
static int digit_of(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// False: a character is no lower-case hex digit.
static bool read_hex(const uint8_t *text, size_t count, uint8_t *ret)
{
    for (size_t i = 0; i < count; i++) {
        int high = digit_of(text[2 * i]);
        int low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_zero(const uint8_t *id, size_t count)
{
    uint8_t any = 0;
    for (size_t i = 0; i < count; i++) {
        any |= id[i];
    }
    return any == 0;
}

static bool is_printable(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return true;
}

bool trace_context_read(struct slice text, struct trace_context *ret)
{
    struct trace_context read;
    uint8_t version;
    if (text.size < TRACE_PARENT_CHARS || text.size > TRACE_PARENT_MAX || text.data[TRACE_ID_AT - 1] != '-' ||
        text.data[SPAN_ID_AT - 1] != '-' || text.data[FLAGS_AT - 1] != '-') {
        return false;
    }
    if (!read_hex(text.data, 1, &version) ||
        !read_hex(text.data + TRACE_ID_AT, TRACE_ID_BYTES, read.trace_id) ||
        !read_hex(text.data + SPAN_ID_AT, TRACE_SPAN_ID_BYTES, read.span_id) ||
        !read_hex(text.data + FLAGS_AT, 1, &read.flags)) {
        return false;
    }
    bool is_longer = text.size > TRACE_PARENT_CHARS;
    if (version == 0xff || (is_longer && (version == 0 || text.data[TRACE_PARENT_CHARS] != '-')) ||
        is_zero(read.trace_id, TRACE_ID_BYTES) || is_zero(read.span_id, TRACE_SPAN_ID_BYTES) ||
        !is_printable(text)) {
        return false;
    }
    if (ret != NULL) {
        *ret = read;
    }
    return true;
}

bool trace_state_is_valid(struct slice text)
{
    return text.size > 0 && text.size <= TRACE_STATE_MAX && is_printable(text);
}

static char *write_hex(char *at, const uint8_t *bytes, size_t count)
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        *at++ = DIGITS[bytes[i] >> 4];
        *at++ = DIGITS[bytes[i] & 15];
    }
    return at;
}

void trace_context_write(const struct trace_context *c, char *ret_text)
{
    static const uint8_t VERSION = 0;
    char *at = write_hex(ret_text, &VERSION, 1);
    *at++ = '-';
    at = write_hex(at, c->trace_id, TRACE_ID_BYTES);
    *at++ = '-';
    at = write_hex(at, c->span_id, TRACE_SPAN_ID_BYTES);
    *at++ = '-';
    (void)write_hex(at, &c->flags, 1);
}

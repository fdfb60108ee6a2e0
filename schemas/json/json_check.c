#include "schemas/json/json_check.h"

#include "schemas/json/json_text.h"

struct json_check {
    const uint8_t *at;
    const uint8_t *end;
    size_t depth;
    uint8_t is_object[JSON_CHECK_DEPTH_MAX];  // of each open container
};

enum json_check_step {
    JSON_CHECK_WANT_VALUE,
    JSON_CHECK_HAVE_VALUE,
    JSON_CHECK_BAD,
};

static uint8_t peek_byte(const struct json_check *c)
{
    return c->at < c->end ? *c->at : 0;
}

static bool take_byte(struct json_check *c, uint8_t byte)
{
    if (c->at < c->end && *c->at == byte) {
        c->at++;
        return true;
    }
    return false;
}

static void read_space(struct json_check *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t')) {
        c->at++;
    }
}

static bool read_escape(struct json_check *c)
{
    uint8_t letter = peek_byte(c);
    c->at++;
    if (letter != 'u') {
        return letter != 0 && strchr("\"\\/bfnrt", letter) != NULL;
    }
    for (int i = 0; i < 4; i++) {
        uint8_t hex = peek_byte(c);
        bool is_hex = (hex >= '0' && hex <= '9') || (hex >= 'a' && hex <= 'f') || (hex >= 'A' && hex <= 'F');
        if (!is_hex) {
            return false;
        }
        c->at++;
    }
    return true;
}

static bool read_string(struct json_check *c)
{
    if (!take_byte(c, '"')) {
        return false;
    }
    while (true) {
        c->at = json_text_plain_end(c->at, c->end);
        if (c->at >= c->end || *c->at < 0x20) {
            return false;
        }
        if (take_byte(c, '"')) {
            return true;
        }
        if (take_byte(c, '\\')) {
            if (c->at >= c->end || !read_escape(c)) {
                return false;
            }
            continue;
        }
        size_t size = json_text_character(c->at, c->end);
        if (size == 0) {
            return false;
        }
        c->at += size;
    }
}

static bool read_digits(struct json_check *c)
{
    const uint8_t *begin = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        c->at++;
    }
    return c->at > begin;
}

static bool read_number(struct json_check *c)
{
    (void)take_byte(c, '-');
    if (!take_byte(c, '0') && !read_digits(c)) {
        return false;
    }
    if (take_byte(c, '.') && !read_digits(c)) {
        return false;
    }
    if (take_byte(c, 'e') || take_byte(c, 'E')) {
        (void)(take_byte(c, '+') || take_byte(c, '-'));
        return read_digits(c);
    }
    return true;
}

static bool read_word(struct json_check *c, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(c->end - c->at) < size || memcmp(c->at, word, size) != 0) {
        return false;
    }
    c->at += size;
    return true;
}

static bool read_member(struct json_check *c)
{
    read_space(c);
    if (!read_string(c)) {
        return false;
    }
    read_space(c);
    return take_byte(c, ':');
}

static enum json_check_step open_container(struct json_check *c, bool is_object)
{
    if (c->depth == JSON_CHECK_DEPTH_MAX) {
        return JSON_CHECK_BAD;
    }
    c->at++;
    read_space(c);
    if (take_byte(c, is_object ? '}' : ']')) {
        return JSON_CHECK_HAVE_VALUE;
    }
    c->is_object[c->depth++] = is_object;
    return !is_object || read_member(c) ? JSON_CHECK_WANT_VALUE : JSON_CHECK_BAD;
}

static enum json_check_step begin_value(struct json_check *c)
{
    read_space(c);
    switch (peek_byte(c)) {
    case '{':
        return open_container(c, true);
    case '[':
        return open_container(c, false);
    case '"':
        return read_string(c) ? JSON_CHECK_HAVE_VALUE : JSON_CHECK_BAD;
    case 't':
        return read_word(c, "true") ? JSON_CHECK_HAVE_VALUE : JSON_CHECK_BAD;
    case 'f':
        return read_word(c, "false") ? JSON_CHECK_HAVE_VALUE : JSON_CHECK_BAD;
    case 'n':
        return read_word(c, "null") ? JSON_CHECK_HAVE_VALUE : JSON_CHECK_BAD;
    default:
        return read_number(c) ? JSON_CHECK_HAVE_VALUE : JSON_CHECK_BAD;
    }
}

// After a value in a container: a comma and the next value, or the container's end, which completes a value.
static enum json_check_step end_value(struct json_check *c)
{
    bool is_object = c->is_object[c->depth - 1];
    if (take_byte(c, is_object ? '}' : ']')) {
        c->depth--;
        return JSON_CHECK_HAVE_VALUE;
    }
    if (!take_byte(c, ',')) {
        return JSON_CHECK_BAD;
    }
    return !is_object || read_member(c) ? JSON_CHECK_WANT_VALUE : JSON_CHECK_BAD;
}

bool json_check_value(struct slice text)
{
    struct json_check c;
    c.at = text.data;
    c.end = text.size > 0 ? text.data + text.size : text.data;
    c.depth = 0;
    enum json_check_step step = JSON_CHECK_WANT_VALUE;
    while (step != JSON_CHECK_BAD) {
        if (step == JSON_CHECK_WANT_VALUE) {
            step = begin_value(&c);
            continue;
        }
        read_space(&c);
        if (c.depth == 0) {
            return c.at == c.end;
        }
        step = end_value(&c);
    }
    return false;
}

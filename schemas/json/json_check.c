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

static uint8_t json_check_peek(const struct json_check *c)
{
    return c->at < c->end ? *c->at : 0;
}

static bool json_check_take(struct json_check *c, uint8_t byte)
{
    if (c->at < c->end && *c->at == byte) {
        c->at++;
        return true;
    }
    return false;
}

static void json_check_space(struct json_check *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t')) {
        c->at++;
    }
}

static bool json_check_escape(struct json_check *c)
{
    uint8_t letter = json_check_peek(c);
    c->at++;
    if (letter != 'u') {
        return letter != 0 && strchr("\"\\/bfnrt", letter) != NULL;
    }
    for (int i = 0; i < 4; i++) {
        uint8_t hex = json_check_peek(c);
        bool is_hex = (hex >= '0' && hex <= '9') || (hex >= 'a' && hex <= 'f') || (hex >= 'A' && hex <= 'F');
        if (!is_hex) {
            return false;
        }
        c->at++;
    }
    return true;
}

static bool json_check_string(struct json_check *c)
{
    if (!json_check_take(c, '"')) {
        return false;
    }
    while (true) {
        c->at = json_text_plain_end(c->at, c->end);
        if (c->at >= c->end || *c->at < 0x20) {
            return false;
        }
        if (json_check_take(c, '"')) {
            return true;
        }
        if (json_check_take(c, '\\')) {
            if (c->at >= c->end || !json_check_escape(c)) {
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

static bool json_check_digits(struct json_check *c)
{
    const uint8_t *begin = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        c->at++;
    }
    return c->at > begin;
}

static bool json_check_number(struct json_check *c)
{
    (void)json_check_take(c, '-');
    if (!json_check_take(c, '0') && !json_check_digits(c)) {
        return false;
    }
    if (json_check_take(c, '.') && !json_check_digits(c)) {
        return false;
    }
    if (json_check_take(c, 'e') || json_check_take(c, 'E')) {
        (void)(json_check_take(c, '+') || json_check_take(c, '-'));
        return json_check_digits(c);
    }
    return true;
}

static bool json_check_word(struct json_check *c, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(c->end - c->at) < size || memcmp(c->at, word, size) != 0) {
        return false;
    }
    c->at += size;
    return true;
}

static bool json_check_member(struct json_check *c)
{
    json_check_space(c);
    if (!json_check_string(c)) {
        return false;
    }
    json_check_space(c);
    return json_check_take(c, ':');
}

static enum json_check_step json_check_open(struct json_check *c, bool is_object)
{
    if (c->depth == JSON_CHECK_DEPTH_MAX) {
        return JSON_CHECK_BAD;
    }
    c->at++;
    json_check_space(c);
    if (json_check_take(c, is_object ? '}' : ']')) {
        return JSON_CHECK_HAVE_VALUE;
    }
    c->is_object[c->depth++] = is_object;
    return !is_object || json_check_member(c) ? JSON_CHECK_WANT_VALUE : JSON_CHECK_BAD;
}

static enum json_check_step json_check_begin(struct json_check *c)
{
    json_check_space(c);
    switch (json_check_peek(c)) {
    case '{':
        return json_check_open(c, true);
    case '[':
        return json_check_open(c, false);
    case '"':
        return json_check_string(c) ? JSON_CHECK_HAVE_VALUE : JSON_CHECK_BAD;
    case 't':
        return json_check_word(c, "true") ? JSON_CHECK_HAVE_VALUE : JSON_CHECK_BAD;
    case 'f':
        return json_check_word(c, "false") ? JSON_CHECK_HAVE_VALUE : JSON_CHECK_BAD;
    case 'n':
        return json_check_word(c, "null") ? JSON_CHECK_HAVE_VALUE : JSON_CHECK_BAD;
    default:
        return json_check_number(c) ? JSON_CHECK_HAVE_VALUE : JSON_CHECK_BAD;
    }
}

// After a value inside a container: a comma and the next one, or the container's end, which is a value.
static enum json_check_step json_check_go_on(struct json_check *c)
{
    bool is_object = c->is_object[c->depth - 1];
    if (json_check_take(c, is_object ? '}' : ']')) {
        c->depth--;
        return JSON_CHECK_HAVE_VALUE;
    }
    if (!json_check_take(c, ',')) {
        return JSON_CHECK_BAD;
    }
    return !is_object || json_check_member(c) ? JSON_CHECK_WANT_VALUE : JSON_CHECK_BAD;
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
            step = json_check_begin(&c);
            continue;
        }
        json_check_space(&c);
        if (c.depth == 0) {
            return c.at == c.end;
        }
        step = json_check_go_on(&c);
    }
    return false;
}

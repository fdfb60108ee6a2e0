#include "schemas/json/json_member.h"

#include "schemas/json/json_text.h"

static size_t skip_blanks(struct slice text, size_t at)
{
    while (at < text.size && (text.data[at] == ' ' || text.data[at] == '\t' || text.data[at] == '\n' ||
                              text.data[at] == '\r')) {
        at++;
    }
    return at;
}

/** Behind the string that begins at its opening quote. */
static size_t skip_string(struct slice text, size_t at)
{
    for (at++; at < text.size && text.data[at] != '"'; at++) {
        at += text.data[at] == '\\' ? 1 : 0;
    }
    return at < text.size ? at + 1 : text.size;
}

static size_t skip_value(struct slice text, size_t at)
{
    size_t depth = 0;
    while (at < text.size) {
        uint8_t c = text.data[at];
        bool closes = c == '}' || c == ']';
        if (depth == 0 && (closes || c == ',')) {
            break;
        }
        depth += c == '{' || c == '[' ? 1 : 0;
        depth -= closes ? 1 : 0;
        at = c == '"' ? skip_string(text, at) : at + 1;
    }
    return at;
}

static struct slice trimmed(struct slice text, size_t from, size_t to)
{
    while (to > from && strchr(" \t\r\n", text.data[to - 1]) != NULL && text.data[to - 1] != 0) {
        to--;
    }
    return slice_make(text.data + from, to - from);
}

bool json_members_next(struct json_members *m, struct json_member *ret)
{
    struct slice text = m->text;
    size_t at = skip_blanks(text, m->at);
    if (at == text.size || text.data[at] != (m->at == 0 ? '{' : ',')) {
        return false;
    }
    at = skip_blanks(text, at + 1);
    if (at == text.size || text.data[at] != '"') {
        return false;
    }
    size_t behind = skip_string(text, at);
    if (behind < at + 2) {
        return false;
    }
    ret->name = slice_make(text.data + at + 1, behind - at - 2);
    at = skip_blanks(text, behind);
    if (at == text.size || text.data[at] != ':') {
        return false;
    }
    at = skip_blanks(text, at + 1);
    m->at = skip_value(text, at);
    ret->value = trimmed(text, at, m->at);
    return ret->value.size > 0;
}

static bool is_name(struct slice written, struct slice name)
{
    if (written.size == 0 || memchr(written.data, '\\', written.size) == NULL) {
        return slice_equal(written, name);
    }
    struct bytes plain = {0};
    json_text_unescape(&plain, written);
    bool is_it = slice_equal(bytes_slice(&plain), name);
    bytes_clear(&plain);
    return is_it;
}

bool json_member_find(struct slice text, struct slice name, struct slice *ret)
{
    struct json_members members = {.text = text};
    struct json_member member;
    bool is_found = false;
    while (json_members_next(&members, &member)) {
        if (is_name(member.name, name)) {
            *ret = member.value;
            is_found = true;
        }
    }
    return is_found;
}

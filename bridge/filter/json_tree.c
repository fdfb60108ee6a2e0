#include "bridge/filter/json_tree.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/cursor.h"
#include "schemas/json/json_text.h"

struct parser {
    struct json_tree *tree;
    struct cursor in;
    struct fault *f;
};

static uint32_t offset(const struct parser *p)
{
    return (uint32_t)(p->in.at - p->tree->source.data);
}

static bool refuse(const struct parser *p, const char *reason)
{
    return json_tree_refuse(p->tree, offset(p), p->f, "%s", reason);
}

static uint8_t peek(const struct parser *p)
{
    return cursor_left(&p->in) == 0 ? 0 : *p->in.at;
}

static void skip_space(struct parser *p)
{
    while (cursor_left(&p->in) > 0 && strchr(" \t\r\n", *p->in.at) != NULL && *p->in.at != 0) {
        p->in.at++;
    }
}

uint32_t json_tree_add(struct json_tree *t, struct json_node node)
{
    if (t->count == t->capacity) {
        t->capacity = t->capacity == 0 ? 32 : t->capacity * 2;
        t->nodes = memory_resize(t->nodes, t->capacity * sizeof *t->nodes);
    }
    t->nodes[t->count] = node;
    return t->count++;
}

/** One escape, the cursor behind its backslash. */
static bool skip_escape(struct parser *p)
{
    uint8_t letter = cursor_u8(&p->in);
    if (letter == 'u') {
        for (int i = 0; i < 4; i++) {
            uint8_t digit = peek(p);
            if (digit == 0 || strchr("0123456789abcdefABCDEF", digit) == NULL) {
                return refuse(p, "a \\u escape needs four hexadecimal digits");
            }
            p->in.at++;
        }
        return true;
    }
    if (letter == 0 || strchr("\"\\/bfnrt", letter) == NULL) {
        p->in.at -= p->in.is_short ? 0 : 1;
        p->in.is_short = false;
        return refuse(p, "no such escape in JSON");
    }
    return true;
}

static bool read_string(struct parser *p, struct slice *ret)
{
    const uint8_t *start = ++p->in.at;
    bool has_escapes = false;
    while (peek(p) != '"') {
        size_t size = cursor_left(&p->in) == 0 ? 0 : json_text_character(p->in.at, p->in.end);
        if (cursor_left(&p->in) == 0) {
            return refuse(p, "the string does not end");
        }
        if (size == 0) {
            return refuse(p, "no valid UTF-8");
        }
        if (*p->in.at < 0x20) {
            return refuse(p, "a control character in a string must be escaped");
        }
        bool is_escape = *p->in.at == '\\';
        p->in.at += size;
        if (is_escape && !skip_escape(p)) {
            return false;
        }
        has_escapes = has_escapes || is_escape;
    }
    *ret = slice_make(start, (size_t)(p->in.at - start));
    p->in.at++;
    if (has_escapes) {
        struct bytes *strings = &p->tree->strings;
        if (strings->data == NULL) {
            (void)bytes_reserve(strings, p->tree->source.size + 1);  // never moves: no escape is shorter than
        }                                                            // what it stands for
        size_t before = strings->size;
        json_text_unescape(strings, *ret);
        *ret = slice_make(strings->data + before, strings->size - before);
    }
    return true;
}

static size_t skip_digits(struct parser *p)
{
    const uint8_t *start = p->in.at;
    while (peek(p) >= '0' && peek(p) <= '9') {
        p->in.at++;
    }
    return (size_t)(p->in.at - start);
}

static bool read_number(struct parser *p, struct slice *ret)
{
    const uint8_t *start = p->in.at;
    p->in.at += peek(p) == '-' ? 1 : 0;
    bool is_zero = peek(p) == '0';
    size_t whole = skip_digits(p);
    if (whole == 0 || (is_zero && whole > 1)) {
        return refuse(p, whole == 0 ? "no JSON value" : "a number does not begin with 0");
    }
    if (peek(p) == '.') {
        p->in.at++;
        if (skip_digits(p) == 0) {
            return refuse(p, "a digit is missing");
        }
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        p->in.at++;
        p->in.at += peek(p) == '+' || peek(p) == '-' ? 1 : 0;
        size_t digits = skip_digits(p);
        if (digits == 0 || digits > 9) {
            return refuse(p, digits == 0 ? "a digit is missing" : "the exponent has more than nine digits");
        }
    }
    *ret = slice_make(start, (size_t)(p->in.at - start));
    return true;
}

static bool read_word(struct parser *p, enum filter_kind *ret)
{
    static const struct {
        const char *word;
        enum filter_kind kind;
    } WORDS[] = {{"null", FILTER_NULL}, {"false", FILTER_FALSE}, {"true", FILTER_TRUE}};
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        size_t size = strlen(WORDS[i].word);
        if (cursor_left(&p->in) >= size && memcmp(p->in.at, WORDS[i].word, size) == 0) {
            p->in.at += size;
            *ret = WORDS[i].kind;
            return true;
        }
    }
    return refuse(p, cursor_left(&p->in) == 0 ? "a value is missing" : "no JSON value");
}

static bool read_value(struct parser *p, int depth, uint32_t *ret);

static bool read_name(struct parser *p, struct slice *ret_name, uint32_t *ret_at)
{
    if (peek(p) != '"') {
        return refuse(p, "a member's name in quotes is missing");
    }
    *ret_at = offset(p);
    if (!read_string(p, ret_name)) {
        return false;
    }
    skip_space(p);
    if (peek(p) != ':') {
        return refuse(p, "a \":\" is missing");
    }
    p->in.at++;
    return true;
}

/** The members or elements, the cursor at the opening bracket. */
static bool read_children(struct parser *p, uint32_t parent, int depth)
{
    bool is_object = p->tree->nodes[parent].kind == FILTER_OBJECT;
    uint8_t closing = is_object ? '}' : ']';
    uint32_t last = 0;
    p->in.at++;
    skip_space(p);
    while (last != 0 || peek(p) != closing) {
        struct slice name = {0};
        uint32_t name_at = 0;
        uint32_t child = 0;
        skip_space(p);
        if ((is_object && !read_name(p, &name, &name_at)) || !read_value(p, depth + 1, &child)) {
            return false;
        }
        p->tree->nodes[child].name = name;
        p->tree->nodes[child].name_at = name_at;
        *(last == 0 ? &p->tree->nodes[parent].child : &p->tree->nodes[last].next) = child;
        p->tree->nodes[parent].count++;
        last = child;
        skip_space(p);
        if (peek(p) == closing) {
            break;
        }
        if (peek(p) != ',') {
            return refuse(p, is_object ? "a \",\" or \"}\" is missing" : "a \",\" or \"]\" is missing");
        }
        p->in.at++;
    }
    p->in.at++;
    return true;
}

static bool read_value(struct parser *p, int depth, uint32_t *ret)
{
    skip_space(p);
    uint32_t node = json_tree_add(p->tree, (struct json_node){.at = offset(p)});
    struct slice text = {0};
    enum filter_kind kind = FILTER_NULL;
    uint8_t first = peek(p);
    bool is_read = false;
    if ((first == '{' || first == '[') && depth == JSON_TREE_DEPTH_MAX) {
        return refuse(p, "nested too deeply");
    }
    if (first == '{' || first == '[') {
        kind = first == '{' ? FILTER_OBJECT : FILTER_ARRAY;
        p->tree->nodes[node].kind = kind;
        is_read = read_children(p, node, depth);
    } else if (first == '"') {
        kind = FILTER_TEXT;
        is_read = read_string(p, &text);
    } else if (first == '-' || (first >= '0' && first <= '9')) {
        kind = FILTER_NUMBER;
        is_read = read_number(p, &text);
    } else {
        is_read = read_word(p, &kind);
    }
    p->tree->nodes[node].kind = kind;
    p->tree->nodes[node].text = text;
    p->tree->nodes[node].end = offset(p);
    *ret = node;
    return is_read;
}

static bool parse(struct json_tree tree, struct json_tree *ret, struct fault *f)
{
    struct slice text = tree.source;
    struct parser p = {&tree, cursor_over(text), f};
    uint32_t root = 0;
    if (text.size > INT32_MAX) {
        return json_tree_refuse(&tree, 0, f, "larger than 2 GiB");
    }
    bool is_read = read_value(&p, 0, &root);
    skip_space(&p);
    if (is_read && cursor_left(&p.in) > 0) {
        is_read = refuse(&p, "more text behind the JSON value");
    }
    if (!is_read) {
        json_tree_clear(&tree);
        return false;
    }
    *ret = tree;
    return true;
}

bool json_tree_parse(struct slice text, struct json_place start, struct json_tree *ret, struct fault *f)
{
    // The text may be a token endpoint's response.
    return parse((struct json_tree){.source = text, .start = start, .strings = {.is_secret = true}}, ret, f);
}

bool json_tree_parse_placed(struct slice text, const struct text_places *places, struct json_tree *ret,
                            struct fault *f)
{
    return parse((struct json_tree){.source = text, .start = {1, 1}, .places = places}, ret, f);
}

void json_tree_clear(struct json_tree *t)
{
    if (t != NULL) {
        free(t->nodes);
        bytes_clear(&t->strings);
        *t = (struct json_tree){0};
    }
}

struct json_place json_tree_place(const struct json_tree *t, size_t at)
{
    struct json_place place = t->start;
    const struct text_place *known = t->places == NULL ? NULL : text_places_find(t->places, at);
    if (known != NULL) {
        return (struct json_place){known->line, known->column};
    }
    for (size_t i = 0; i < at && i < t->source.size; i++) {
        if (t->source.data[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if ((t->source.data[i] & 0xc0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

const char *json_place_split(const char *text, struct json_place *ret)
{
    char *end = NULL;
    *ret = (struct json_place){1, 1};
    unsigned long line = strtoul(text, &end, 10);
    if (end == text || *end != ':') {
        return text;
    }
    const char *rest = end + 1;
    unsigned long column = strtoul(rest, &end, 10);
    if (end == rest || strncmp(end, ": ", 2) != 0) {
        return text;
    }
    *ret = (struct json_place){(uint32_t)line, (uint32_t)column};
    return end + 2;
}

bool json_tree_refuse(const struct json_tree *t, size_t at, struct fault *f, const char *format, ...)
{
    struct json_place place = json_tree_place(t, at);
    char reason[sizeof f->text];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return fault_set(f, FAULT_REJECT, "%u:%u: %s", place.line, place.column, reason);
}

const struct json_node *json_tree_member(const struct json_tree *t, const struct json_node *object,
                                         struct slice name)
{
    const struct json_node *found = NULL;
    for (const struct json_node *node = json_tree_child(t, object); node != NULL;
         node = json_tree_next(t, node)) {
        if (slice_equal(node->name, name)) {
            found = node;
        }
    }
    return found;
}

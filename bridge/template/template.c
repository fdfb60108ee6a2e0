#include "bridge/template/template.h"

#include <stdlib.h>

#include "bridge/filter/json_tree.h"
#include "core/base/memory.h"
#include "schemas/json/json_check.h"
#include "schemas/json/json_text.h"

/** A text while it is compiled. */
struct compiler {
    struct slice text;
    size_t at;
    enum template_kind kind;
    struct template_refs *refs;
    struct template *made;
    struct bytes literal;   // of the part that is being read
    struct bytes skeleton;  // of a JSON text: as long as the text, with a value for each reference
    bool is_in_string;      // of a JSON text
    bool is_escaped;        // behind a backslash in it
    bool is_in_query;       // of a target
};

static bool is_at(struct slice text, size_t at, const char *what)
{
    size_t size = strlen(what);
    return text.size - at >= size && memcmp(text.data + at, what, size) == 0;
}

bool template_is_one(const char *text)
{
    return strstr(text, "${") != NULL;
}

void template_skeleton(const char *text, struct bytes *out)
{
    struct slice s = slice_of(text);
    for (size_t at = 0; at < s.size;) {
        struct template_reference reference;
        struct fault f;
        size_t bad;
        if (is_at(s, at, "$${")) {
            bytes_append_byte(out, 'x');
            at += 3;
        } else if (is_at(s, at, "${") && template_reference_read(s, at, &reference, &bad, &f)) {
            bytes_append_byte(out, 'x');
            at = reference.end;
            template_ref_clear(&reference.ref);
        } else {
            bytes_append_byte(out, s.data[at++]);
        }
    }
}

void template_free(struct template *t)
{
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < t->count; i++) {
        free(t->parts[i].literal);
        free(t->parts[i].otherwise);
    }
    free(t->parts);
    free(t);
}

static void add_part(struct compiler *c, struct template_part part)
{
    struct template *t = c->made;
    part.literal = slice_to_string(bytes_slice(&c->literal));
    part.literal_size = c->literal.size;
    bytes_reset(&c->literal);
    t->parts = memory_resize(t->parts, (t->count + 1) * sizeof(*t->parts));
    t->parts[t->count++] = part;
}

static enum template_encoding encoding_here(const struct compiler *c)
{
    switch (c->kind) {
    case TEMPLATE_OF_JSON:
        return c->is_in_string ? TEMPLATE_IN_STRING : TEMPLATE_AS_JSON;
    case TEMPLATE_OF_FORM:
        return TEMPLATE_IN_QUERY;
    case TEMPLATE_OF_TARGET:
        return c->is_in_query ? TEMPLATE_IN_QUERY : TEMPLATE_IN_PATH;
    case TEMPLATE_OF_HEADER:
        return TEMPLATE_IN_HEADER;
    case TEMPLATE_OF_TEXT:
        break;
    }
    return TEMPLATE_AS_TEXT;
}

/** As a JSON value it is what it says if that is JSON, else a string. */
static char *encoded_default(enum template_encoding encoding, struct slice text)
{
    CLEANUP(bytes_clear) struct bytes out = {0};
    if (encoding != TEMPLATE_AS_JSON) {
        template_encode(&out, encoding, text);
    } else if (json_check_value(text)) {
        bytes_append_slice(&out, text);
    } else {
        json_text_string(&out, text);
    }
    return slice_to_string(bytes_slice(&out));
}

/** In place of a reference, a text that is as long. */
static void put_stand_in(struct compiler *c, size_t size)
{
    size_t begin = c->skeleton.size;
    if (c->is_in_string) {
        memset(bytes_reserve(&c->skeleton, size), 'x', size);
    } else {
        memset(bytes_reserve(&c->skeleton, size), ' ', size);
        memcpy(c->skeleton.data + begin, "null", 4);
    }
    c->skeleton.size += size;
}

static bool take_reference(struct compiler *c, size_t *ret_bad, struct fault *f)
{
    struct template_reference reference;
    if (!template_reference_read(c->text, c->at, &reference, ret_bad, f)) {
        return false;
    }
    struct template_part part = {.has_ref = true, .encoding = encoding_here(c)};
    if (reference.has_otherwise) {
        part.otherwise = encoded_default(part.encoding, reference.otherwise);
    }
    part.ref = template_refs_add(c->refs, &reference.ref);
    add_part(c, part);
    put_stand_in(c, reference.end - c->at);
    c->at = reference.end;
    return true;
}

/** Where JSON strings begin and end. */
static void follow_json(struct compiler *c, uint8_t byte)
{
    if (c->is_escaped) {
        c->is_escaped = false;
    } else if (byte == '"') {
        c->is_in_string = !c->is_in_string;
    } else {
        c->is_escaped = c->is_in_string && byte == '\\';
    }
}

static void take_literal(struct compiler *c)
{
    bool is_escape = is_at(c->text, c->at, "$${");
    if (is_escape) {
        c->at++;
        bytes_append_byte(&c->skeleton, c->is_in_string ? 'x' : '$');
    }
    size_t size = is_escape ? 2 : 1;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = c->text.data[c->at++];
        bytes_append_byte(&c->literal, byte);
        bytes_append_byte(&c->skeleton, byte);
        follow_json(c, byte);
        c->is_in_query = c->is_in_query || byte == '?';
    }
}

static struct template_place place_of(struct slice text, size_t at)
{
    struct template_place place = {1, 1};
    for (size_t i = 0; i < at && i < text.size; i++) {
        if (text.data[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if ((text.data[i] & 0xc0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

/** With any values in its strings, and any value for each reference, the text must be JSON. */
static bool check_json(struct compiler *c, struct template_place *place, struct fault *f)
{
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    struct fault cause;
    struct json_place at;
    if (c->kind != TEMPLATE_OF_JSON ||
        json_tree_parse(bytes_slice(&c->skeleton), (struct json_place){1, 1}, &tree, &cause)) {
        return true;
    }
    const char *reason = json_place_split(cause.text, &at);
    *place = (struct template_place){at.line, at.column};
    return fault_set(f, FAULT_CONFIG, "it makes no JSON: %s", reason);
}

static bool compile(struct compiler *c, struct template_place *place, struct fault *f)
{
    size_t bad;
    while (c->at < c->text.size) {
        if (!is_at(c->text, c->at, "${")) {
            take_literal(c);
        } else if (!take_reference(c, &bad, f)) {
            *place = place_of(c->text, bad);
            return false;
        }
    }
    if (c->literal.size > 0) {
        add_part(c, (struct template_part){0});
    }
    return check_json(c, place, f);
}

bool template_compile(struct slice text, enum template_kind kind, struct template_refs *refs,
                      struct template **ret, struct template_place *place, struct fault *f)
{
    struct compiler c = {.text = text, .kind = kind, .refs = refs};
    c.made = memory_zeroed(1, sizeof(*c.made));
    c.made->kind = kind;
    bool is_good = compile(&c, place, f);
    bytes_clear(&c.literal);
    bytes_clear(&c.skeleton);
    if (!is_good) {
        template_free(c.made);
        return false;
    }
    *ret = c.made;
    return true;
}

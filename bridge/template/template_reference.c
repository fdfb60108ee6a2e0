#include "bridge/template/template_reference.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/text.h"

static const char *const ROOTS[] = {
    [TEMPLATE_KEY] = "key",
    [TEMPLATE_BEFORE] = "before",
    [TEMPLATE_AFTER] = "after",
    [TEMPLATE_ROW] = "row",
    [TEMPLATE_SOURCE] = "source",
    [TEMPLATE_HEADERS] = "headers",
    [TEMPLATE_OP] = "op",
    [TEMPLATE_OPERATION] = "operation",
    [TEMPLATE_ID] = "id",
    [TEMPLATE_TOPIC] = "topic",
    [TEMPLATE_PARTITION] = "partition",
    [TEMPLATE_OFFSET] = "offset",
    [TEMPLATE_TIME] = "time",
    NULL,
};

enum { ECHO_MAX = 64 };

/** A reference while it is read. */
struct reader {
    struct slice text;
    size_t at;
    struct template_reference *ret;
    size_t *ret_at;
    struct fault *f;
};

const char *template_root_name(enum template_root root)
{
    return ROOTS[root];
}

void template_ref_clear(struct template_ref *ref)
{
    for (size_t i = 0; i < ref->depth; i++) {
        free((void *)(uintptr_t)ref->names[i].data);
    }
    *ref = (struct template_ref){0};
}

static bool refuse(const struct reader *r, size_t at, const char *why)
{
    *r->ret_at = at;
    return fault_set(r->f, FAULT_CONFIG, "%s", why);
}

static uint8_t peek(const struct reader *r)
{
    return r->at < r->text.size ? r->text.data[r->at] : 0;
}

static bool is_end_of_name(uint8_t c)
{
    return c == 0 || c == '}' || c == '{' || c == '"' || c == '$' || c == '\n' || c == '\r';
}

static bool refuse_root(const struct reader *r, size_t at, struct slice name)
{
    CLEANUP(memory_free_pointer)
    char *text = slice_to_string(name.size > ECHO_MAX ? text_cut(name, ECHO_MAX) : name);
    const char *near = text_nearest(text, ROOTS);
    *r->ret_at = at;
    if (near != NULL) {
        return fault_set(r->f, FAULT_CONFIG, "an event has no \"%s\"; did you mean \"%s\"?", text, near);
    }
    return fault_set(r->f, FAULT_CONFIG,
                     "an event has no \"%s\"; a reference begins with key, before, after, row, source, "
                     "headers, op, operation, id, topic, partition, offset or time",
                     text);
}

static bool read_root(struct reader *r)
{
    size_t from = r->at;
    while (!is_end_of_name(peek(r)) && peek(r) != '.' && peek(r) != ':') {
        r->at++;
    }
    struct slice name = slice_make(r->text.data + from, r->at - from);
    for (size_t i = 0; ROOTS[i] != NULL; i++) {
        if (slice_equal(name, slice_of(ROOTS[i]))) {
            r->ret->ref.root = (enum template_root)i;
            return true;
        }
    }
    return refuse_root(r, from, name);
}

/** A plain name ends at a dot, that of a header does not. */
static bool read_name(struct reader *r, bool has_dots, struct slice *ret)
{
    bool is_quoted = peek(r) == '"';
    size_t from = r->at + (is_quoted ? 1 : 0);
    r->at = from;
    for (;; r->at++) {
        uint8_t c = peek(r);
        bool is_default = c == ':' && r->at + 1 < r->text.size && r->text.data[r->at + 1] == '-';
        if (is_quoted ? c == '"' || c == 0 || c == '\n'
                      : is_end_of_name(c) || is_default || (c == '.' && !has_dots)) {
            break;
        }
    }
    *ret = slice_make(r->text.data + from, r->at - from);
    if (is_quoted && peek(r) != '"') {
        return refuse(r, from - 1, "the name has no closing quote");
    }
    r->at += is_quoted ? 1 : 0;
    return ret->size > 0 || refuse(r, from, "a name is missing");
}

static bool read_names(struct reader *r)
{
    struct template_ref *ref = &r->ret->ref;
    bool is_header = ref->root == TEMPLATE_HEADERS;
    while (peek(r) == '.') {
        struct slice name;
        if (ref->root > TEMPLATE_HEADERS || (is_header && ref->depth > 0)) {
            return refuse(r, r->at, "it has no members");
        }
        if (ref->depth == TEMPLATE_DEPTH_MAX) {
            return refuse(r, r->at, "a reference has 16 names at most");
        }
        r->at++;
        if (!read_name(r, is_header, &name)) {
            return false;
        }
        ref->names[ref->depth++] = slice_make(slice_to_string(name), name.size);
    }
    return !is_header || ref->depth > 0 || refuse(r, r->at, "name a header: ${headers.NAME}");
}

/** The default ends at the first brace that closes none of its own. */
static bool read_default(struct reader *r)
{
    size_t from = r->at += 2;
    size_t depth = 0;
    for (; peek(r) != 0 && peek(r) != '\n' && (peek(r) != '}' || depth > 0); r->at++) {
        depth += peek(r) == '{' ? 1 : 0;
        depth -= peek(r) == '}' ? 1 : 0;
        if (peek(r) == '$' && r->at + 1 < r->text.size && r->text.data[r->at + 1] == '{') {
            return refuse(r, r->at, "a default is a text without references");
        }
    }
    r->ret->has_otherwise = true;
    r->ret->otherwise = slice_make(r->text.data + from, r->at - from);
    return true;
}

static bool read(struct reader *r)
{
    size_t from = r->at;
    r->at += 2;
    if (!read_root(r) || !read_names(r)) {
        return false;
    }
    bool has_default = peek(r) == ':' && r->at + 1 < r->text.size && r->text.data[r->at + 1] == '-';
    if (has_default && !read_default(r)) {
        return false;
    }
    if (peek(r) != '}') {
        return r->at == r->text.size || peek(r) == '\n'
                   ? refuse(r, from, "the reference has no closing brace; write $${ for a ${ of the text")
                   : refuse(r, r->at, "a reference is ${PART}, ${PART.NAME} or ${PART.NAME:-DEFAULT}");
    }
    r->ret->end = r->at + 1;
    return true;
}

bool template_reference_read(struct slice text, size_t at, struct template_reference *ret, size_t *ret_at,
                             struct fault *f)
{
    *ret = (struct template_reference){0};
    struct reader r = {text, at, ret, ret_at, f};
    if (!read(&r)) {
        template_ref_clear(&ret->ref);
        return false;
    }
    return true;
}

static bool is_same_ref(const struct template_ref *a, const struct template_ref *b)
{
    bool is_same = a->root == b->root && a->depth == b->depth;
    for (size_t i = 0; i < a->depth && is_same; i++) {
        is_same = slice_equal(a->names[i], b->names[i]);
    }
    return is_same;
}

uint32_t template_refs_add(struct template_refs *refs, struct template_ref *ref)
{
    for (size_t i = 0; i < refs->count; i++) {
        if (is_same_ref(&refs->items[i], ref)) {
            template_ref_clear(ref);
            return (uint32_t)i;
        }
    }
    refs->items = memory_resize(refs->items, (refs->count + 1) * sizeof(*refs->items));
    refs->items[refs->count] = *ref;
    return (uint32_t)refs->count++;
}

void template_refs_clear(struct template_refs *refs)
{
    for (size_t i = 0; i < refs->count; i++) {
        template_ref_clear(&refs->items[i]);
    }
    free(refs->items);
    *refs = (struct template_refs){0};
}

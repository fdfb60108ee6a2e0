#include "bridge/testing/json_pointer.h"

#include "bridge/filter/decimal.h"

/** A name of the pointer: ~1 is a slash, ~0 a tilde. */
static void unescape(struct slice name, struct bytes *out)
{
    bytes_reset(out);
    for (size_t i = 0; i < name.size; i++) {
        bool is_escape = name.data[i] == '~' && i + 1 < name.size;
        if (is_escape && (name.data[i + 1] == '0' || name.data[i + 1] == '1')) {
            bytes_append_byte(out, name.data[++i] == '0' ? '~' : '/');
        } else {
            bytes_append_byte(out, name.data[i]);
        }
    }
}

/** An array's element: digits without leading zeros. */
static const struct json_node *element(const struct json_tree *t, const struct json_node *array,
                                       struct slice index)
{
    size_t number = 0;
    if (index.size == 0 || index.size > 9 || (index.size > 1 && index.data[0] == '0')) {
        return NULL;
    }
    for (size_t i = 0; i < index.size; i++) {
        if (index.data[i] < '0' || index.data[i] > '9') {
            return NULL;
        }
        number = number * 10 + (size_t)(index.data[i] - '0');
    }
    const struct json_node *found = json_tree_child(t, array);
    for (; found != NULL && number > 0; number--) {
        found = json_tree_next(t, found);
    }
    return found;
}

static const struct json_node *step(const struct json_tree *t, const struct json_node *from,
                                    struct slice name)
{
    switch (from->kind) {
    case FILTER_OBJECT:
        return json_tree_member(t, from, name);
    case FILTER_ARRAY:
        return element(t, from, name);
    case FILTER_NULL:
    case FILTER_FALSE:
    case FILTER_TRUE:
    case FILTER_NUMBER:
    case FILTER_TEXT:
        break;
    }
    return NULL;
}

const struct json_node *json_pointer_find(const struct json_tree *t, struct slice pointer)
{
    CLEANUP(bytes_clear) struct bytes name = {0};
    const struct json_node *node = &t->nodes[0];
    size_t at = 0;
    while (node != NULL && at < pointer.size) {
        if (pointer.data[at] != '/') {
            return NULL;
        }
        const uint8_t *slash = memchr(pointer.data + at + 1, '/', pointer.size - at - 1);
        size_t end = slash == NULL ? pointer.size : (size_t)(slash - pointer.data);
        unescape(slice_make(pointer.data + at + 1, end - at - 1), &name);
        node = step(t, node, bytes_slice(&name));
        at = end;
    }
    return node;
}

static bool equal_numbers(struct slice a, struct slice b)
{
    struct decimal x;
    struct decimal y;
    return decimal_read(a, &x) && decimal_read(b, &y) ? decimal_compare(&x, &y) == 0 : slice_equal(a, b);
}

static bool equal_objects(const struct json_tree *t, const struct json_node *a, const struct json_tree *u,
                          const struct json_node *b)
{
    for (const struct json_node *m = json_tree_child(t, a); m != NULL; m = json_tree_next(t, m)) {
        const struct json_node *other = json_tree_member(u, b, m->name);
        if (other == NULL || !json_pointer_equal(t, m, u, other)) {
            return false;
        }
    }
    return a->count == b->count;
}

static bool equal_arrays(const struct json_tree *t, const struct json_node *a, const struct json_tree *u,
                         const struct json_node *b)
{
    const struct json_node *other = json_tree_child(u, b);
    for (const struct json_node *e = json_tree_child(t, a); e != NULL; e = json_tree_next(t, e)) {
        if (other == NULL || !json_pointer_equal(t, e, u, other)) {
            return false;
        }
        other = json_tree_next(u, other);
    }
    return other == NULL;
}

bool json_pointer_equal(const struct json_tree *t, const struct json_node *a, const struct json_tree *u,
                        const struct json_node *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case FILTER_NUMBER:
        return equal_numbers(a->text, b->text);
    case FILTER_TEXT:
        return slice_equal(a->text, b->text);
    case FILTER_OBJECT:
        return equal_objects(t, a, u, b);
    case FILTER_ARRAY:
        return equal_arrays(t, a, u, b);
    case FILTER_NULL:
    case FILTER_FALSE:
    case FILTER_TRUE:
        break;
    }
    return true;
}

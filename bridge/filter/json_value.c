// Reads and compares the values of a json_tree for the filter.
#include <stdlib.h>

#include "bridge/filter/decimal.h"
#include "bridge/filter/json_tree.h"
#include "core/base/memory.h"

static const struct json_node *node_of(struct filter_value value)
{
    return &((const struct json_tree *)value.data)->nodes[value.at];
}

static enum filter_kind value_kind(struct filter_value value)
{
    return node_of(value)->kind;
}

static bool value_member(struct filter_value object, const struct filter_step *step, struct filter_value *ret)
{
    const struct json_tree *tree = object.data;
    const struct json_node *member = json_tree_member(tree, node_of(object), step->name);
    if (member == NULL) {
        return false;
    }
    *ret = json_tree_value(tree, member);
    return true;
}

static bool value_next(struct filter_value array, uint64_t *state, struct filter_value *ret)
{
    const struct json_tree *tree = array.data;
    uint64_t node = *state == 0 ? node_of(array)->child : tree->nodes[*state].next;
    if (node == 0) {
        return false;
    }
    *state = node;
    *ret = (struct filter_value){tree, node};
    return true;
}

static struct slice value_text(struct filter_value value, struct bytes *scratch)
{
    (void)scratch;
    return node_of(value)->text;
}

static bool is_same_number(const struct json_node *a, const struct json_node *b)
{
    struct decimal x;
    struct decimal y;
    return decimal_read(a->text, &x) && decimal_read(b->text, &y) && decimal_compare(&x, &y) == 0;
}

static bool is_same(const struct json_tree *x, const struct json_node *a, const struct json_tree *y,
                    const struct json_node *b);

/** Pairs of the same place, whatever their names are. */
static bool are_pairs_same(const struct json_tree *x, const struct json_node *a, const struct json_tree *y,
                           const struct json_node *b)
{
    const struct json_node *other = json_tree_child(y, b);
    for (const struct json_node *n = json_tree_child(x, a); n != NULL; n = json_tree_next(x, n)) {
        if (!is_same(x, n, y, other)) {
            return false;
        }
        other = json_tree_next(y, other);
    }
    return true;
}

static bool are_names_same(const struct json_tree *x, const struct json_node *a, const struct json_tree *y,
                           const struct json_node *b)
{
    const struct json_node *other = json_tree_child(y, b);
    for (const struct json_node *n = json_tree_child(x, a); n != NULL; n = json_tree_next(x, n)) {
        if (other == NULL || !slice_equal(n->name, other->name)) {
            return false;
        }
        other = json_tree_next(y, other);
    }
    return other == NULL;
}

/** By name, and of equal names the last one first. */
static int compare_members(const void *left, const void *right)
{
    const struct json_node *a = *(const struct json_node *const *)left;
    const struct json_node *b = *(const struct json_node *const *)right;
    size_t size = a->name.size < b->name.size ? a->name.size : b->name.size;
    int order = size == 0 ? 0 : memcmp(a->name.data, b->name.data, size);
    if (order == 0 && a->name.size != b->name.size) {
        order = a->name.size < b->name.size ? -1 : 1;
    }
    return order != 0 ? order : (a->name_at < b->name_at) - (a->name_at > b->name_at);
}

/** The members that count, sorted by name; the caller frees them. */
static const struct json_node **sort_members(const struct json_tree *t, const struct json_node *object,
                                             size_t *ret_count)
{
    const struct json_node **all = memory_zeroed(object->count + 1, sizeof(struct json_node *));
    size_t count = 0;
    size_t kept = 0;
    for (const struct json_node *n = json_tree_child(t, object); n != NULL; n = json_tree_next(t, n)) {
        all[count++] = n;
    }
    qsort(all, count, sizeof(struct json_node *), compare_members);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !slice_equal(all[kept - 1]->name, all[i]->name)) {
            all[kept++] = all[i];
        }
    }
    *ret_count = kept;
    return all;
}

/** Each value is compared once, or the cost would double with each level. */
static bool is_same_object(const struct json_tree *x, const struct json_node *a, const struct json_tree *y,
                           const struct json_node *b)
{
    if (are_names_same(x, a, y, b)) {
        return are_pairs_same(x, a, y, b);
    }
    size_t count = 0;
    size_t other_count = 0;
    CLEANUP(memory_free_pointer) const struct json_node **members = sort_members(x, a, &count);
    CLEANUP(memory_free_pointer) const struct json_node **others = sort_members(y, b, &other_count);
    bool is_good = count == other_count;
    for (size_t i = 0; is_good && i < count; i++) {
        is_good = slice_equal(members[i]->name, others[i]->name) && is_same(x, members[i], y, others[i]);
    }
    return is_good;
}

static bool is_same(const struct json_tree *x, const struct json_node *a, const struct json_tree *y,
                    const struct json_node *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case FILTER_TEXT:
        return slice_equal(a->text, b->text);
    case FILTER_NUMBER:
        return is_same_number(a, b);
    case FILTER_ARRAY:
        return a->count == b->count && are_pairs_same(x, a, y, b);
    case FILTER_OBJECT:
        return is_same_object(x, a, y, b);
    case FILTER_NULL:
    case FILTER_FALSE:
    case FILTER_TRUE:
        break;
    }
    return true;
}

static bool value_same(struct filter_value a, struct filter_value b)
{
    return is_same(a.data, node_of(a), b.data, node_of(b));
}

const struct filter_value_ops JSON_TREE_OPS = {
    .kind = value_kind,
    .member = value_member,
    .next = value_next,
    .text = value_text,
    .number = value_text,
    .same = value_same,
};

const struct filter_value_ops JSON_EVENT_OPS = {
    .kind = value_kind,
    .member = value_member,
    .next = value_next,
    .text = value_text,
    .number = value_text,
    .same = value_same,
    .has_decimal_texts = true,
};

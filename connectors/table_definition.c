#include "connectors/table_definition.h"

#include <openssl/sha.h>

#include "core/base/memory.h"
#include "core/base/text.h"

// --- its text ---

static void put_member(struct bytes *out, const char *name, const char *text)
{
    bytes_append_string(out, name);
    text_append_json(out, slice_of(text));
}

static void put_name(struct bytes *out, const struct table *t)
{
    put_member(out, "{\"schema\":", t->schema);
    put_member(out, ",\"name\":", t->name);
}

static void put_column(struct bytes *out, const struct column *c, const struct column_shape *shape)
{
    put_member(out, "[", c->name);
    put_member(out, ",", shape->expression);
    bytes_format(out, ",%d,", shape->is_nullable);
    if (shape->default_text == NULL) {
        bytes_append_string(out, "null");
    } else {
        text_append_json(out, slice_of(shape->default_text));
    }
    bytes_format(out, ",%d]", shape->is_generated);
}

void table_definition_put(struct bytes *out, const struct table *t)
{
    put_name(out, t);
    bytes_format(out, ",\"identity\":\"%c\",\"key\":[", t->shape->identity);
    for (size_t i = 0; i < t->key_count; i++) {
        put_member(out, i == 0 ? "" : ",", t->columns[t->key_columns[i]].name);
    }
    bytes_append_string(out, "],\"columns\":[");
    for (size_t i = 0; i < t->column_count; i++) {
        bytes_append_string(out, i == 0 ? "" : ",");
        put_column(out, &t->columns[i], &t->shape->columns[i]);
    }
    bytes_append_string(out, "]}");
}

void table_definition_put_hash(struct bytes *out, const struct table *t, struct slice definition)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    (void)SHA256(definition.data, definition.size, hash);
    put_name(out, t);
    bytes_append_string(out, ",\"hash\":\"");
    text_append_hex(out, slice_make(hash, sizeof(hash)));
    bytes_append_string(out, "\"}");
}

void table_definition_put_numbers(struct bytes *out, const struct table *t)
{
    for (size_t i = 0; i < t->column_count; i++) {
        bytes_format(out, "%s%u", i == 0 ? "[" : ",", t->columns[i].number);
    }
    bytes_append_string(out, t->column_count == 0 ? "[]" : "]");
}

// --- which column of one is which of the other ---

static const char *column_name(const json_t *column)
{
    return json_string_value(json_array_get(column, 0));
}

static size_t find_column(const json_t *columns, const char *name)
{
    size_t i = 0;
    while (i < json_array_size(columns) && !text_is_same(column_name(json_array_get(columns, i)), name)) {
        i++;
    }
    return i;
}

static const json_t *columns_of(const struct table_definition *d)
{
    return json_object_get(d->json, "columns");
}

static json_int_t number_at(const struct table_definition *d, size_t column)
{
    return json_integer_value(json_array_get(d->numbers, column));
}

static bool has_numbers(const struct table_definition *d)
{
    size_t count = json_array_size(columns_of(d));
    bool has_all = json_array_size(d->numbers) == count;
    for (size_t i = 0; has_all && i < count; i++) {
        has_all = number_at(d, i) > 0;
    }
    return has_all;
}

static size_t find_number(const struct table_definition *d, json_int_t number)
{
    size_t i = 0;
    while (i < json_array_size(columns_of(d)) && number_at(d, i) != number) {
        i++;
    }
    return i;
}

// PostgreSQL adds columns at the end and renames them in place. So a column that is gone and a new one of
// its type, with a common column behind both, is one that was renamed. At the end of the table it may as well
// have been dropped and another one added: then both are said.
static size_t find_renamed(const json_t *before, size_t gone, const json_t *after)
{
    size_t count = json_array_size(after);
    size_t at = gone == 0 ? 0 : find_column(after, column_name(json_array_get(before, gone - 1))) + 1;
    if (at >= count || gone + 1 >= json_array_size(before)) {
        return count;
    }
    const json_t *candidate = json_array_get(after, at);
    bool is_new = find_column(before, column_name(candidate)) == json_array_size(before);
    bool is_same_type =
        json_equal(json_array_get(json_array_get(before, gone), 1), json_array_get(candidate, 1));
    size_t behind = find_column(after, column_name(json_array_get(before, gone + 1)));
    return is_new && is_same_type && behind == at + 1 ? at : count;
}

// Where the column is afterwards; their count: it was dropped.
static size_t find_successor(const struct table_definition *before, size_t column,
                             const struct table_definition *after, bool is_numbered)
{
    if (is_numbered) {
        return find_number(after, number_at(before, column));
    }
    const char *name = column_name(json_array_get(columns_of(before), column));
    size_t at = find_column(columns_of(after), name);
    return at < json_array_size(columns_of(after))
               ? at
               : find_renamed(columns_of(before), column, columns_of(after));
}

// --- what has changed ---

static void add(json_t *effects, const char *member, const char *name)
{
    json_t *list = json_object_get(effects, member);
    if (list == NULL) {
        list = json_array();
        (void)json_object_set_new(effects, member, list);
    }
    (void)json_array_append_new(list, json_string(name));
}

static void add_renamed(json_t *effects, const char *from, const char *to)
{
    json_t *names = json_object_get(effects, "renamed");
    if (names == NULL) {
        names = json_object();
        (void)json_object_set_new(effects, "renamed", names);
    }
    (void)json_object_set_new(names, from, json_string(to));
}

static void compare_column(const json_t *before, const json_t *after, json_t *effects)
{
    static const char *const members[] = {NULL, "retyped", "nullability", "default", "generated"};
    if (!text_is_same(column_name(before), column_name(after))) {
        add_renamed(effects, column_name(before), column_name(after));
    }
    for (size_t i = 1; i < COUNT_OF(members); i++) {
        if (!json_equal(json_array_get(before, i), json_array_get(after, i))) {
            add(effects, members[i], column_name(after));
        }
    }
}

static void compare_columns(const struct table_definition *before, const struct table_definition *after,
                            json_t *effects)
{
    bool is_numbered = has_numbers(before) && has_numbers(after);
    size_t after_count = json_array_size(columns_of(after));
    CLEANUP(memory_free_pointer) bool *is_old = memory_zeroed(after_count + 1, sizeof(*is_old));
    for (size_t i = 0; i < json_array_size(columns_of(before)); i++) {
        const json_t *old = json_array_get(columns_of(before), i);
        size_t at = find_successor(before, i, after, is_numbered);
        if (at == after_count) {
            add(effects, "dropped", column_name(old));
            continue;
        }
        is_old[at] = true;
        compare_column(old, json_array_get(columns_of(after), at), effects);
    }
    for (size_t i = 0; i < after_count; i++) {
        if (!is_old[i]) {
            add(effects, "added", column_name(json_array_get(columns_of(after), i)));
        }
    }
}

json_t *table_definition_compare(const struct table_definition *before, const struct table_definition *after)
{
    static const char *const members[] = {"key", "identity"};
    json_t *effects = json_object();
    compare_columns(before, after, effects);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (!json_equal(json_object_get(before->json, members[i]),
                        json_object_get(after->json, members[i]))) {
            (void)json_object_set(effects, members[i], json_object_get(after->json, members[i]));
        }
    }
    if (!json_equal(json_object_get(before->json, "schema"), json_object_get(after->json, "schema")) ||
        !json_equal(json_object_get(before->json, "name"), json_object_get(after->json, "name"))) {
        (void)json_object_set_new(effects, "renamed_from",
                                  json_sprintf("%s.%s",
                                               json_string_value(json_object_get(before->json, "schema")),
                                               json_string_value(json_object_get(before->json, "name"))));
    }
    return effects;
}

#include "schemas/avro/table.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"

void table_free(struct table *t)
{
    if (t == NULL || t->uses-- > 0) {
        return;
    }
    if (t->route != NULL && t->free_route != NULL) {
        t->free_route(t->route);
    }
    for (size_t i = 0; t->columns != NULL && i < t->column_count; i++) {
        free(t->columns[i].name);
        value_type_clear(&t->columns[i].type);
        bytes_clear(&t->columns[i].default_avro);
        bytes_clear(&t->columns[i].default_json);
    }
    free(t->columns);
    free(t->key_columns);
    free(t->prefix);
    free(t->schema);
    free(t->name);
    free(t->topic);
    free(t->key_schema);
    free(t->value_schema);
    table_shape_free(t->shape);
    free(t->partition_columns);
    free(t->partition_problem);
    free(t);
}

static void copy_bytes(struct bytes *to, const struct bytes *from)
{
    *to = (struct bytes){0};
    bytes_append_slice(to, bytes_slice(from));
}

struct table *table_copy(const struct table *from)
{
    struct table *t = memory_zeroed(1, sizeof(*t));
    t->prefix = memory_string(from->prefix);
    t->schema = memory_string(from->schema);
    t->name = memory_string(from->name);
    t->topic = memory_string(from->topic);
    t->column_count = from->column_count;
    t->columns = memory_zeroed(t->column_count, sizeof(*t->columns));
    for (size_t i = 0; i < t->column_count; i++) {
        t->columns[i] = from->columns[i];
        t->columns[i].name = memory_string(from->columns[i].name);
        t->columns[i].type = value_type_copy(&from->columns[i].type);
        copy_bytes(&t->columns[i].default_avro, &from->columns[i].default_avro);
        copy_bytes(&t->columns[i].default_json, &from->columns[i].default_json);
    }
    t->key_count = from->key_count;
    t->key_columns = memory_zeroed(t->column_count, sizeof(*t->key_columns));
    memcpy(t->key_columns, from->key_columns, t->key_count * sizeof(*t->key_columns));
    t->shape = table_shape_retain(from->shape);
    t->partition_count = from->partition_count;
    t->partition_columns = memory_zeroed(t->partition_count + 1, sizeof(*t->partition_columns));
    for (size_t i = 0; i < t->partition_count; i++) {
        t->partition_columns[i] = from->partition_columns[i];
    }
    t->partition_problem = from->partition_problem == NULL ? NULL : memory_string(from->partition_problem);
    return t;
}

bool table_has_text(const struct table *t, const struct column *c)
{
    for (size_t i = 0; t != NULL && i < t->column_count; i++) {
        const struct column *old = &t->columns[i];
        if (strcmp(old->name, c->name) == 0) {
            return old->has_text && old->type_oid == c->type_oid && old->type_modifier == c->type_modifier;
        }
    }
    return false;
}

void table_take_numbers(struct table *io, const struct table *from)
{
    for (size_t i = 0; i < io->column_count; i++) {
        io->columns[i].number = from->columns[i].number;
    }
}

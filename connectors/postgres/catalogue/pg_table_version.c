#include "connectors/postgres/catalogue/pg_table_version.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_default.h"
#include "connectors/postgres/catalogue/pg_key.h"
#include "connectors/postgres/catalogue/pg_partition.h"
#include "connectors/postgres/catalogue/pg_shape.h"
#include "connectors/postgres/catalogue/pg_toast_plan.h"
#include "connectors/postgres/catalogue/pg_type_modes.h"
#include "connectors/postgres/values/pg_mask.h"
#include "connectors/table_topic.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/avro/type_schema.h"

static void log_plain_type(struct pg_table_versions *v, const struct column *c, const char *type,
                           const struct pg_catalogue *catalogue)
{
    for (size_t i = 0; i < v->plain_count; i++) {
        if (v->plain_types[i] == c->type_oid) {
            return;
        }
    }
    v->plain_types = memory_resize(v->plain_types, (v->plain_count + 1) * sizeof(*v->plain_types));
    v->plain_types[v->plain_count++] = c->type_oid;
    const struct log_value *values = LOG_WITH(LOG_TEXT("type", type), LOG_TEXT("column", c->name));
    if (pg_types_is_too_large(c->type_oid, c->type_modifier, catalogue->types, catalogue->type_count)) {
        log_warn(v->component, "type_as_text", values,
                 "type %s has more than %d types in it, or types more than %d deep: its values are published "
                 "as text",
                 type, PG_TYPES_MAX, PG_TYPES_DEPTH_MAX);
        return;
    }
    log_info(v->component, "type_as_text", values,
             "type %s has no Avro type of its own: its values are published as text", type);
}

// A schema that does not permit any more what an earlier one did would be refused as incompatible.
static void permit_as_before(const struct pg_table_versions *v, uint32_t table, const struct table *previous,
                             struct column *io)
{
    const struct remembered_column *before = column_memory_find(v->memory, table, io->number);
    bool had_text = table_has_text(previous, io) || (before != NULL && before->has_text);
    io->has_text = io->takes_text && had_text;
    io->is_nullable = io->is_nullable || (before != NULL && before->is_nullable);
}

static void fill_column(struct pg_table_versions *v, const struct pgoutput_column *message,
                        const struct pg_catalogue *catalogue, const struct pg_mask *mask, struct column *ret)
{
    const char *plain = NULL;
    ret->name = slice_to_string(message->name);
    ret->type_oid = message->type_oid;
    ret->type_modifier = message->type_modifier;
    pg_types_resolve(message->type_oid, message->type_modifier, catalogue->types, catalogue->type_count,
                     &ret->type, &plain);
    pg_type_modes_apply(&ret->type, &v->config->modes);
    if (plain != NULL) {
        log_plain_type(v, ret, plain, catalogue);
    }
    const struct pg_catalogue_column *fact = pg_catalogue_find(catalogue, message->name);
    // A column that was dropped or has another type now is treated as nullable and without default.
    bool is_known = fact != NULL && fact->type_oid == message->type_oid;
    ret->number = is_known ? fact->number : 0;
    ret->is_nullable = !is_known || !fact->is_not_null || ret->type.ops->is_optional;
    if (mask != NULL) {
        pg_mask_apply(&ret->type, mask);
    } else if (is_known && !fact->is_generated) {
        pg_default_set(ret, fact->default_text);
        ret->is_null_default = v->config->null_as_default && ret->default_avro.size > 0;
    }
    ret->takes_text =
        v->config->modes.types == TYPE_MODE_NATIVE && mask == NULL && !type_schema_is_string(&ret->type);
}

static void write_schemas(struct table *t)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    free(TAKE(t->key_schema));
    if (t->key_count > 0) {
        avro_schema_key(&text, t);
        t->key_schema = slice_to_string(bytes_slice(&text));
        bytes_reset(&text);
    }
    avro_schema_envelope(&text, t);
    bytes_append_byte(&text, 0);
    bytes_append_string(&text, t->key_schema == NULL ? "" : t->key_schema);
    (void)SHA256(text.data, text.size, t->schemas_hash);
}

void pg_table_version_note_text(struct table *t)
{
    for (size_t i = 0; i < t->column_count && t->text_column == NULL; i++) {
        if (!value_type_is_readable(&t->columns[i].type)) {
            t->text_column = &t->columns[i];
        }
    }
}

void pg_table_version_finish(struct table *t)
{
    pg_table_version_note_text(t);
    write_schemas(t);
}

struct table *pg_table_version_make(struct pg_table_versions *v, const struct pg_table_version_source *from)
{
    const struct pgoutput_relation *message = from->message;
    const struct pg_catalogue *catalogue = from->catalogue;
    struct table *t = memory_zeroed(1, sizeof(*t));
    t->prefix = memory_string(v->config->topic_prefix);
    t->schema = memory_string(pgoutput_schema_of(message));
    t->name = slice_to_string(message->name);
    t->topic = table_topic_of(v->config, t->schema, t->name);
    t->column_count = message->column_count;
    t->columns = memory_zeroed(t->column_count, sizeof(*t->columns));
    for (size_t i = 0; i < t->column_count; i++) {
        const struct pg_mask *mask =
            pg_column_rules_mask(from->rules, from->kept == NULL ? i : from->kept[i]);
        fill_column(v, &message->columns[i], catalogue, mask, &t->columns[i]);
        permit_as_before(v, message->oid, from->previous, &t->columns[i]);
    }
    pg_key_set(v->config, v->component, message, catalogue, t);
    if (v->config->toast == TOAST_MODE_TYPED) {
        pg_toast_plan_mark(message, catalogue, t);
    }
    pg_partition_set(v->config, message, catalogue, t);
    t->shape = v->config->schema_changes.topic ? pg_shape_make(message, catalogue, t->columns) : NULL;
    pg_table_version_finish(t);
    return t;
}

// The schema texts contain names, types, nullability, defaults and keys; other members are compared one by
// one.
bool pg_table_version_is_same(const struct table *a, const struct table *b)
{
    if (a->column_count != b->column_count || !text_is_same(a->topic, b->topic) ||
        !table_shape_is_same(a->shape, b->shape) || !pg_partition_is_same(a, b) ||
        memcmp(a->schemas_hash, b->schemas_hash, sizeof(a->schemas_hash)) != 0) {
        return false;
    }
    for (size_t i = 0; i < a->column_count; i++) {
        const struct column *x = &a->columns[i];
        const struct column *y = &b->columns[i];
        if (x->type_oid != y->type_oid || x->type_modifier != y->type_modifier ||
            strcmp(x->name, y->name) != 0) {
            return false;
        }
    }
    return a->key_count == b->key_count &&
           (a->key_count == 0 || memcmp(a->key_columns, b->key_columns, a->key_count * sizeof(size_t)) == 0);
}

void pg_table_versions_clear(struct pg_table_versions *v)
{
    free(TAKE(v->plain_types));
    v->plain_count = 0;
}

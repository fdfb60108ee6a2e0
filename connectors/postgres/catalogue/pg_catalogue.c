#include "connectors/postgres/catalogue/pg_catalogue.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_catalogue_private.h"
#include "core/base/memory.h"

void pg_catalogue_query(struct bytes *out, const struct pg_catalogue_scope *scope,
                        const struct pgoutput_relation *relation)
{
    char table[16];
    uint32_t oid = scope->oids[0];
    (void)snprintf(table, sizeof(table), "%u", oid);
    bytes_format(out,
                 PG_CATALOGUE_SNAPSHOT PG_CATALOGUE_COLUMNS
                 " WHERE c.oid = %u AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;",
                 oid);
    bytes_format(out,
                 "WITH RECURSIVE r(" PG_CATALOGUE_TYPE_COLUMNS ") AS (" PG_CATALOGUE_TYPE
                 " WHERE t.oid IN (SELECT atttypid FROM pg_attribute WHERE attrelid = %u AND attnum > 0)",
                 oid);
    for (size_t i = 0; relation != NULL && i < relation->column_count; i++) {
        if (!pg_types_is_known(relation->columns[i].type_oid)) {
            bytes_format(out, " OR t.oid = %u", relation->columns[i].type_oid);
        }
    }
    bytes_append_string(out, PG_CATALOGUE_TYPES_BELOW);
    bytes_format(out, ";" PG_CATALOGUE_ANCESTORS "c.oid = %u", oid);
    const struct pg_unsent_scope unsent = {scope->unsent_by, scope->slot, scope->server_version};
    pg_unsent_query(out, &unsent, table);
}

void pg_catalogue_types_query(struct bytes *out, const struct table *t)
{
    bytes_append_string(out, "WITH RECURSIVE r(" PG_CATALOGUE_TYPE_COLUMNS ") AS (" PG_CATALOGUE_TYPE
                             " WHERE t.oid IN (0");
    for (size_t i = 0; i < t->column_count; i++) {
        bytes_format(out, ", %u", t->columns[i].type_oid);
    }
    bytes_append_string(out, ")" PG_CATALOGUE_TYPES_BELOW);
}

static uint32_t get_oid(const PGresult *r, int row, int field)
{
    return (uint32_t)strtoul(PQgetvalue(r, row, field), NULL, 10);
}

static bool get_bool(const PGresult *r, int row, int field)
{
    return PQgetvalue(r, row, field)[0] == 't';
}

static void read_column(const PGresult *r, int row, struct pg_catalogue_column *ret)
{
    ret->name = memory_string(PQgetvalue(r, row, 0));
    ret->type_oid = get_oid(r, row, 1);
    ret->type_modifier = (int32_t)strtol(PQgetvalue(r, row, 2), NULL, 10);
    ret->is_not_null = get_bool(r, row, 3);
    ret->default_text = PQgetisnull(r, row, 4) ? NULL : memory_string(PQgetvalue(r, row, 4));
    ret->is_generated = get_bool(r, row, 5);
    bool is_primary = get_bool(r, row, 6);
    ret->primary_position = is_primary ? (int)strtol(PQgetvalue(r, row, 7), NULL, 10) : -1;
    ret->is_identity = get_bool(r, row, 8);
    ret->identity_position = (int)strtol(PQgetvalue(r, row, 11), NULL, 10);
    ret->number = (uint16_t)strtoul(PQgetvalue(r, row, 12), NULL, 10);
    ret->length = (int16_t)strtol(PQgetvalue(r, row, 13), NULL, 10);
    ret->written_by = get_oid(r, row, 14);
    ret->is_original = get_bool(r, row, 15);
}

static char *get_text(const PGresult *r, int row, int field)
{
    return PQgetisnull(r, row, field) ? NULL : memory_string(PQgetvalue(r, row, field));
}

static json_t *get_json(const PGresult *r, int row, int field)
{
    return PQgetisnull(r, row, field) ? NULL : json_loads(PQgetvalue(r, row, field), 0, NULL);
}

static void read_labels(const PGresult *r, int row, struct pg_type *ret)
{
    json_t *labels = get_json(r, row, 11);
    for (size_t i = 0; i < json_array_size(labels); i++) {
        text_list_add(&ret->labels, json_string_value(json_array_get(labels, i)));
    }
    json_decref(labels);
}

// Each field is the array [name, type's oid, modifier].
static void read_fields(const PGresult *r, int row, struct pg_type *ret)
{
    json_t *fields = get_json(r, row, 12);
    ret->field_count = json_array_size(fields);
    ret->fields = memory_zeroed(ret->field_count, sizeof(*ret->fields));
    for (size_t i = 0; i < ret->field_count; i++) {
        const json_t *field = json_array_get(fields, i);
        ret->fields[i].name = memory_string(json_string_value(json_array_get(field, 0)));
        ret->fields[i].oid = (uint32_t)json_integer_value(json_array_get(field, 1));
        ret->fields[i].modifier = (int32_t)json_integer_value(json_array_get(field, 2));
    }
    json_decref(fields);
}

static void read_type(const PGresult *r, int row, struct pg_type *ret)
{
    ret->oid = get_oid(r, row, 0);
    ret->kind = PQgetvalue(r, row, 1)[0];
    ret->base_oid = get_oid(r, row, 2);
    ret->base_modifier = (int32_t)strtol(PQgetvalue(r, row, 3), NULL, 10);
    ret->element_oid = get_oid(r, row, 4);
    ret->name = get_text(r, row, 5);
    ret->delimiter = PQgetvalue(r, row, 6)[0];
    ret->below_oid = get_oid(r, row, 7);
    ret->has_send = get_bool(r, row, 8);
    ret->schema = get_text(r, row, 9);
    ret->extension = get_text(r, row, 10);
    read_labels(r, row, ret);
    read_fields(r, row, ret);
}

uint32_t pg_catalogue_row_table(const PGresult *r, int row)
{
    return get_oid(r, row, 9);
}

void pg_catalogue_read_columns(const PGresult *r, size_t from, size_t to, struct pg_catalogue *ret)
{
    ret->column_count = to - from;
    ret->columns = memory_zeroed(ret->column_count, sizeof(*ret->columns));
    ret->replica_identity = 'n';
    for (size_t i = 0; i < ret->column_count; i++) {
        read_column(r, (int)(from + i), &ret->columns[i]);
        ret->replica_identity = PQgetvalue(r, (int)(from + i), 10)[0];
        ret->toast_target = strtoul(PQgetvalue(r, (int)(from + i), 16), NULL, 10);
    }
}

struct pg_type *pg_catalogue_read_types(const PGresult *r, size_t *ret_count)
{
    *ret_count = (size_t)PQntuples(r);
    struct pg_type *types = memory_zeroed(*ret_count, sizeof(*types));
    for (size_t i = 0; i < *ret_count; i++) {
        read_type(r, (int)i, &types[i]);
    }
    return types;
}

void pg_catalogue_read(PGresult *const *results, struct pg_catalogue *ret)
{
    struct pg_catalogue c = {0};
    pg_catalogue_read_columns(results[1], 0, (size_t)PQntuples(results[1]), &c);
    c.types = pg_catalogue_read_types(results[2], &c.type_count);
    for (int row = 0; row < PQntuples(results[3]); row++) {
        text_list_add(&c.ancestors, PQgetvalue(results[3], row, 1));
    }
    if (PQntuples(results[4]) > 0) {
        uint32_t table;
        c.unsent = pg_unsent_read(results[4], 0, &table);
    }
    *ret = c;
}

void pg_catalogue_clear(struct pg_catalogue *c)
{
    for (size_t i = 0; i < c->column_count; i++) {
        free(c->columns[i].name);
        free(c->columns[i].default_text);
    }
    free(c->columns);
    pg_type_list_free(c->types, c->type_count);
    free(c->schema);
    free(c->name);
    free(c->row_filter);
    text_list_clear(&c->ancestors);
    *c = (struct pg_catalogue){0};
}

void pg_catalogue_describe(const struct pg_catalogue *c, int server_version, struct pgoutput_relation *ret)
{
    bool sends_generated = server_version >= 180000;  // if the publication lists them
    ret->oid = c->oid;
    ret->schema = slice_of(c->schema);
    ret->name = slice_of(c->name);
    ret->replica_identity = (uint8_t)c->replica_identity;
    ret->column_count = 0;
    for (size_t i = 0; i < c->column_count; i++) {
        const struct pg_catalogue_column *column = &c->columns[i];
        if (!column->is_left_out && (!column->is_generated || sends_generated)) {
            ret->columns[ret->column_count++] = (struct pgoutput_column){
                slice_of(column->name), column->type_oid, column->type_modifier, column->is_identity};
        }
    }
}

const struct pg_catalogue_column *pg_catalogue_find(const struct pg_catalogue *c, struct slice name)
{
    for (size_t i = 0; i < c->column_count; i++) {
        if (slice_equal(slice_of(c->columns[i].name), name)) {
            return &c->columns[i];
        }
    }
    return NULL;
}

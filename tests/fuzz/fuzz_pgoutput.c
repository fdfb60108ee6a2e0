// A Relation and what follows it: both decoded, the relation described by a catalogue, the row encoded by the
// table that comes of it, and read back by the schema of that table. Input: Int16 size of the Relation
// message, that message, the row message.
#include <stdint.h>
#include <stdlib.h>

#include "connectors/postgres/pg_change.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/json/json_encode.h"

enum { COLUMNS_MAX = 64 };

static char fuzz_name[] = "fuzz";
static char fuzz_all[] = "*";
static char *fuzz_include[] = {fuzz_all};
static struct connector_config fuzz_config = {.name = fuzz_name,
                                              .topic_prefix = fuzz_name,
                                              .tables.include = {fuzz_include, 1},
                                              .operations = CONNECTOR_ALL};

// Types that are not built in, or have no rule: the corpus uses their oids.
static struct pg_type types[] = {
    {.oid = 603, .kind = 'b', .delimiter = ';', .name = fuzz_name},
    {.oid = 1020, .kind = 'b', .element_oid = 603, .delimiter = ';', .name = fuzz_name},
    {.oid = 1562, .kind = 'b', .delimiter = ',', .name = fuzz_name},
    {.oid = 20001, .kind = 'd', .base_oid = 1700, .base_modifier = (10 << 16 | 2) + 4, .name = fuzz_name},
    {.oid = 20002, .kind = 'b', .element_oid = 20001, .delimiter = ',', .name = fuzz_name},
    {.oid = 20003, .kind = 'e', .delimiter = ',', .name = fuzz_name},
    {.oid = 20004, .kind = 'b', .element_oid = 20003, .delimiter = ',', .name = fuzz_name},
    {.oid = 20005, .kind = 'd', .base_oid = 20005, .base_modifier = -1, .name = fuzz_name},
};

static const char *const DEFAULTS[] = {"0",
                                       "'1.50'::numeric",
                                       "'text'::text",
                                       "now()",
                                       "true",
                                       "'2026-01-02'::date",
                                       "'2026-01-02 03:04:05'::timestamp without time zone",
                                       "'{}'::jsonb",
                                       NULL};

// Facts of the message's own columns: every second one NOT NULL, with defaults of every form.
static void make_catalogue(const struct pgoutput_relation *relation, struct pg_catalogue *ret)
{
    struct pg_catalogue c = {.column_count = relation->column_count, .replica_identity = 'd'};
    c.columns = memory_zeroed(c.column_count, sizeof(*c.columns));
    int primary = 0;
    for (size_t i = 0; i < c.column_count; i++) {
        const struct pgoutput_column *column = &relation->columns[i];
        const char *text = DEFAULTS[(i + column->type_oid) % COUNT_OF(DEFAULTS)];
        c.columns[i] = (struct pg_catalogue_column){.name = slice_to_string(column->name),
                                                    .default_text = text == NULL ? NULL : memory_string(text),
                                                    .type_oid = column->type_oid,
                                                    .type_modifier = column->type_modifier,
                                                    .is_not_null = i % 2 == 0,
                                                    .is_identity = column->is_identity,
                                                    .primary_position = column->is_identity ? primary++ : -1};
    }
    c.types = memory_new(sizeof(types));
    memcpy(c.types, types, sizeof(types));
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        c.types[i].name = memory_string(types[i].name);
    }
    c.type_count = COUNT_OF(types);
    *ret = c;
}

static void relate(struct pg_relations *relations, const struct pgoutput_message *message,
                   struct pg_relation **ret)
{
    struct pg_catalogue catalogue;
    make_catalogue(&message->relation, &catalogue);
    *ret = pg_relations_see(relations, &message->relation);
    pg_relations_update(relations, *ret, &message->relation, &catalogue);
    pg_catalogue_clear(&catalogue);
}

// What was encoded is what the schema says, to the last byte.
static void read_back(const struct change *change)
{
    struct avro_type *type = NULL;
    struct fault f = {0};
    struct bytes avro CLEANUP(bytes_clear) = {0};
    struct bytes json CLEANUP(bytes_clear) = {0};
    struct bytes schema CLEANUP(bytes_clear) = {0};
    const struct avro_envelope envelope = {.version = "v",
                                           .connector = "c",
                                           .table = change->table,
                                           .database = "d",
                                           .snapshot = "false",
                                           .op = (char)change->op,
                                           .before = change->before,
                                           .after = change->after};
    avro_encode_envelope(&avro, &envelope);
    // Names that are no text, or twice the same, make no schema.
    avro_schema_envelope(&schema, change->table);
    if (avro_type_parse(bytes_slice(&schema), &type, &f)) {
        INVARIANT(json_encode_datum(type, bytes_slice(&avro), NULL, &json, &f) ||
                  strstr(f.text, "too large") != NULL);
    }
    avro_type_free(type);
}

static bool is_row(const struct pgoutput_message *message)
{
    return message->kind == PGOUTPUT_INSERT || message->kind == PGOUTPUT_UPDATE ||
           message->kind == PGOUTPUT_DELETE;
}

static void change_row(struct pg_relations *relations, struct pg_relation *relation,
                       struct pgoutput_message *message)
{
    struct pg_change changes = {0};
    struct change change = {0};
    struct fault f = {0};
    if (pg_change_make(&changes, relations, relation, message, &change, &f)) {
        read_back(&change);
        if (changes.has_second) {
            read_back(&changes.second);
        }
    }
    pg_change_clear(&changes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pgoutput_message message;
    struct fault f = {0};
    struct cursor c = cursor_over(slice_make(data, size));
    size_t first = cursor_u16(&c);
    struct slice relation_wire = cursor_take(&c, first);
    if (c.is_short) {
        return 0;
    }
    struct slice row_wire = slice_make(c.at, cursor_left(&c));
    if (!pgoutput_decode(relation_wire, &message, &f) || message.kind != PGOUTPUT_RELATION ||
        message.relation.column_count > COLUMNS_MAX) {
        (void)!pgoutput_decode(row_wire, &message, &f);
        return 0;
    }
    struct pg_relations *relations = pg_relations_new(&fuzz_config, "fuzz", NULL);
    struct pg_relation *relation;
    relate(relations, &message, &relation);
    if (relation->is_wanted && pgoutput_decode(row_wire, &message, &f) && is_row(&message)) {
        change_row(relations, relation, &message);
    }
    pg_relations_free(relations);
    return 0;
}

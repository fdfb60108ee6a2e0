// PostgreSQL stores values out of line when a row is larger than about a quarter of a page
// (TOAST_TUPLE_THRESHOLD), until it is smaller than the table's toast_tuple_target, which is the same by
// default. Source: PostgreSQL 15, src/backend/access/heap/heaptoast.c and src/include/access/heaptoast.h.
#include "connectors/postgres/catalogue/pg_toast_plan.h"

#include <stdlib.h>

#include "connectors/postgres/values/pg_oid.h"
#include "core/base/text.h"

enum {
    ALIGNED_HEADER = 12,  // of a value: its length, and what its alignment takes
};

// How many bytes of a row a byte that is sent can stand for. Text has its own encoding in the database, which
// takes twice the bytes of UTF-8 at most. Of the other types [0,0,0] as jsonb takes most: 6.
static uint8_t bytes_of_byte(uint32_t oid)
{
    switch (oid) {
    case PG_OID_BYTEA:
    case PG_OID_NUMERIC:
        return 1;
    case PG_OID_TEXT:
    case PG_OID_JSON:
    case PG_OID_XML:
    case PG_OID_BPCHAR:
    case PG_OID_VARCHAR:
        return 2;
    default:
        return 8;
    }
}

// Whether its values have one size, so that they are never out of line.
static bool is_fixed(const struct pgoutput_column *column, const struct pg_catalogue_column *fact)
{
    return fact != NULL && fact->type_oid == column->type_oid && fact->length >= 0;
}

static struct pg_toast_column plan_column(const struct pgoutput_relation *message, size_t i,
                                          const struct pg_catalogue_column *fact)
{
    const struct pgoutput_column *column = &message->columns[i];
    struct pg_toast_column c = {.is_identity = column->is_identity};
    bool has_size = is_fixed(column, fact);
    c.number = fact == NULL ? 0 : fact->number;
    c.may_be_out = !has_size && !c.is_identity;
    c.size = has_size ? (uint16_t)(fact->length + ALIGNED_HEADER) : ALIGNED_HEADER;
    c.bytes_of_byte = has_size ? 0 : bytes_of_byte(column->type_oid);
    const uint32_t definition[] = {column->type_oid, fact == NULL ? 0 : fact->written_by};
    c.fingerprint = text_hash(slice_make(definition, sizeof(definition))) | 1;
    return c;
}

// The row filter that the configuration gives the table: under another one other changes are not sent.
static void append_filter(struct bytes *out, const struct connector_config *config,
                          const struct pgoutput_relation *message)
{
    CLEANUP(memory_free_pointer)
    char *full = memory_format("%s.%s", (const char *)message->schema.data, (const char *)message->name.data);
    const char *filter = connector_config_row_filter(config, full);
    bytes_append_string(out, filter == NULL ? "" : filter);
}

struct pg_toast_plan *pg_toast_plan_make(const struct connector_config *config,
                                         const struct pgoutput_relation *message, size_t sent,
                                         const struct pg_catalogue *catalogue)
{
    struct pg_toast_plan *p = memory_zeroed(1, sizeof(*p));
    CLEANUP(bytes_clear) struct bytes definition = {0};
    bool has_identity = false;
    bool are_original = true;
    p->column_count = message->column_count;
    p->columns = memory_zeroed(p->column_count + 1, sizeof(*p->columns));
    bytes_format(&definition, "%c %llu", message->replica_identity,
                 (unsigned long long)catalogue->unsent.ends);
    for (size_t i = 0; i < p->column_count; i++) {
        const struct pg_catalogue_column *fact = pg_catalogue_find(catalogue, message->columns[i].name);
        struct pg_toast_column *c = &p->columns[i];
        *c = plan_column(message, i, fact);
        has_identity = has_identity || c->is_identity;
        are_original = are_original && fact != NULL && fact->is_original;
        p->is_needed = p->is_needed || c->may_be_out;
        c->may_be_out = c->may_be_out && fact != NULL;  // else it has no number: never known
        if (c->is_identity) {
            bytes_format(&definition, " %u %u", c->number, message->columns[i].type_oid);
        }
    }
    append_filter(&definition, config, message);
    p->is_needed = p->is_needed && has_identity && message->replica_identity != 'f';
    p->is_whole = p->column_count == sent && sent == catalogue->column_count;
    p->is_settled = catalogue->unsent.is_settled && (catalogue->is_settled || are_original);
    p->out_of_line = catalogue->toast_target;
    p->fingerprint = text_hash(bytes_slice(&definition)) | 1;
    return p;
}

void pg_toast_plan_renew(struct pg_toast_plan **io, const struct connector_config *config,
                         const struct pgoutput_relation *message, size_t sent,
                         const struct pg_catalogue *catalogue)
{
    if (config->toast == TOAST_MODE_COMPLETE) {
        pg_toast_plan_free(*io);
        *io = pg_toast_plan_make(config, message, sent, catalogue);
    }
}

void pg_toast_plan_mark(const struct pgoutput_relation *message, const struct pg_catalogue *catalogue,
                        struct table *io)
{
    for (size_t i = 0; i < io->column_count; i++) {
        const struct pg_catalogue_column *fact = pg_catalogue_find(catalogue, message->columns[i].name);
        io->columns[i].has_marker = !io->columns[i].is_key && !is_fixed(&message->columns[i], fact);
    }
}

void pg_toast_plan_free(struct pg_toast_plan *p)
{
    if (p != NULL) {
        free(p->columns);
        free(p);
    }
}

// One version of a table's definition, independent of the database. Immutable once built.
#ifndef SCHEMAS_AVRO_TABLE_H
#define SCHEMAS_AVRO_TABLE_H

#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "schemas/avro/table_shape.h"
#include "schemas/avro/value_type.h"

struct column {
    char *name;              // as in the database
    struct value_type type;  // type.ops NULL: the source appends no values
    bool is_nullable;
    bool is_key;
    // A value that the Avro type can't hold is published as the database's text, in a branch `string` of the
    // column's union. Only versions for such a row have the branch (has_text). Never of a key's column.
    bool takes_text;
    bool has_text;
    bool is_null_default;   // the default is published in place of null
    bool has_marker;        // its union has a branch millrace.Unchanged, for a value that was not sent
    uint16_t number;        // the database's of the column, which stays when it is renamed; 0: not known
    uint32_t type_oid;      // the database's type of the column, which may be a domain
    int32_t type_modifier;  // the column's; -1: none
    struct bytes
        default_avro;  // the default value in Avro binary, without union branch; size 0: no default known
    struct bytes default_json;  // the default value as JSON text for the schema's "default"; size 0: none
};

struct table {
    char *prefix;  // topic prefix
    char *schema;
    char *name;
    char *topic;  // prefix.schema.name
    struct column *columns;
    size_t column_count;
    size_t *key_columns;        // indexes into columns, in key order
    size_t key_count;           // 0: records have a null key
    size_t *partition_columns;  // that choose the partition, in their order
    size_t partition_count;     // 0: the key chooses
    // Why the partition can't be known of old rows, or with partition_count 0 of any; NULL: it can.
    char *partition_problem;
    char *key_schema;                  // Avro schema text, NULL when key_count is 0; see avro_schema_key
    char *value_schema;                // NULL: avro_schema_envelope makes it when it is needed
    uint8_t schemas_hash[32];          // of both texts, when value_schema is NULL
    const struct column *text_column;  // a column whose values are read in text form only; NULL: none
    struct table_shape *shape;         // for the schema-change topic; NULL: there is none
    uint32_t recorded;                 // the session in which that topic had this version; 0: none
    // The sink's data for this version (schema ids, topic state); free_route gets it when the version goes.
    void *route;
    void (*free_route)(void *route);
    size_t uses;  // users besides the first
};

/** One more user, who calls table_free too. */
static inline void table_retain(struct table *t)
{
    t->uses++;
}

/** One user less; the last one frees the version. Accepts NULL. */
void table_free(struct table *t);

/** Whether an earlier version has the column with a branch for text; t may be NULL. */
bool table_has_text(const struct table *t, const struct column *c);

/** Takes over the numbers of the columns of a version that is the same but for them. */
void table_take_numbers(struct table *io, const struct table *from);

/** A copy to be altered: without schemas and route. */
struct table *table_copy(const struct table *from);

#endif

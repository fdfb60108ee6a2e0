// One version of a table's definition, independent of the database. Immutable once built.
#ifndef SCHEMAS_AVRO_TABLE_H
#define SCHEMAS_AVRO_TABLE_H

#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "schemas/avro/value_type.h"

// Semantic types, each with its Connect name and Avro type (Debezium's default modes: adaptive, precise,
// bytes).
enum column_type {
    COLUMN_BOOLEAN,
    COLUMN_INT16,             // int, connect.type int16
    COLUMN_INT32,             // int
    COLUMN_INT64,             // long
    COLUMN_FLOAT32,           // float
    COLUMN_FLOAT64,           // double
    COLUMN_DECIMAL,           // bytes, Connect Decimal with precision and scale
    COLUMN_VARIABLE_DECIMAL,  // record io.debezium.data.VariableScaleDecimal {scale int, value bytes}
    COLUMN_STRING,
    COLUMN_BYTES,
    COLUMN_DATE,             // int, io.debezium.time.Date
    COLUMN_TIME_MS,          // int, io.debezium.time.Time: time(0..3)
    COLUMN_TIME_US,          // long, io.debezium.time.MicroTime
    COLUMN_TIMESTAMP_MS,     // long, io.debezium.time.Timestamp: timestamp(0..3)
    COLUMN_TIMESTAMP_US,     // long, io.debezium.time.MicroTimestamp
    COLUMN_ZONED_TIMESTAMP,  // string, io.debezium.time.ZonedTimestamp
    COLUMN_ZONED_TIME,       // string, io.debezium.time.ZonedTime
    COLUMN_UUID,             // string, io.debezium.data.Uuid
    COLUMN_JSON,             // string, io.debezium.data.Json
    COLUMN_XML,              // string, io.debezium.data.Xml
};

struct column;

/** A source's functions for the values of one type, resolved once for each column. */
struct value_ops {
    /**
     * Appends one value, without a union branch.
     *
     * @param out  may have part of a value appended when the step is not VALUE_DONE
     * @param f    FAULT_REJECT unless the step is VALUE_DONE: says what is wrong with the value
     */
    enum value_step (*append_text)(struct bytes *out, const struct column *c, struct slice text,
                                   struct fault *f);
    /** Appends the type's zero: 0, "", false, 1970-01-01, empty bytes and arrays. */
    void (*append_zero)(struct bytes *out, const struct column *c);
    /** Appends the placeholder for a value that the source did not send (unchanged TOAST); NULL: the type has
     * none, because every value of it could be a real one. */
    void (*append_unchanged)(struct bytes *out, const struct column *c);
};

struct column {
    char *name;  // as in the database
    enum column_type type;
    bool is_array;  // one-dimensional, elements nullable
    bool is_nullable;
    bool is_key;
    int precision;      // DECIMAL: digits; ZONED_*, TIME, TIMESTAMP: fraction digits or -1
    int scale;          // DECIMAL
    uint32_t type_oid;  // the database's type, for the source
    int32_t type_modifier;
    uint32_t element_oid;                 // type of an array's elements
    char element_delimiter;               // separates an array's elements in the database's text form
    const struct value_ops *ops;          // for the column's values; NULL: the source appends none
    const struct value_ops *element_ops;  // for an array's elements
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
    size_t *key_columns;  // indexes into columns, in key order
    size_t key_count;     // 0: records have a null key
    char *key_schema;     // Avro schema text, NULL when key_count is 0; see avro_schema_key
    char *value_schema;   // see avro_schema_envelope
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

#endif

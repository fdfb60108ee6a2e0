// A parsed Avro schema: a tree with the Connect annotations, which avro-c drops.
#ifndef SCHEMAS_AVRO_AVRO_TYPE_H
#define SCHEMAS_AVRO_AVRO_TYPE_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

enum avro_kind {
    AVRO_KIND_NULL,
    AVRO_KIND_BOOLEAN,
    AVRO_KIND_INT,
    AVRO_KIND_LONG,
    AVRO_KIND_FLOAT,
    AVRO_KIND_DOUBLE,
    AVRO_KIND_BYTES,
    AVRO_KIND_STRING,
    AVRO_KIND_FIXED,
    AVRO_KIND_ENUM,
    AVRO_KIND_ARRAY,
    AVRO_KIND_MAP,
    AVRO_KIND_UNION,
    AVRO_KIND_RECORD,
};

// What a value means, by its Connect name or Avro logical type.
enum avro_meaning {
    AVRO_MEANING_NONE,
    AVRO_MEANING_DATE,     // days since 1970-01-01
    AVRO_MEANING_TIME_MS,  // since midnight
    AVRO_MEANING_TIME_US,
    AVRO_MEANING_TIME_NS,
    AVRO_MEANING_LOCAL_MS,  // since 1970-01-01T00:00:00 without a zone
    AVRO_MEANING_LOCAL_US,
    AVRO_MEANING_LOCAL_NS,
    AVRO_MEANING_INSTANT_MS,  // the same in UTC
    AVRO_MEANING_INSTANT_US,
    AVRO_MEANING_INSTANT_NS,
    AVRO_MEANING_DECIMAL,           // big-endian two's complement, `scale` digits after the point
    AVRO_MEANING_VARIABLE_DECIMAL,  // record {scale: int, value: bytes}
    AVRO_MEANING_JSON,
};

// The fields of a Debezium envelope and of its source block, by name. Set on the fields of every record.
enum avro_role {
    AVRO_ROLE_NONE,
    AVRO_ROLE_OP,
    AVRO_ROLE_BEFORE,
    AVRO_ROLE_AFTER,
    AVRO_ROLE_SOURCE,
    AVRO_ROLE_NAME,
    AVRO_ROLE_SCHEMA,
    AVRO_ROLE_TABLE,
    AVRO_ROLE_TS_MS,
    AVRO_ROLE_TS_US,
};

/** Plain data, read only; the root owns all of it. */
struct avro_type {
    enum avro_kind kind;
    enum avro_meaning meaning;
    int32_t scale;              // DECIMAL
    bool is_envelope;           // RECORD with op, before and after, as Debezium's; or a logical message
    bool is_unchanged;          // RECORD that stands for a column's value that was not sent (VALUE_UNCHANGED)
    bool is_sized;              // every value takes at least one byte
    size_t size;                // FIXED: bytes
    size_t count;               // of fields, branches or symbols
    struct avro_field *fields;  // RECORD
    struct avro_type **branches;  // UNION
    struct slice *symbols;        // ENUM: each as JSON text, with quotes
    struct avro_type *items;      // ARRAY, MAP
    char *full_name;              // named types
    char *source;                 // the root: the schema's text; else NULL
    struct avro_type *next;       // all types of the schema, from the root, in order of appearance
};

// How a field's value that is not null is passed without reading it.
enum avro_pass_kind {
    AVRO_PASS_ANY,
    AVRO_PASS_LONG,
    AVRO_PASS_BYTES,
    AVRO_PASS_SIZE,  // `size` bytes
};

struct avro_pass {
    const struct avro_type *type;  // without null, if the field is a union of null and one other type
    size_t size;
    enum avro_pass_kind kind : 8;
    bool is_nullable;     // the field is such a union
    uint8_t null_branch;  // the index of null
};

struct avro_field {
    struct slice label;  // `,"name":` as JSON text, with BYTES_PADDING behind it
    struct avro_type *type;
    enum avro_role role;
    struct avro_pass pass;  // see avro_pass.h
};

/**
 * Parses and checks a schema. Limits depth, size and the number of types; refuses arrays of items that take
 * no bytes, and schemas that avro-c refuses (names, duplicates, unions). A schema may be recursive; the
 * decoder limits how deeply data may nest.
 *
 * @param f  FAULT_REJECT: not a valid schema, with the place
 */
bool avro_type_parse(struct slice text, struct avro_type **ret, struct fault *f) MUST_USE;

/** Frees the root and all that belongs to it. Accepts NULL. */
void avro_type_free(struct avro_type *t);

#endif

// A database's type as the columns of one table version have it: its parameters, and the functions for its
// values, found once. Nested types are trees. Independent of the database.
#ifndef SCHEMAS_AVRO_VALUE_TYPE_H
#define SCHEMAS_AVRO_VALUE_TYPE_H

#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/base/text.h"

/** Debezium's placeholder for a value that the database did not send (unchanged TOAST). */
#define VALUE_PLACEHOLDER "__debezium_unavailable_value"

/** The Avro record that stands for such a value, if readers are to tell it from all others. Its one field, a
 * boolean, is true: avro-c refuses records without fields, and readers that show a record as a map show no
 * map of a column's values alike. */
#define VALUE_UNCHANGED "millrace.Unchanged"

enum value_step {
    VALUE_DONE,
    VALUE_NONE,   // the Avro type can't hold the value (numeric NaN …): null, if the column is nullable
    VALUE_STALE,  // appended, but not of this version of the type: read the catalogue before it is published
    VALUE_FAULT,  // the value's bytes are not valid for its type
};

struct value_type;

/** The named types that a schema text has defined so far: the second use of a record is its name alone. */
struct schema_names {
    struct text_list defined;  // full names
    uint32_t *owners;          // of each name: the oid of the database's type; 0: a record of our own
};

/** Whether the name is new, and so has to be defined; adds it. */
bool schema_names_add(struct schema_names *n, const char *full_name) MUST_USE;

/**
 * Appends the full name of a type's record: the wanted one, with a number behind it if another type has it.
 * Whether the name is new, and so has to be defined.
 */
bool schema_names_choose(struct schema_names *n, const char *wanted, uint32_t owner,
                         struct bytes *out) MUST_USE;
void schema_names_clear(struct schema_names *n);

/**
 * The functions for the values of one type. A new type is one of these and one row in the type table.
 *
 * Values come in the database's text form or in its binary form; both append the same bytes. `f` of a step
 * that is not VALUE_DONE is FAULT_REJECT and says what is wrong with the value; `out` may then have part of
 * it.
 */
struct type_ops {
    /** Appends one value as Avro, without a union branch. */
    enum value_step (*append_text)(struct bytes *out, const struct value_type *t, struct slice text,
                                   struct fault *f);
    /** The same from the binary form; NULL: the type has no decoder, and the stream must be text. */
    enum value_step (*append_binary)(struct bytes *out, const struct value_type *t, struct slice data,
                                     struct fault *f);
    /** Appends the database's text form of a value in binary form, for values inside ranges and composites,
     * and for dead letters. NULL with append_binary NULL. */
    enum value_step (*write_text)(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f);
    /** Appends the type's zero: 0, "", false, 1970-01-01, empty bytes and arrays. */
    void (*append_zero)(struct bytes *out, const struct value_type *t);
    /** Appends Debezium's placeholder for a value that the database did not send (unchanged TOAST); NULL: the
     * type has none, because every value of it could be a real one. */
    void (*append_placeholder)(struct bytes *out, const struct value_type *t);
    /** Appends the value as the JSON of a schema's "default". The text is a literal of an expression, or
     * `computed_default`. NULL: the type has no defaults. */
    enum value_step (*append_default)(struct bytes *out, const struct value_type *t, struct slice text,
                                      struct fault *f);
    /** Appends the Avro schema of the type, without null. @param default_json  the column's default, for the
     * attribute connect.default; size 0: none */
    void (*append_schema)(struct bytes *out, const struct value_type *t, struct slice default_json,
                          struct schema_names *io_names);
    /** The text form of the default that stands for a function call (now()); NULL: the schema has none. */
    const char *computed_default;
    /** Debezium declares the type nullable also where its column is NOT NULL. */
    bool is_optional;
    /** For an array of this type, without the element's own modes; NULL: an array is published as text. */
    const struct type_ops *array;
};

/** Zero-initialised is empty. Owned by the table version; freed by value_type_clear. */
struct value_type {
    const struct type_ops *ops;
    uint32_t oid;                // the type's, with domains replaced by their base types
    int32_t modifier;            // the database's; -1: none
    int precision;               // numeric: digits; times: fraction digits, or -1
    int scale;                   // numeric
    int length;                  // bit, varbit: bits, or -1
    bool is_text_only;           // the database has no binary form of it, and always sends its text
    char delimiter;              // array: between elements in the text form
    char *name;                  // "schema.name" of a type that is not built in; NULL: built in
    struct text_list labels;     // enum: in sort order
    struct value_type *element;  // array: the element's; range: the bounds'; multirange: the range's
    struct value_type *fields;   // composite
    struct text_list field_names;
    size_t field_count;
    const void *lent;  // what the ops need besides; outlives the type
};

/** A copy with all that is below; the caller clears it. */
struct value_type value_type_copy(const struct value_type *t);
void value_type_clear(struct value_type *t);

/** Whether values of the type and of all types below it can be read in binary form. */
bool value_type_has_binary(const struct value_type *t);

/** Whether a column's values can be read in the form in which the database sends them when it is asked for
 * the binary form. */
static inline bool value_type_is_readable(const struct value_type *t)
{
    return t->is_text_only || value_type_has_binary(t);
}

#endif

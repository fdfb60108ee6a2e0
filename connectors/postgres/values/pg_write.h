// Appends PostgreSQL's text form of values, as its output functions write it, and refuses values that are not
// valid.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_WRITE_H
#define CONNECTORS_POSTGRES_VALUES_PG_WRITE_H

#include "schemas/avro/value_type.h"

/** append_text of a type whose Avro value is its text. */
enum value_step pg_write_text_string(struct bytes *out, const struct value_type *t, struct slice text,
                                     struct fault *f);

/** append_binary of a type whose Avro value is its text: write_text, with the length in front. */
enum value_step pg_write_binary_string(struct bytes *out, const struct value_type *t, struct slice data,
                                       struct fault *f);

/** write_text of a type whose binary form is its text. */
enum value_step pg_write_copy(struct bytes *out, const struct value_type *t, struct slice data,
                              struct fault *f);

/** append_zero of a type whose Avro value is a string or bytes: the empty one. */
void pg_write_empty(struct bytes *out, const struct value_type *t);

/** append_placeholder of a type whose Avro value is a string: Debezium's for unchanged TOAST. */
void pg_write_unchanged(struct bytes *out, const struct value_type *t);

/** Puts the length of what was appended from `begin` on in front of it: an Avro string or bytes. */
void pg_write_length(struct bytes *out, size_t begin);

/** The containers that quote the values in them; each has characters of its own that need quotes. */
enum pg_quoting {
    PG_QUOTING_ARRAY,      // "a\"b"; also the word NULL and the element's delimiter
    PG_QUOTING_COMPOSITE,  // "a""b"
    PG_QUOTING_RANGE,      // "a""b"
};

/** Quotes what was appended from `begin` on, if the container's text form needs it. */
void pg_write_quote(struct bytes *out, size_t begin, enum pg_quoting container, char delimiter);

/** Refuses a value in text form: "not WHAT as PostgreSQL writes it". Returns VALUE_FAULT. */
enum value_step pg_write_refuse(const char *what, struct slice text, struct fault *f);

/** Refuses a value in binary form, of which it shows the first bytes in hex. Returns VALUE_FAULT. */
enum value_step pg_write_refuse_binary(const char *what, struct slice data, struct fault *f);

/** append_schema of a type that is a string without a Connect name. */
void pg_write_schema_string(struct bytes *out, const struct value_type *t, struct slice default_json,
                            struct schema_names *io_names);

/**
 * Appends a record's schema where it is used first, else its name.
 *
 * @param schema  the record's whole schema
 * @param space   the namespace of the record around it, which the name leaves out; "" when it has another
 */
void pg_write_schema_record(struct bytes *out, const char *full_name, const char *schema, const char *space,
                            struct schema_names *io_names);

#endif

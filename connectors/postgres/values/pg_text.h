// PostgreSQL's text form of a value into Avro binary, by the column's semantic type.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_TEXT_H
#define CONNECTORS_POSTGRES_VALUES_PG_TEXT_H

#include "core/base/fault.h"
#include "schemas/avro/table.h"

/** What stands for a value that the database did not send again (unchanged TOAST). */
#define PG_TEXT_PLACEHOLDER "__debezium_unavailable_value"

/**
 * Appends one value, without a union branch.
 *
 * @param out  unchanged or longer by half a value on failure
 * @param f    FAULT_REJECT: no Avro value of this type can say it
 */
bool pg_text_append(struct bytes *out, const struct column *c, struct slice text, struct fault *f) MUST_USE;

/** The same for one element when the column is an array. */
bool pg_text_append_scalar(struct bytes *out, const struct column *c, struct slice text,
                           struct fault *f) MUST_USE;

/** The type's zero: 0, "", false, 1970-01-01, empty bytes and arrays. */
void pg_text_append_zero(struct bytes *out, const struct column *c);

/** Debezium's mark for an unchanged TOAST value, in a form that the column's type can carry. */
void pg_text_append_placeholder(struct bytes *out, const struct column *c);

#endif

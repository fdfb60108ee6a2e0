// PostgreSQL's binary form of numeric: groups of four decimal digits.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_NUMERIC_BINARY_H
#define CONNECTORS_POSTGRES_VALUES_PG_NUMERIC_BINARY_H

#include "schemas/avro/value_type.h"

enum pg_numeric_kind {
    PG_NUMERIC_FINITE,
    PG_NUMERIC_NAN,
    PG_NUMERIC_INFINITY,
    PG_NUMERIC_MINUS_INFINITY,
};

/** The value is the sum of group[i] * 10000^(weight - i), negated if is_negative. */
struct pg_numeric_binary {
    enum pg_numeric_kind kind;
    bool is_negative;
    int weight;
    size_t shown;           // digits of the text form after the point
    size_t count;           // of groups
    const uint8_t *groups;  // big-endian uint16 each, less than 10000
};

bool pg_numeric_binary_read(struct slice data, struct pg_numeric_binary *ret, struct fault *f) MUST_USE;

/** The bytes of pg_numeric_binary_write's text at most. */
size_t pg_numeric_binary_text_max(const struct pg_numeric_binary *n);

/** Writes the text form, -12.50, to `to`; returns its size. */
size_t pg_numeric_binary_write(uint8_t *to, const struct pg_numeric_binary *n);

/**
 * The value as *ret_word times 10^*ret_exponent, for values of up to four groups, as nearly all are.
 *
 * @return  false: it has more
 */
bool pg_numeric_binary_word(const struct pg_numeric_binary *n, int64_t *ret_word, int *ret_exponent);

/** write_text of numeric. */
enum value_step pg_numeric_binary_write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                             struct fault *f);

/**
 * Appends a value by its text form, which is written behind the place where the Avro value goes, in one
 * reservation, so that nothing is allocated for it.
 *
 * @param room    the bytes that `append` reserves at most
 * @param append  as append_text
 */
enum value_step pg_numeric_binary_by_text(struct bytes *out, const struct value_type *t,
                                          const struct pg_numeric_binary *n, size_t room,
                                          enum value_step (*append)(struct bytes *, const struct value_type *,
                                                                    struct slice, struct fault *),
                                          struct fault *f);

#endif

// PostgreSQL's text form of numeric.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_NUMERIC_TEXT_H
#define CONNECTORS_POSTGRES_VALUES_PG_NUMERIC_TEXT_H

#include "schemas/avro/value_type.h"

/** The parts of the text [-]whole[.fraction]. */
struct pg_numeric_text {
    bool is_negative;
    struct slice whole;
    struct slice fraction;
};

/** VALUE_NONE: NaN or an infinity. */
enum value_step pg_numeric_text_read(struct slice text, struct pg_numeric_text *ret, struct fault *f);

/** Digit `i` of whole and fraction together; 0 beyond the end. */
static inline uint8_t pg_numeric_text_digit(const struct pg_numeric_text *n, size_t i)
{
    if (i < n->whole.size) {
        return (uint8_t)(n->whole.data[i] - '0');
    }
    i -= n->whole.size;
    return i < n->fraction.size ? (uint8_t)(n->fraction.data[i] - '0') : 0;
}

#endif

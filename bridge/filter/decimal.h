// Decimal numbers as texts, compared exactly: nothing is rounded to a double.
#ifndef BRIDGE_FILTER_DECIMAL_H
#define BRIDGE_FILTER_DECIMAL_H

#include "core/base/bytes.h"

/** The exponent of a number has at most this absolute value. */
#define DECIMAL_EXPONENT_MAX INT64_C(999999999)

/** The number 0.DIGITS * 10^magnitude. Borrows the text it was read from. */
struct decimal {
    struct slice digits;  // from the first digit that is not 0 to the last; may have one '.'; empty: zero
    int64_t magnitude;
    bool is_negative;  // never of zero
};

/** Reads an optional sign, digits with an optional '.', an optional exponent; false when it is anything else.
 */
bool decimal_read(struct slice text, struct decimal *ret);

/** Less than, equal to or greater than 0, as a is less than, equal to or greater than b. */
int decimal_compare(const struct decimal *a, const struct decimal *b);

#endif

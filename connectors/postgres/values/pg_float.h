// The shortest decimal text of floating point numbers, as PostgreSQL writes it with extra_float_digits 1 and
// more.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_FLOAT_H
#define CONNECTORS_POSTGRES_VALUES_PG_FLOAT_H

#include "core/base/bytes.h"

/** Appends a double's text: 0.1, 1e+15, 1e-05, -0, NaN, Infinity. */
void pg_float_write_double(struct bytes *out, double value);

/** Appends a float's text: 0.1, 1e+06, NaN. */
void pg_float_write_float(struct bytes *out, float value);

/** The double that a float's text reads as: 0.1 for 0.1f, not 0.100000001490116. */
double pg_float_read_back(float value);

/** A binary16 number, exactly. */
float pg_float_from_half(uint16_t half);

/** Reads the number of a text at `*at` and moves behind it. False: there is none. */
bool pg_float_take(struct slice text, size_t *at, double *ret);

#endif

// Floating point numbers as Java prints them.
#ifndef SCHEMAS_JSON_JSON_JAVA_H
#define SCHEMAS_JSON_JSON_JAVA_H

#include "core/base/bytes.h"

/** As Double.toString: 2.0, 0.001, 1.0E10. NaN and infinities as JSON strings. */
void json_java_double(struct bytes *out, double value);

/** As Float.toString. */
void json_java_float(struct bytes *out, float value);

#endif

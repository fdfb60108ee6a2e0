// Writes decimals of any size (Connect: big-endian two's complement with a scale) as text.
#ifndef SCHEMAS_JSON_JSON_DECIMAL_H
#define SCHEMAS_JSON_JSON_DECIMAL_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

enum {
    JSON_DECIMAL_BYTES_MAX = 65536,  // PostgreSQL's largest numeric takes 61,000
    JSON_DECIMAL_SCALE_MAX = 65536,
};

/**
 * Appends 12.34 for the unscaled value 1234 and scale 2; scale -2 gives 123400. Fast for long numbers too:
 * see core/base/radix.h.
 *
 * @return  false, and nothing appended, when value or scale exceeds the limits
 */
bool json_decimal_append(struct bytes *out, struct slice unscaled, int32_t scale) MUST_USE;

#endif

// Converts Avro binary to JSON text in one pass over a parsed schema: the payload of functions.
#ifndef SCHEMAS_JSON_JSON_ENCODE_H
#define SCHEMAS_JSON_JSON_ENCODE_H

#include "schemas/avro/avro_type.h"

struct json_options {
    bool int64_as_string;
    // Writes values as Debezium writes a changed key into a header: dates, times and decimals as numbers, a
    // VariableScaleDecimal as its record, json as a string, floating point numbers as Java prints them.
    bool as_stored;
    bool decimals_as_base64;  // as_stored: decimals as the base64 of their unscaled value
};

/**
 * Appends one value as JSON: integers as numbers; decimals, NaN and infinities as strings; dates and times
 * (by Connect name or Avro logical type) as ISO 8601; bytes as base64; io.debezium.data.Json embedded
 * unchanged when it is valid JSON.
 *
 * @param avro  exactly one datum; further bytes are refused
 * @param f     FAULT_REJECT: the bytes do not match the schema; `out` is unchanged
 */
bool json_encode_datum(const struct avro_type *type, struct slice avro, const struct json_options *options,
                       struct bytes *out, struct fault *f) MUST_USE;

#endif

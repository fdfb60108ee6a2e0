// Converts Avro binary to JSON text in one pass over a parsed schema: the payload of functions.
#ifndef SCHEMAS_JSON_JSON_ENCODE_H
#define SCHEMAS_JSON_JSON_ENCODE_H

#include "schemas/avro/avro_type.h"

struct json_options {
    bool int64_as_string;
    // Writes values as Debezium writes a changed key into a header: dates, times and decimals as numbers, a
    // VariableScaleDecimal as its record, json as a string, floating point numbers as Java prints them.
    bool as_stored;
};

/** A run of bytes inside a growing buffer; size 0: absent. */
struct json_span {
    size_t at;
    size_t size;
};

/** The parts of one event, as spans of the buffer that it was appended to. Spans of `null` values have size
 * 0. */
struct json_event {
    bool is_envelope;       // false: `after` is the whole record, op is 'c', and there is no source
    char op;                // c r u d t m
    struct json_span data;  // {"op":…,"before":…,"after":…,"source":…}
    struct json_span before;
    struct json_span after;
    struct json_span prefix;  // source.name as in the JSON (escaped), without its quotes; so are the next two
    struct json_span schema;  // source.schema
    struct json_span table;   // source.table
    int64_t commit_time_us;   // source.ts_us, else ts_ms * 1000; 0 without a source
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

/** As json_encode_datum, for a record; also returns the parts of a Debezium envelope. */
bool json_encode_event(const struct avro_type *type, struct slice avro, const struct json_options *options,
                       struct bytes *out, struct json_event *ret, struct fault *f) MUST_USE;

/**
 * As json_encode_event, but it appends only the row and its table's names, which takes a fraction of the
 * time. *ret has no `data` and no `prefix`, and `before` only if there is no `after`.
 */
bool json_encode_row(const struct avro_type *type, struct slice avro, const struct json_options *options,
                     struct bytes *out, struct json_event *ret, struct fault *f) MUST_USE;

#endif

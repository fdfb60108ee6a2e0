// Avro binary to JSON text in one pass over a parsed schema: what functions get to see.
#ifndef SCHEMAS_JSON_JSON_ENCODE_H
#define SCHEMAS_JSON_JSON_ENCODE_H

#include "schemas/avro/avro_type.h"

struct json_options {
    bool int64_as_string;
    // Values by their Avro type alone, as Debezium writes a changed key into a header: dates and times as
    // numbers, decimals as numbers, a VariableScaleDecimal as its record, json as a string, floating point
    // numbers as Java prints them.
    bool as_stored;
};

/** A run of bytes inside a growing buffer; size 0: absent. */
struct json_span {
    size_t at;
    size_t size;
};

/** Where the parts of one event lie in the buffer it was appended to. Spans of `null` values have size 0. */
struct json_event {
    bool is_envelope;       // else `after` is the whole record, op 'c', and there is no source
    char op;                // c r u d t m
    struct json_span data;  // {"op":…,"before":…,"after":…,"source":…}
    struct json_span before;
    struct json_span after;
    struct json_span prefix;  // source.name, bare text as it stands in the JSON (escaped), no quotes
    struct json_span schema;  // source.schema
    struct json_span table;   // source.table
    int64_t commit_time_us;   // source.ts_us (else ts_ms * 1000); 0 when there is no source
};

/**
 * Appends one value as JSON: integers as numbers, decimals, NaN and infinities as strings, ISO 8601 for times
 * known by their Connect name or Avro logical type, bytes base64, io.debezium.data.Json embedded as it is
 * when it is valid JSON.
 *
 * @param avro  the whole datum; left-over bytes are refused
 * @param f     FAULT_REJECT: the bytes are not what the schema says; `out` is as before
 */
bool json_encode_datum(const struct avro_type *type, struct slice avro, const struct json_options *options,
                       struct bytes *out, struct fault *f) MUST_USE;

/** As json_encode_datum for a record value, giving the parts of a Debezium envelope. */
bool json_encode_event(const struct avro_type *type, struct slice avro, const struct json_options *options,
                       struct bytes *out, struct json_event *ret, struct fault *f) MUST_USE;

#endif

// Converts Avro binary, or JSON, to DynamoDB's attribute values in one pass.
//
//   null {"NULL":true}   boolean {"BOOL":true}   numbers, decimals {"N":"1.50"}   bytes {"B":"base64"}
//   text, enum, uuid, times (ISO 8601) {"S":"…"}   record, map {"M":{…}}   array {"L":[…]}
//   io.debezium.data.Json: as the JSON says; {"S":"…"} if it is none
//
// NaN, infinities, and numbers that DynamoDB can't hold are {"S":"…"}.
//
// Source: Amazon DynamoDB API Reference, "AttributeValue".
#ifndef SCHEMAS_JSON_ATTRIBUTE_ENCODE_H
#define SCHEMAS_JSON_ATTRIBUTE_ENCODE_H

#include "schemas/avro/avro_type.h"

/**
 * Appends a record or map as an object of its members' attribute values, without the M around it.
 *
 * @param type  RECORD or MAP, and no decimal
 * @param avro  exactly one datum
 * @param f     FAULT_REJECT: the bytes do not match the schema; `out` is unchanged
 */
bool attribute_encode_members(const struct avro_type *type, struct slice avro, struct bytes *out,
                              struct fault *f) MUST_USE;

/** Appends one value; FAULT_REJECT as attribute_encode_members. */
bool attribute_encode_datum(const struct avro_type *type, struct slice avro, struct bytes *out,
                            struct fault *f) MUST_USE;

/** Appends a JSON object's members, as attribute_encode_members. @param json  valid */
void attribute_encode_json_members(struct bytes *out, struct slice json);

/** Appends a JSON value. @param json  valid */
void attribute_encode_json(struct bytes *out, struct slice json);

#endif

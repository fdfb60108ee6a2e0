// The schema of a record as Kafka Connect's JsonConverter writes it (schemas.enable=true), made of the Avro
// schema and its Connect annotations.
//
// Source: org.apache.kafka.connect.json.JsonConverter (Apache Kafka 4): asJsonSchema, convertToJson; and
// Confluent's AvroData: toConnectSchema.
#ifndef SCHEMAS_JSON_CONNECT_SCHEMA_H
#define SCHEMAS_JSON_CONNECT_SCHEMA_H

#include "schemas/avro/avro_type.h"

/** The schemas that were made, by type. */
struct connect_schemas;

/** @param decimals_as_base64  as values are written: of defaults */
struct connect_schemas *connect_schemas_new(bool decimals_as_base64);
void connect_schemas_free(struct connect_schemas *c);

/**
 * The schema of a record's type, or of what columns were chosen of it, as JSON; lent, kept by the type's
 * address.
 *
 * @param f  FAULT_REJECT: Connect has no such schema: a union of several types, a record in itself
 */
bool connect_schemas_get(struct connect_schemas *c, const struct avro_type *type, struct slice *ret,
                         struct fault *f) MUST_USE;

#endif

// Confluent's wire format: byte 0, schema id as 4 bytes big-endian, then Avro binary.
#ifndef SCHEMAS_AVRO_FRAMING_H
#define SCHEMAS_AVRO_FRAMING_H

#include "core/base/cursor.h"

enum { FRAMING_SIZE = 5 };

/** Appends the five bytes. */
void framing_put(struct bytes *out, int32_t schema_id);

/**
 * Splits a record's bytes.
 *
 * @param ret_avro  the Avro binary, borrowed from `wire`
 * @param f         FAULT_REJECT: shorter than five bytes, or the first is not 0
 * Source: Confluent Schema Registry, Formats, "Wire format".
 */
bool framing_split(struct slice wire, int32_t *ret_schema_id, struct slice *ret_avro,
                   struct fault *f) MUST_USE;

#endif

// Confluent's wire format:
//
//   offset  size  what
//   0       1     magic byte, 0
//   1       4     schema id, big-endian
//   5       …     Avro binary
//
// Source: Confluent Schema Registry, Formats, "Wire format".
#include "schemas/avro/framing.h"

void framing_put(struct bytes *out, int32_t schema_id)
{
    uint8_t *at = bytes_reserve(out, FRAMING_SIZE);
    uint32_t id = __builtin_bswap32((uint32_t)schema_id);
    at[0] = 0;
    memcpy(at + 1, &id, sizeof id);
    out->size += FRAMING_SIZE;
}

bool framing_split(struct slice wire, int32_t *ret_schema_id, struct slice *ret_avro, struct fault *f)
{
    struct cursor c = cursor_over(wire);
    uint8_t magic = cursor_u8(&c);
    uint32_t id = cursor_u32(&c);
    if (c.is_short) {
        return fault_set(f, FAULT_REJECT, "%zu bytes are too short for Confluent's wire format", wire.size);
    }
    if (magic != 0) {
        return fault_set(f, FAULT_REJECT, "first byte is 0x%02x, not Confluent's wire format", magic);
    }
    if (id > INT32_MAX) {
        return fault_set(f, FAULT_REJECT, "schema id %u is out of range", id);
    }
    *ret_schema_id = (int32_t)id;
    *ret_avro = slice_make(wire.data + FRAMING_SIZE, wire.size - FRAMING_SIZE);
    return true;
}

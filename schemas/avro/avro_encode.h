// Writes Avro binary into a buffer: primitives, and the Debezium envelope around row images.
#ifndef SCHEMAS_AVRO_AVRO_ENCODE_H
#define SCHEMAS_AVRO_AVRO_ENCODE_H

#include "core/base/bytes.h"
#include "schemas/avro/table.h"

/** int and long: zig-zag variable length, 1 to 10 bytes. */
static inline void avro_encode_long(struct bytes *out, int64_t value)
{
    uint8_t *at = bytes_reserve(out, 10);
    uint64_t n = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    size_t size = 0;
    while (n >= 0x80) {
        at[size++] = (uint8_t)(n | 0x80);
        n >>= 7;
    }
    at[size++] = (uint8_t)n;
    out->size += size;
}

/** bytes and string: length, then the bytes. */
static inline void avro_encode_string(struct bytes *out, struct slice text)
{
    avro_encode_long(out, (int64_t)text.size);
    bytes_append_slice(out, text);
}

static inline void avro_encode_boolean(struct bytes *out, bool value)
{
    bytes_append_byte(out, value ? 1 : 0);
}

void avro_encode_float(struct bytes *out, float value);
void avro_encode_double(struct bytes *out, double value);

/** The envelope's values for one change. */
struct avro_envelope {
    const char *version;    // source.version: millrace's
    const char *connector;  // "postgresql"
    const struct table *table;
    const char *database;
    const char *snapshot;  // source.snapshot
    char op;
    int64_t commit_time_us;   // source.ts_*
    uint32_t transaction_id;  // source.txId; 0: null
    uint64_t lsn;
    uint64_t last_commit_lsn;  // 0: null in source.sequence
    const char *origin;        // source.origin; NULL: the change was made on this server
    uint64_t origin_lsn;       // source.origin_lsn, with an origin only
    int64_t now_ns;            // envelope ts_*
    struct slice before;       // Avro record; data NULL: null
    struct slice after;
    struct slice transaction;        // transaction.id; data NULL: the block is null
    uint64_t total_order;            // with `transaction`
    uint64_t data_collection_order;  // with `transaction`
};

/** Appends one Envelope record of avro_schema_envelope's schema, without framing. */
void avro_encode_envelope(struct bytes *out, const struct avro_envelope *e);

/** Appends the Source record alone. */
void avro_encode_source(struct bytes *out, const struct avro_envelope *e);

/** Appends one MessageValue record (events/message-value.avsc): a logical message. @param content  data NULL:
 * null */
void avro_encode_message(struct bytes *out, const struct avro_envelope *e, struct slice prefix,
                         struct slice content);

#endif

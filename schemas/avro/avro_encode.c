// The envelope's layout (schema: avro_schema_envelope), unions as branch index then value:
//
//   before       0, or 1 and the row          after  the same
//   source       version connector name : string, ts_ms : long, snapshot : 0 string, db : string,
//                sequence : 1 string, ts_us ts_ns : 1 long, schema table : string, txId lsn : 1 long,
//                xmin : 0, origin : 0 or 1 string, origin_lsn : 0 or 1 long
//   transaction  0, or 1 and id : string, total_order data_collection_order : long
//   op           string
//   ts_ms ts_us ts_ns : 1 long
//
// A message (events/message-value.avsc) has op, ts_ms, source and transaction as above, then prefix : 1
// string, content : 0, or 1 and bytes.
//
// Runs for every row: one reservation of an upper bound, then plain stores.
#include "schemas/avro/avro_encode.h"

#include "core/base/text.h"

enum {
    AVRO_ENCODE_LONG_MAX = 10,  // bytes of the longest long
    // The envelope without texts and rows: 12 longs, 10 lengths, sequence, branches.
    AVRO_ENCODE_FIXED_MAX = 320,
    AVRO_ENCODE_NULL = 0,
    AVRO_ENCODE_VALUE = 2,  // zig-zag of branch 1
    AVRO_ENCODE_SEQUENCE_MAX = 64,
};

void avro_encode_float(struct bytes *out, float value)
{
    memcpy(bytes_reserve(out, sizeof value), &value, sizeof value);
    out->size += sizeof value;
}

void avro_encode_double(struct bytes *out, double value)
{
    memcpy(bytes_reserve(out, sizeof value), &value, sizeof value);
    out->size += sizeof value;
}

// As avro_encode_long: 7 bits a byte, the high bit set in all bytes but the last. Spreads 56 bits over 8
// bytes at once, because most of the envelope's numbers have 4 to 9 bytes.
static inline uint8_t *put_long(uint8_t *at, int64_t value)
{
    uint64_t n = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    if (n < 0x80) {
        *at = (uint8_t)n;
        return at + 1;
    }
    size_t size = (size_t)(64 - __builtin_clzll(n) + 6) / 7;
    uint64_t x = (n & 0x000000000FFFFFFF) | (n & 0x00FFFFFFF0000000) << 4;
    x = (x & 0x00003FFF00003FFF) | (x & 0x0FFFC0000FFFC000) << 2;
    x = (x & 0x007F007F007F007F) | (x & 0x3F803F803F803F80) << 1;
    uint64_t more = 0x8080808080808080;
    x |= size <= 8 ? more >> 8 * (9 - size) : more;
    memcpy(at, &x, sizeof(x));
    if (size > 8) {
        uint64_t rest = n >> 56;
        at[8] = (uint8_t)(size == 9 ? rest : rest | 0x80);
        at[9] = (uint8_t)(rest >> 7);
    }
    return at + size;
}

static inline uint8_t *put_optional_long(uint8_t *at, int64_t value)
{
    *at++ = AVRO_ENCODE_VALUE;
    return put_long(at, value);
}

static inline uint8_t *put_text(uint8_t *at, const char *text, size_t size)
{
    at = put_long(at, (int64_t)size);
    memcpy(at, text, size);
    return at + size;
}

static inline uint8_t *put_row(uint8_t *at, struct slice row)
{
    if (row.data == NULL) {
        *at++ = AVRO_ENCODE_NULL;
        return at;
    }
    *at++ = AVRO_ENCODE_VALUE;
    memcpy(at, row.data, row.size);
    return at + row.size;
}

static char *put_quoted_number(char *at, uint64_t number)
{
    uint8_t digits[TEXT_DIGITS_MAX];
    uint8_t *end = digits + sizeof(digits);
    const uint8_t *first = text_digits(end, number);
    size_t size = (size_t)(end - first);
    *at++ = '"';
    memcpy(at, first, size);
    at += size;
    *at++ = '"';
    return at;
}

// ["<last commit LSN>","<LSN>"]; the first is null, without quotes, when no commit was seen before.
static uint8_t *put_sequence(uint8_t *at, uint64_t last_commit_lsn, uint64_t lsn)
{
    char text[AVRO_ENCODE_SEQUENCE_MAX];
    char *end = text;
    *end++ = '[';
    if (last_commit_lsn == 0) {
        memcpy(end, "null", 4);
        end += 4;
    } else {
        end = put_quoted_number(end, last_commit_lsn);
    }
    *end++ = ',';
    end = put_quoted_number(end, lsn);
    *end++ = ']';
    return put_text(at, text, (size_t)(end - text));
}

struct avro_encode_lengths {
    size_t version, connector, prefix, database, snapshot, schema, table, origin;
    size_t all;  // with the transaction's id
};

static uint8_t *put_source(uint8_t *at, const struct avro_envelope *e, const struct avro_encode_lengths *n)
{
    at = put_text(at, e->version, n->version);
    at = put_text(at, e->connector, n->connector);
    at = put_text(at, e->table->prefix, n->prefix);
    at = put_long(at, e->commit_time_us / 1000);
    *at++ = AVRO_ENCODE_NULL;  // branch 0 of ["string","null"]
    at = put_text(at, e->snapshot, n->snapshot);
    at = put_text(at, e->database, n->database);
    *at++ = AVRO_ENCODE_VALUE;
    at = put_sequence(at, e->last_commit_lsn, e->lsn);
    at = put_optional_long(at, e->commit_time_us);
    at = put_optional_long(at, e->commit_time_us * 1000);
    at = put_text(at, e->table->schema, n->schema);
    at = put_text(at, e->table->name, n->table);
    if (e->transaction_id == 0) {
        *at++ = AVRO_ENCODE_NULL;
    } else {
        at = put_optional_long(at, (int64_t)e->transaction_id);
    }
    at = put_optional_long(at, (int64_t)e->lsn);
    *at++ = AVRO_ENCODE_NULL;  // xmin
    if (e->origin == NULL) {
        memset(at, AVRO_ENCODE_NULL, 2);
        return at + 2;
    }
    *at++ = AVRO_ENCODE_VALUE;
    at = put_text(at, e->origin, n->origin);
    return put_optional_long(at, (int64_t)e->origin_lsn);
}

static uint8_t *put_transaction(uint8_t *at, const struct avro_envelope *e)
{
    if (e->transaction.data == NULL) {
        *at++ = AVRO_ENCODE_NULL;
        return at;
    }
    *at++ = AVRO_ENCODE_VALUE;
    at = put_text(at, (const char *)e->transaction.data, e->transaction.size);
    at = put_long(at, (int64_t)e->total_order);
    return put_long(at, (int64_t)e->data_collection_order);
}

static inline struct avro_encode_lengths lengths_of(const struct avro_envelope *e)
{
    struct avro_encode_lengths n = {
        .version = strlen(e->version),
        .connector = strlen(e->connector),
        .prefix = strlen(e->table->prefix),
        .database = strlen(e->database),
        .snapshot = strlen(e->snapshot),
        .schema = strlen(e->table->schema),
        .table = strlen(e->table->name),
        .origin = e->origin == NULL ? 0 : strlen(e->origin),
    };
    n.all = n.version + n.connector + n.prefix + n.database + n.snapshot + n.schema + n.table + n.origin +
            e->transaction.size;
    return n;
}

void avro_encode_envelope(struct bytes *out, const struct avro_envelope *e)
{
    const struct avro_encode_lengths n = lengths_of(e);
    uint8_t *begin = bytes_reserve(out, AVRO_ENCODE_FIXED_MAX + n.all + e->before.size + e->after.size);
    uint8_t *at = put_row(begin, e->before);
    at = put_row(at, e->after);
    at = put_source(at, e, &n);
    at = put_transaction(at, e);
    at = put_text(at, &e->op, 1);
    at = put_optional_long(at, e->now_ns / 1000000);
    at = put_optional_long(at, e->now_ns / 1000);
    at = put_optional_long(at, e->now_ns);
    out->size += (size_t)(at - begin);
}

void avro_encode_source(struct bytes *out, const struct avro_envelope *e)
{
    const struct avro_encode_lengths n = lengths_of(e);
    uint8_t *begin = bytes_reserve(out, AVRO_ENCODE_FIXED_MAX + n.all);
    out->size += (size_t)(put_source(begin, e, &n) - begin);
}

void avro_encode_message(struct bytes *out, const struct avro_envelope *e, struct slice prefix,
                         struct slice content)
{
    const struct avro_encode_lengths n = lengths_of(e);
    uint8_t *begin = bytes_reserve(out, AVRO_ENCODE_FIXED_MAX + n.all);
    uint8_t *at = put_text(begin, &e->op, 1);
    at = put_optional_long(at, e->now_ns / 1000000);
    at = put_source(at, e, &n);
    at = put_transaction(at, e);
    out->size += (size_t)(at - begin);
    bytes_append_byte(out, AVRO_ENCODE_VALUE);
    avro_encode_string(out, prefix);
    if (content.data == NULL) {
        bytes_append_byte(out, AVRO_ENCODE_NULL);
    } else {
        bytes_append_byte(out, AVRO_ENCODE_VALUE);
        avro_encode_string(out, content);
    }
}

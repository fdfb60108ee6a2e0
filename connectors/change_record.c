#include "connectors/change_record.h"

#include "connectors/kafka/record_headers.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/framing.h"

enum { INDEX_DIGITS = 8 };

static void put_hex(char *at, uint64_t value, int count)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = count - 1; i >= 0; i--, value >>= 4) {
        at[i] = digits[value & 15];
    }
}

// 8 digits at once: a byte for each nibble, then 'a' - '0' - 10 is added to those above 9.
static void put_hex8(char *at, uint32_t value)
{
    uint64_t x = value;
    x = (x | x << 16) & 0x0000FFFF0000FFFF;
    x = (x | x << 8) & 0x00FF00FF00FF00FF;
    x = (x | x << 4) & 0x0F0F0F0F0F0F0F0F;
    x = __builtin_bswap64(x);
    uint64_t is_letter = (x + 0x0606060606060606) >> 4 & 0x0101010101010101;
    x += 0x3030303030303030 + is_letter * ('a' - '0' - 10);
    memcpy(at, &x, sizeof(x));
}

// printf would be slower.
size_t change_record_position(char ret_position[RECORD_POSITION_MAX], uint64_t commit_lsn, uint64_t index)
{
    put_hex8(ret_position, (uint32_t)(commit_lsn >> 32));
    put_hex8(ret_position + 8, (uint32_t)commit_lsn);
    ret_position[16] = '-';
    if (index <= UINT32_MAX) {
        put_hex8(ret_position + 17, (uint32_t)index);
        return 17 + INDEX_DIGITS;
    }
    int count = INDEX_DIGITS;
    for (uint64_t rest = index >> (4 * INDEX_DIGITS); rest > 0; rest >>= 4) {
        count++;
    }
    put_hex(ret_position + 17, index, count);
    return 17 + (size_t)count;
}

struct record_part change_record_key(struct record_plan *p, const struct change *c, int32_t key_id)
{
    if (c->key.data == NULL) {
        return (struct record_part){0, RECORD_NULL};
    }
    size_t begin = record_plan_begin(p);
    framing_put(&p->bytes, key_id);
    bytes_append_slice(&p->bytes, c->key);
    return record_plan_end(p, begin);
}

static struct avro_envelope envelope_of(const char *kind, const struct change *c)
{
    return (struct avro_envelope){
        .version = MILLRACE_VERSION,
        .connector = kind,
        .table = c->table,
        .database = c->database,
        .snapshot = c->snapshot,
        .op = (char)c->op,
        .commit_time_us = c->commit_time_us,
        .transaction_id = c->transaction_id,
        .lsn = c->lsn,
        .last_commit_lsn = c->last_commit_lsn,
        .origin = c->origin,
        .origin_lsn = c->origin_lsn,
        .now_ns = c->taken_ns,
        .transaction = c->order.id,
        .total_order = c->order.total,
        .data_collection_order = c->order.of_table,
    };
}

struct record_part change_record_value(struct record_plan *p, const char *kind, const struct change *c,
                                       int32_t value_id, struct slice before, struct slice after)
{
    struct avro_envelope envelope = envelope_of(kind, c);
    size_t begin = record_plan_begin(p);
    envelope.before = before;
    envelope.after = after;
    framing_put(&p->bytes, value_id);
    avro_encode_envelope(&p->bytes, &envelope);
    return record_plan_end(p, begin);
}

struct record_part change_record_message(struct record_plan *p, const char *kind, const struct change *c,
                                         int32_t value_id, struct slice content)
{
    struct avro_envelope envelope = envelope_of(kind, c);
    size_t begin = record_plan_begin(p);
    framing_put(&p->bytes, value_id);
    avro_encode_message(&p->bytes, &envelope, c->message_prefix, content);
    return record_plan_end(p, begin);
}

struct record_part change_record_schema_change(struct record_plan *p, const char *kind,
                                               const struct change *c, int32_t value_id,
                                               const struct schema_change *what)
{
    struct avro_envelope envelope = envelope_of(kind, c);
    size_t begin = record_plan_begin(p);
    framing_put(&p->bytes, value_id);
    schema_change_encode_value(&p->bytes, &envelope, what);
    return record_plan_end(p, begin);
}

struct record_part change_record_headers(struct record_plan *p, const struct change *c)
{
    size_t begin = record_plan_begin(p);
    if (c->new_key_json.data != NULL) {
        record_headers_add(&p->bytes, "__debezium.newkey", c->new_key_json);
    } else if (c->old_key_json.data != NULL) {
        record_headers_add(&p->bytes, "__debezium.oldkey", c->old_key_json);
    }
    return record_plan_end(p, begin);
}

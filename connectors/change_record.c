#include "connectors/change_record.h"

#include "core/base/clock.h"
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

// printf would be slower.
struct slice change_record_position(struct change_record *r, const struct change *c)
{
    int count = INDEX_DIGITS;
    for (uint64_t rest = c->index >> (4 * INDEX_DIGITS); rest > 0; rest >>= 4) {
        count++;
    }
    put_hex(r->position, c->commit_lsn, 16);
    r->position[16] = '-';
    put_hex(r->position + 17, c->index, count);
    r->position_size = 17 + (size_t)count;
    return slice_make(r->position, r->position_size);
}

struct slice change_record_key(struct change_record *r, const struct change *c, int32_t key_id)
{
    if (c->key.data == NULL) {
        return (struct slice){NULL, 0};
    }
    bytes_reset(&r->key);
    framing_put(&r->key, key_id);
    bytes_append_slice(&r->key, c->key);
    return bytes_slice(&r->key);
}

struct slice change_record_value(struct change_record *r, const struct change *c, int32_t value_id,
                                 struct slice before, struct slice after)
{
    struct avro_envelope envelope = {
        .version = MILLRACE_VERSION,
        .connector = r->kind,
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
        .now_ns = clock_wall_ns(),
        .before = before,
        .after = after,
    };
    bytes_reset(&r->value);
    framing_put(&r->value, value_id);
    avro_encode_envelope(&r->value, &envelope);
    return bytes_slice(&r->value);
}

rd_kafka_headers_t *change_record_headers(const struct change *c)
{
    bool is_old = c->new_key_json.data != NULL;
    if (!is_old && c->old_key_json.data == NULL) {
        return NULL;
    }
    struct slice other = is_old ? c->new_key_json : c->old_key_json;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
    (void)rd_kafka_header_add(headers, is_old ? "__debezium.newkey" : "__debezium.oldkey", -1, other.data,
                              (ssize_t)other.size);
    return headers;
}

void change_record_clear(struct change_record *r)
{
    bytes_clear(&r->key);
    bytes_clear(&r->value);
}

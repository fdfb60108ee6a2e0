#include "schemas/avro/event_encode.h"

#include "schemas/avro/avro_encode.h"

enum { BRANCH_NULL = 0, BRANCH_VALUE = 1 };

static void put_status(struct bytes *out, const char *status, struct slice id)
{
    avro_encode_string(out, slice_of(status));
    avro_encode_string(out, id);
}

void event_encode_begin(struct bytes *out, struct slice id, int64_t time_ms)
{
    put_status(out, "BEGIN", id);
    avro_encode_long(out, BRANCH_NULL);
    avro_encode_long(out, BRANCH_NULL);
    avro_encode_long(out, time_ms);
}

// An array is a block of items, each behind its branch, and an empty block.
static void put_counts(struct bytes *out, const struct event_count *counts, size_t count)
{
    if (counts == NULL) {
        avro_encode_long(out, BRANCH_NULL);
        return;
    }
    avro_encode_long(out, BRANCH_VALUE);
    if (count > 0) {
        avro_encode_long(out, (int64_t)count);
    }
    for (size_t i = 0; i < count; i++) {
        avro_encode_long(out, BRANCH_VALUE);
        avro_encode_string(out, slice_of(counts[i].collection));
        avro_encode_long(out, (int64_t)counts[i].count);
    }
    avro_encode_long(out, 0);
}

void event_encode_end(struct bytes *out, struct slice id, int64_t time_ms, uint64_t total,
                      const struct event_count *counts, size_t count)
{
    put_status(out, "END", id);
    avro_encode_long(out, BRANCH_VALUE);
    avro_encode_long(out, (int64_t)total);
    put_counts(out, counts, count);
    avro_encode_long(out, time_ms);
}

void event_encode_text(struct bytes *out, struct slice text)
{
    avro_encode_string(out, text);
}

void event_encode_message_key(struct bytes *out, struct slice prefix)
{
    avro_encode_long(out, BRANCH_VALUE);
    avro_encode_string(out, prefix);
}

void event_encode_heartbeat(struct bytes *out, int64_t time_ms)
{
    avro_encode_long(out, time_ms);
}

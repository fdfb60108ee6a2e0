#include "connectors/kafka/accumulator.h"

#include <string.h>
#include <utlist.h>

#include "core/base/memory.h"

enum {
    QUEUES_FEW = 64,   // up to this many topics get large batches without waiting
    SENT_AT_ONCE = 5,  // librdkafka's max.in.flight: with fewer records in flight the next is sent at once
    LOAD = 256,        // from this many records on librdkafka's queue is kept filled
    ROUND_RATIO = 4,   // with many topics a round begins with this many times the records in flight
    BYTES_MAX = 16 << 20,  // of all topics
    COMPACT_BYTES = 256 << 10,
    KEEP_BYTES = 1 << 10,        // an empty queue keeps this much buffer while there are many queues
    KEEP_BYTES_FEW = 256 << 10,  // and this much while there are few
};
#define NULL_SIZE UINT32_MAX

struct head {
    uint64_t ticket;
    uint32_t key_size;
    uint32_t value_size;
    uint8_t position_size;  // 0: none
    uint8_t traceparent_size;
    uint16_t tracestate_size;
    uint32_t headers_size;
    int32_t partition;
    char position[ACCUMULATOR_POSITION_MAX];
};

static uint32_t size_of(struct slice part)
{
    return part.data == NULL ? NULL_SIZE : (uint32_t)part.size;
}

static size_t length_of(uint32_t size)
{
    return size == NULL_SIZE ? 0 : size;
}

void accumulator_put(struct accumulator *a, struct accumulator_queue *q,
                     const struct accumulator_record *record)
{
    struct head head = {.ticket = record->ticket,
                        .key_size = size_of(record->key),
                        .value_size = size_of(record->value),
                        .position_size = (uint8_t)record->position.size,
                        .traceparent_size = (uint8_t)record->trace.traceparent.size,
                        .tracestate_size = (uint16_t)record->trace.tracestate.size,
                        .headers_size = (uint32_t)record->headers.size,
                        .partition = record->partition};
    if (head.position_size > 0) {
        INVARIANT(record->position.size <= ACCUMULATOR_POSITION_MAX);
        memcpy(head.position, record->position.data, record->position.size);
    }
    if (q->count == 0) {
        DL_APPEND(a->waiting, q);
        a->queues++;
    }
    size_t before = q->records.size;
    bytes_append(&q->records, &head, sizeof(head));
    bytes_append_slice(&q->records, record->key);
    bytes_append_slice(&q->records, record->value);
    bytes_append_slice(&q->records, record->trace.traceparent);
    bytes_append_slice(&q->records, record->trace.tracestate);
    bytes_append_slice(&q->records, record->headers);
    q->count++;
    a->records++;
    a->bytes += q->records.size - before;
}

void accumulator_begin_round(struct accumulator *a, size_t in_flight)
{
    bool is_few = a->queues <= QUEUES_FEW;
    bool is_due = is_few ? in_flight < SENT_AT_ONCE || a->records + in_flight >= LOAD
                         : a->records >= ROUND_RATIO * in_flight;
    if (is_due || a->bytes >= BYTES_MAX || a->round_left > a->records) {
        a->round_left = a->records;
    }
}

struct accumulator_queue *accumulator_next(const struct accumulator *a)
{
    return a->round_left == 0 ? NULL : a->waiting;
}

// Records are not aligned: the head is copied out.
static struct head head_of(const struct accumulator_queue *q)
{
    struct head head;
    INVARIANT(q->count > 0);
    memcpy(&head, q->records.data + q->at, sizeof(head));
    return head;
}

static struct slice part_at(const uint8_t *at, uint32_t size)
{
    return slice_make(size == NULL_SIZE ? NULL : at, length_of(size));
}

struct accumulator_record accumulator_first(const struct accumulator_queue *q)
{
    struct head head = head_of(q);
    const uint8_t *at = q->records.data + q->at;
    const uint8_t *key = at + sizeof(head);
    const uint8_t *value = key + length_of(head.key_size);
    const uint8_t *trace = value + length_of(head.value_size);
    const uint8_t *headers = trace + head.traceparent_size + head.tracestate_size;
    bool has_position = head.position_size > 0;
    return (struct accumulator_record){
        .ticket = head.ticket,
        .key = part_at(key, head.key_size),
        .value = part_at(value, head.value_size),
        .position =
            slice_make(has_position ? at + offsetof(struct head, position) : NULL, head.position_size),
        .trace = {slice_make(trace, head.traceparent_size),
                  slice_make(trace + head.traceparent_size, head.tracestate_size)},
        .headers = slice_make(headers, head.headers_size),
        .partition = head.partition,
    };
}

// Frees the space of removed records in a queue that never gets empty.
static void compact(struct accumulator_queue *q)
{
    size_t left = q->records.size - q->at;
    if (q->at >= COMPACT_BYTES && q->at >= left) {
        memmove(q->records.data, q->records.data + q->at, left);
        q->records.size = left;
        q->at = 0;
    }
}

static void empty(struct accumulator *a, struct accumulator_queue *q)
{
    size_t keep = a->queues <= QUEUES_FEW ? KEEP_BYTES_FEW : KEEP_BYTES;
    DL_DELETE(a->waiting, q);
    a->queues--;
    q->at = 0;
    if (q->records.capacity > keep) {
        bytes_clear(&q->records);
    } else {
        bytes_reset(&q->records);
    }
}

void accumulator_pop(struct accumulator *a, struct accumulator_queue *q)
{
    struct head head = head_of(q);
    size_t size = sizeof(head) + length_of(head.key_size) + length_of(head.value_size) +
                  head.traceparent_size + head.tracestate_size + head.headers_size;
    q->at += size;
    q->count--;
    a->records--;
    a->bytes -= size;
    a->round_left -= a->round_left > 0 ? 1 : 0;
    if (q->count == 0) {
        empty(a, q);
    } else {
        compact(q);
    }
}

bool accumulator_is_full(const struct accumulator *a)
{
    return a->bytes >= BYTES_MAX;
}

void accumulator_clear_queue(struct accumulator *a, struct accumulator_queue *q)
{
    if (q->count > 0) {
        a->records -= q->count;
        a->bytes -= q->records.size - q->at;
        a->queues--;
        DL_DELETE(a->waiting, q);
    }
    bytes_clear(&q->records);
    *q = (struct accumulator_queue){0};
}

#include "connectors/kafka/accumulator.h"

#include <string.h>
#include <utlist.h>

#include "core/base/memory.h"

enum {
    QUEUES_FEW = 64,    // up to this many topics get large batches without waiting for the others
    SENT_AT_ONCE = 5,   // librdkafka's max.in.flight: with fewer records in flight the next is sent at once
    ROUND_RATIO = 4,    // with many topics a round begins with this many times the records in flight
    ROUND_MAX = 16384,  // of one topic: they are handed over before linger.ms is over
    BYTES_MAX = 16 << 20,  // of all topics; with many of them each gets little of it
    BYTES_MAX_FEW = 4 << 20,
    KEEP_BYTES = 1 << 10,         // an empty queue's buffers keep this much each while there are many queues
    KEEP_BYTES_FEW = 1024 << 10,  // and their share of this while there are few
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
    int64_t timestamp_ms;
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

static bool may_send(const struct accumulator *a, const struct accumulator_queue *q)
{
    return a->has_no_limit || q->in_flight < SENT_AT_ONCE;
}

// Moves the queue from its list to the end of another one.
static void enlist(struct accumulator *a, struct accumulator_queue *q, enum accumulator_list list)
{
    if (q->list == ACCUMULATOR_READY) {
        DL_DELETE(a->ready, q);
    } else if (q->list == ACCUMULATOR_ROUND) {
        DL_DELETE(a->round, q);
    }
    q->list = list;
    if (list == ACCUMULATOR_READY) {
        DL_APPEND(a->ready, q);
    } else if (list == ACCUMULATOR_ROUND) {
        DL_APPEND(a->round, q);
    }
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
                        .partition = record->partition,
                        .timestamp_ms = record->timestamp_ms};
    if (head.position_size > 0) {
        INVARIANT(record->position.size <= ACCUMULATOR_POSITION_MAX);
        memcpy(head.position, record->position.data, record->position.size);
    }
    if (q->count == 0) {
        a->queues++;
    }
    struct bytes *records = q->count == 0 ? &q->older : &q->newer;
    size_t before = records->size;
    bytes_append(records, &head, sizeof(head));
    bytes_append_slice(records, record->key);
    bytes_append_slice(records, record->value);
    bytes_append_slice(records, record->trace.traceparent);
    bytes_append_slice(records, record->trace.tracestate);
    bytes_append_slice(records, record->headers);
    q->count++;
    a->records++;
    a->bytes += records->size - before;
    if (q->list == ACCUMULATOR_NONE && may_send(a, q)) {
        enlist(a, q, ACCUMULATOR_READY);
    }
}

static void mark(struct accumulator_queue *first, enum accumulator_list list)
{
    struct accumulator_queue *q;
    DL_FOREACH (first, q) {
        q->list = list;
    }
}

void accumulator_begin_round(struct accumulator *a, size_t in_flight)
{
    bool is_few = a->queues <= QUEUES_FEW;
    if (a->ready != NULL && (is_few || a->records >= ROUND_RATIO * in_flight || accumulator_is_full(a))) {
        mark(a->ready, ACCUMULATOR_ROUND);
        DL_CONCAT(a->round, a->ready);
        a->ready = NULL;
    }
}

struct accumulator_queue *accumulator_next(struct accumulator *a)
{
    struct accumulator_queue *q = a->round;
    if (q != NULL && q->round_left == 0) {
        q->round_left = a->has_no_limit || q->count < ROUND_MAX ? q->count : ROUND_MAX;
    }
    return q;
}

void accumulator_end_round(struct accumulator *a)
{
    struct accumulator_queue *first = a->round;
    if (first == NULL) {
        return;
    }
    first->round_left = 0;
    if (!may_send(a, first)) {
        enlist(a, first, ACCUMULATOR_NONE);
    }
    mark(a->round, ACCUMULATOR_READY);
    DL_CONCAT(a->round, a->ready);
    a->ready = a->round;
    a->round = NULL;
}

void accumulator_sent(struct accumulator_queue *q)
{
    q->in_flight++;
}

void accumulator_acknowledged(struct accumulator *a, struct accumulator_queue *q, size_t count)
{
    INVARIANT(q->in_flight >= count);
    q->in_flight -= count;
    if (q->list == ACCUMULATOR_NONE && q->count > 0 && may_send(a, q)) {
        enlist(a, q, ACCUMULATOR_READY);
    }
}

// Records are not aligned: the head is copied out.
static struct head head_of(const struct accumulator_queue *q)
{
    struct head head;
    INVARIANT(q->count > 0);
    memcpy(&head, q->older.data + q->at, sizeof(head));
    return head;
}

static struct slice part_at(const uint8_t *at, uint32_t size)
{
    return slice_make(size == NULL_SIZE ? NULL : at, length_of(size));
}

struct accumulator_record accumulator_first(const struct accumulator_queue *q)
{
    struct head head = head_of(q);
    const uint8_t *at = q->older.data + q->at;
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
        .timestamp_ms = head.timestamp_ms,
    };
}

// The older buffer is used up: the newer one takes its place, so that no record is moved while the queue
// never gets empty.
static void swap(struct accumulator_queue *q)
{
    struct bytes used = q->older;
    q->older = q->newer;
    q->newer = used;
    q->at = 0;
    bytes_reset(&q->newer);
}

static void shrink(struct bytes *b, size_t keep)
{
    if (b->capacity > keep) {
        bytes_clear(b);
    } else {
        bytes_reset(b);
    }
}

static void empty(struct accumulator *a, struct accumulator_queue *q)
{
    size_t keep = a->queues <= QUEUES_FEW ? KEEP_BYTES_FEW / a->queues : KEEP_BYTES;
    enlist(a, q, ACCUMULATOR_NONE);
    a->queues--;
    q->at = 0;
    shrink(&q->older, keep);
    shrink(&q->newer, keep);
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
    q->round_left -= q->round_left > 0 ? 1 : 0;
    if (q->count == 0) {
        empty(a, q);
        return;
    }
    if (q->at == q->older.size) {
        swap(q);
    }
    if (q->round_left == 0) {
        enlist(a, q, may_send(a, q) ? ACCUMULATOR_READY : ACCUMULATOR_NONE);
    }
}

bool accumulator_is_full(const struct accumulator *a)
{
    return a->bytes >= (a->queues <= QUEUES_FEW ? BYTES_MAX_FEW : BYTES_MAX);
}

void accumulator_clear_queue(struct accumulator *a, struct accumulator_queue *q)
{
    if (q->count > 0) {
        a->records -= q->count;
        a->bytes -= q->older.size - q->at + q->newer.size;
        a->queues--;
        enlist(a, q, ACCUMULATOR_NONE);
    }
    bytes_clear(&q->older);
    bytes_clear(&q->newer);
    *q = (struct accumulator_queue){0};
}

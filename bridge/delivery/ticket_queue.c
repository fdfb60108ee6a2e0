#include "bridge/delivery/ticket_queue.h"

#include <string.h>

#include "core/base/memory.h"

enum { DIFFERENCE_BYTES_MAX = 10, BITS = 7, MORE = 0x80 };

static void reserve(struct ticket_queue *q, size_t size)
{
    if (q->size + size <= q->capacity) {
        return;
    }
    if (q->at > 0) {
        memmove(q->bytes, q->bytes + q->at, q->size - q->at);
        q->size -= q->at;
        q->at = 0;
    }
    if ((q->size + size) * 2 > q->capacity) {
        q->capacity = (q->size + size) * 2;
        q->bytes = memory_resize(q->bytes, q->capacity);
    }
}

static void put_difference(struct ticket_queue *q, uint64_t difference)
{
    reserve(q, DIFFERENCE_BYTES_MAX);
    for (; difference >= MORE; difference >>= BITS) {
        q->bytes[q->size++] = (uint8_t)(difference | MORE);
    }
    q->bytes[q->size++] = (uint8_t)difference;
}

void ticket_queue_push(struct ticket_queue *q, uint64_t ticket)
{
    INVARIANT(q->count == 0 || ticket > q->last);
    if (q->count == 0) {
        q->first = ticket;
    } else {
        put_difference(q, ticket - q->last);
    }
    q->last = ticket;
    q->count++;
}

void ticket_queue_prepend(struct ticket_queue *q, struct ticket_queue *before)
{
    struct ticket_queue joined = *before;
    *before = (struct ticket_queue){0};
    if (joined.count == 0) {
        ticket_queue_clear(&joined);
        return;
    }
    if (q->count > 0) {
        INVARIANT(joined.last < q->first);
        put_difference(&joined, q->first - joined.last);
        size_t size = q->size - q->at;
        reserve(&joined, size);
        if (size > 0) {
            memcpy(joined.bytes + joined.size, q->bytes + q->at, size);
        }
        joined.size += size;
        joined.last = q->last;
        joined.count += q->count;
    }
    ticket_queue_clear(q);
    *q = joined;
}

uint64_t ticket_queue_pop(struct ticket_queue *q)
{
    INVARIANT(q->count > 0);
    uint64_t ticket = q->first;
    if (--q->count == 0) {
        q->at = q->size = 0;
        return ticket;
    }
    uint64_t difference = 0;
    for (unsigned shift = 0;; shift += BITS) {
        uint8_t byte = q->bytes[q->at++];
        difference |= (uint64_t)(byte & (MORE - 1)) << shift;
        if ((byte & MORE) == 0) {
            break;
        }
    }
    q->first += difference;
    return ticket;
}

void ticket_queue_clear(struct ticket_queue *q)
{
    free(q->bytes);
    *q = (struct ticket_queue){0};
}

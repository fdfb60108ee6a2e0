// A queue of ascending tickets that takes a byte or two for each: the evicted events of a lane.
#ifndef BRIDGE_DELIVERY_TICKET_QUEUE_H
#define BRIDGE_DELIVERY_TICKET_QUEUE_H

#include <stddef.h>
#include <stdint.h>

/** Plain data, embedded; zero-initialised is empty. The bytes are the differences between neighbours, LEB128.
 */
struct ticket_queue {
    uint64_t first;  // while count > 0
    uint64_t last;
    size_t count;
    uint8_t *bytes;
    size_t at;  // of the difference between the first two
    size_t size;
    size_t capacity;
};

/** Appends a ticket, which must be greater than the last one. */
void ticket_queue_push(struct ticket_queue *q, uint64_t ticket);

/** Moves all tickets of `before` to the front of `q`; they must be less than those of `q`. */
void ticket_queue_prepend(struct ticket_queue *q, struct ticket_queue *before);

/** Removes the first ticket. The queue must not be empty. */
uint64_t ticket_queue_pop(struct ticket_queue *q);

void ticket_queue_clear(struct ticket_queue *q);

#endif

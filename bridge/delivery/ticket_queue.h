// A queue of rising tickets in a byte or two each: the events of a lane that wait without their records.
#ifndef BRIDGE_DELIVERY_TICKET_QUEUE_H
#define BRIDGE_DELIVERY_TICKET_QUEUE_H

#include <stddef.h>
#include <stdint.h>

/** Plain data, embedded; zero-initialised is empty. The bytes are the distances of neighbours, LEB128. */
struct ticket_queue {
    uint64_t first;  // while count > 0
    uint64_t last;
    size_t count;
    uint8_t *bytes;
    size_t at;  // of the distance from the first to the second
    size_t size;
    size_t capacity;
};

/** Above all that are in it. */
void ticket_queue_push(struct ticket_queue *q, uint64_t ticket);

/** Puts a queue in front of this one, all of whose tickets are above; that one is empty then. */
void ticket_queue_prepend(struct ticket_queue *q, struct ticket_queue *before);

/** Takes the first one out; there is one. */
uint64_t ticket_queue_pop(struct ticket_queue *q);

void ticket_queue_clear(struct ticket_queue *q);

#endif

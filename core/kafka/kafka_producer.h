// A producer that reports to the loop and can be replaced: an idempotent one that has met a fatal error sends
// nothing any more.
#ifndef CORE_KAFKA_KAFKA_PRODUCER_H
#define CORE_KAFKA_KAFKA_PRODUCER_H

#include "core/kafka/kafka_client.h"

/** Plain data, embedded; the first five are the owner's to fill in. */
struct kafka_producer {
    uv_loop_t *loop;
    const struct settings *settings;  // lent
    const char *const *extra;         // as kafka_client_conf takes it; lent
    kafka_on_ready on_reports;        // reports and errors wait in `reports`
    void *self;
    rd_kafka_t *rk;  // NULL: none is open
    rd_kafka_queue_t *reports;
    struct kafka_watch *watch;
    struct kafka_admin *admin;
    size_t message_max_bytes;  // of the open one
};

/** Opens one, unless one is open. FAULT_CONFIG: librdkafka refuses a property. */
bool kafka_producer_open(struct kafka_producer *p, struct fault *f) MUST_USE;

/** Whether the open one has met a fatal error, and which. */
bool kafka_producer_is_broken(const struct kafka_producer *p, char *why, size_t size);

/** Lets it end on a worker thread. No report comes any more: what was not reported is to be sent again. */
void kafka_producer_discard(struct kafka_producer *p);

/** No topic is made any more and no answer of the admin comes: before the discard of one that is still
 * drained. */
void kafka_producer_stop_admin(struct kafka_producer *p);

/** Ends it here and now. Accepts one that is not open. */
void kafka_producer_close(struct kafka_producer *p);

#endif

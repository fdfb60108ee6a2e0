// A producer with its delivery reports on the loop. It can be replaced: after a fatal error an idempotent
// producer sends nothing any more.
#ifndef CORE_KAFKA_KAFKA_PRODUCER_H
#define CORE_KAFKA_KAFKA_PRODUCER_H

#include "core/kafka/kafka_client.h"
#include "core/kafka/kafka_refusal.h"

/** Plain data, embedded; the owner fills in the first six members. */
struct kafka_producer {
    uv_loop_t *loop;
    const struct settings *settings;  // lent
    const char *const *extra;         // as kafka_client_conf takes it; lent
    kafka_on_ready on_reports;        // called when `reports` has delivery reports or errors
    void *self;
    bool has_refusals;  // kafka_producer_explain is used
    rd_kafka_t *rk;     // NULL: none is open
    rd_kafka_queue_t *reports;
    struct kafka_watch *watch;
    struct kafka_admin *admin;
    struct kafka_refusal *refusal;  // lives as long as the handle; NULL unless has_refusals
    size_t message_max_bytes;       // message.max.bytes of the open handle
};

/** Opens a handle unless one is open. FAULT_CONFIG: librdkafka refuses a property. */
bool kafka_producer_open(struct kafka_producer *p, struct fault *f) MUST_USE;

/** Whether the open handle has had a fatal error; writes its text to `why` unless that is NULL. */
bool kafka_producer_is_broken(const struct kafka_producer *p, char *why, size_t size);

/** Whether to read why the broker refuses records: librdkafka formats a few lines for each request
 * meanwhile. */
void kafka_producer_explain(struct kafka_producer *p, bool is_wanted);

/** Writes the broker's newest reason, as kafka_refusal_get does. */
bool kafka_producer_refusal(const struct kafka_producer *p, char *ret_text, size_t size);

/** Destroys the handle on a worker thread. No further reports arrive: send again what was not reported. */
void kafka_producer_discard(struct kafka_producer *p);

/** Stops creating topics, without further callbacks: for a handle that is still drained before its discard.
 */
void kafka_producer_stop_admin(struct kafka_producer *p);

/** Destroys the handle, blocking. Accepts a producer that is not open. */
void kafka_producer_close(struct kafka_producer *p);

#endif

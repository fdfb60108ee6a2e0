// What delivery.c, delivery_response.c and delivery_setup.c share; nobody else looks in.
#ifndef BRIDGE_DELIVERY_DELIVERY_STATE_H
#define BRIDGE_DELIVERY_DELIVERY_STATE_H

#include "bridge/delivery/batch.h"
#include "bridge/delivery/delivery.h"
#include "bridge/delivery/invoke.h"
#include "bridge/delivery/limiter.h"
#include "bridge/delivery/outcome.h"
#include "bridge/intake/refetch.h"
#include "core/base/last_error.h"

enum { DELIVERY_BYTES_MAX = 12 << 20 };  // of events held, as on Kafka; one event more may go over it

struct delivery {
    uv_loop_t *loop;
    const struct settings *settings;       // lent
    const struct function_config *config;  // lent
    struct schema_cache *schemas;          // lent
    struct dead_letter *dead_letters;      // lent
    struct function_metrics *metrics;      // lent
    bool (*may_call)(void *self);
    void (*on_room)(void *self);
    void (*on_throttled)(void *self, const char *why);
    void *self;
    char *component;
    struct lanes lanes;
    struct limiter limiter;
    struct backoff backoff;  // of invocations, each with its own count
    struct batch_limits limits;
    struct payload_options payload;
    struct outcome_policy policy;
    struct target *target;    // that new calls take
    struct target *replaced;  // earlier ones
    size_t running_count;     // on all of them
    uv_timer_t timer;         // the limiter opens, a retry or a batch is due
    struct last_error error;  // of calls, until none waits to be made again
    bool is_error_said;
    size_t dead_letters_waiting;  // events
    size_t event_count;
    size_t event_bytes;
    size_t events_max;
    size_t lane_events_max;   // of order `partition`, where a lane is a partition
    struct refetch *refetch;  // NULL: nothing was ever evicted
    bool is_room_due;         // on_room is to be called
    bool is_refetching;       // the pump runs at the end of a turn of it
    bool has_full_partition;  // a partition was held for its lane's sake
    bool was_retry;           // the call started last was one
    bool is_throttled;
    bool is_pumping;
};

/** The event was delivered, filtered or is a safe dead letter: its offset may be passed. It is freed. */
void delivery_settle(struct delivery *d, struct event *e);

/** The event is freed without being settled: whoever owns its partition next starts with it. */
void delivery_release(struct delivery *d, struct event *e);

/** The event can't be delivered: it is settled once it is a safe dead letter. Function and topic are filled
 * in. */
void delivery_dead_letter(struct delivery *d, struct event *e, struct dead_letter_cause cause);

/** Lets the invocation wait, without events that are not ours to retry any more. */
void delivery_retry(struct delivery *d, struct invocation *inv, int64_t due_us);

/** One event more is held. */
void delivery_count(struct delivery *d, struct event *e);

/** Throws records away, if nothing else gives calls something to do. */
void delivery_evict(struct delivery *d);

/** Asks for the records of lanes that want them. */
void delivery_read_wanted(struct delivery *d);

/** Whether the record is not to be taken: its lane notes its ticket alone, or can't take any more now. */
bool delivery_defer(struct delivery *d, struct partition *p, const rd_kafka_message_t *message,
                    enum consumer_step *ret);

/** A call failed, or (NULL) one succeeded: what the status says. */
void delivery_note_error(struct delivery *d, const char *text);

/** The target's on_response. */
void delivery_on_response(void *self, struct invocation *inv, const struct response *r);

/** Closes lines that are replaced and run nothing. */
void delivery_close_replaced(struct delivery *d);

#endif

// A function's events from their arrival to their settlement: lanes -> batch -> payload -> call -> outcome.
#ifndef BRIDGE_DELIVERY_DELIVERY_H
#define BRIDGE_DELIVERY_DELIVERY_H

#include <uv.h>

#include "bridge/delivery/dead_letter.h"
#include "bridge/function/function_metrics.h"
#include "bridge/intake/consumer.h"
#include "bridge/intake/schema_cache.h"
#include "core/base/last_error.h"

struct delivery;

struct delivery_params {
    uv_loop_t *loop;
    const struct settings *settings;       // lent
    const struct function_config *config;  // lent until reconfigured or freed
    struct schema_cache *schemas;          // lent
    struct dead_letter *dead_letters;      // lent
    struct function_metrics *metrics;      // lent
    /** Whether calls may begin now; delivery_pump is called when they may again. */
    bool (*may_call)(void *self);
    /** There is room for many more records, or work that came due was done. */
    void (*on_room)(void *self);
    /** The endpoint throttles or can't be reached (with why), or (NULL) it answers again. */
    void (*on_throttled)(void *self, const char *why);
    void *self;
};

/** FAULT_CONFIG: the endpoint's configuration makes no sense. */
bool delivery_new(const struct delivery_params *params, struct delivery **ret, struct fault *f) MUST_USE;

/** All its partitions were dropped and nothing runs. Accepts NULL. */
void delivery_free(struct delivery *d);

/** How many more records it has memory for. */
size_t delivery_room(const struct delivery *d);

/** Whether there is room enough that reading on is worth while. */
bool delivery_wants_more(const struct delivery *d);

/** Takes one record of an assigned partition, or leaves it because its schema is still being asked for. */
enum consumer_step delivery_take(struct delivery *d, struct partition *p, rd_kafka_message_t *message);

/** Starts the calls that may start now. After records were taken. */
void delivery_pump(struct delivery *d);

/** The partition's log is another one than before: what waits of the old one can't be read again. */
void delivery_restart_log(struct delivery *d, struct partition *p);

/** The partition is not assigned any more: frees its events that no call holds, and starts none. */
void delivery_drop(struct delivery *d, const struct partition *p);

/** Gives all running calls up; their events are not settled. */
void delivery_abandon(struct delivery *d);

/** The endpoint, the payload or the rules of delivery changed; `order` did not. Running calls end as they
 * began; what waits is called as `config` says, and by a new endpoint at once. */
bool delivery_reconfigure(struct delivery *d, const struct function_config *config, struct fault *f) MUST_USE;

/** Twice a second. */
void delivery_tick(struct delivery *d);

size_t delivery_running(const struct delivery *d);

/** Events taken and not settled. */
size_t delivery_event_count(const struct delivery *d);

/** The error of its calls that lasts. */
const struct last_error *delivery_error(const struct delivery *d);

/** Appends its part of the function's status: `,"deferred_events":…`. */
void delivery_status(const struct delivery *d, struct bytes *out);

#endif

// A function's events from arrival to settlement: lanes -> batch -> payload -> call -> outcome.
#ifndef BRIDGE_DELIVERY_DELIVERY_H
#define BRIDGE_DELIVERY_DELIVERY_H

#include <uv.h>

#include "bridge/delivery/dead_letter.h"
#include "bridge/delivery/function_metrics.h"
#include "bridge/delivery/shared_limit.h"
#include "bridge/intake/call_observer.h"
#include "bridge/intake/consumer.h"
#include "bridge/intake/job.h"
#include "bridge/intake/schema_cache.h"
#include "core/base/last_error.h"
#include "core/trace/tracer.h"

struct delivery;

struct delivery_params {
    uv_loop_t *loop;
    const struct settings *settings;       // lent
    const struct function_config *config;  // lent until reconfigured or freed
    struct schema_cache *schemas;          // lent
    struct topic_writer *writer;           // lent
    struct state_topic *state_topic;       // lent; NULL: spilled progress is not read
    struct function_metrics *metrics;      // lent
    struct shared_limits *limits;          // lent; NULL: none
    struct tracer *tracer;                 // lent; NULL: no spans
    /** Whether calls may begin now. The owner calls delivery_pump when this becomes true again. */
    bool (*may_call)(void *self);
    /** Reading may continue. */
    void (*on_room)(void *self);
    /** The endpoint throttles, fails or is unreachable (`why`), or (NULL) it responds again. */
    void (*on_throttled)(void *self, const char *why);
    /** Records that were held may be offered again; only with a job. */
    void (*on_unheld)(void *self);
    /** The list of the consumer's partitions; NULL: there is none. */
    struct partition *(*list_partitions)(void *self);
    void *self;
    struct job *job;                       // lent; NULL: none
    const struct call_observer *observer;  // lent; NULL: none
};

/** FAULT_CONFIG: the endpoint's configuration is invalid. */
bool delivery_new(const struct delivery_params *params, struct delivery **ret, struct fault *f) MUST_USE;

/** All its partitions were dropped and no call runs. Accepts NULL. */
void delivery_free(struct delivery *d);

/** How many more records delivery_take may take now. */
size_t delivery_room(const struct delivery *d);

/** Whether at least half of the room is free. */
bool delivery_wants_more(const struct delivery *d);

/** Takes one record of an assigned partition. HELD: its schema is being looked up, its lane is full, or a
 * job's rate or end is reached. */
enum consumer_step delivery_take(struct delivery *d, struct partition *p, struct record *r);

/** The unsettled events of a partition that were tried, by offset, at most `max`; returns how many. */
size_t delivery_attempts(const struct partition *p, struct progress_attempt *ret, size_t max);

/** Starts the calls that may start now. Call it after records were taken. */
void delivery_pump(struct delivery *d);

/** The partition's log was replaced: drops the tickets whose records can't be read any more. */
void delivery_restart_log(struct delivery *d, struct partition *p);

/** The partition was revoked or lost: frees its events, except those that a running call holds. */
void delivery_drop(struct delivery *d, const struct partition *p);

/** Cancels all running calls; their events are not settled. */
void delivery_abandon(struct delivery *d);

/** Applies a configuration with the same `order`. Running calls end under the old one; events that wait are
 * called under the new one, at once if the endpoint changed. */
bool delivery_reconfigure(struct delivery *d, const struct function_config *config, struct fault *f) MUST_USE;

/** Call twice a second. */
void delivery_tick(struct delivery *d);

/** Nothing is left to do but for events that a job keeps, and for those behind them. */
bool delivery_is_idle(const struct delivery *d);

size_t delivery_running(const struct delivery *d);

/** Events that were read and are not settled, also those that wait without their records. */
size_t delivery_event_count(const struct delivery *d);

/** The error that lasts: of dead letters that can't be stored, else of failed calls until no call waits for a
 * retry. */
const struct last_error *delivery_error(const struct delivery *d);

/** Why calls pause; the caller frees it. NULL: they don't, or only because of the function's own limits. */
char *delivery_throttled_text(const struct delivery *d);

/** Appends members of the function's status: `,"deferred_events":…`. */
void delivery_status(const struct delivery *d, struct bytes *out);

#endif

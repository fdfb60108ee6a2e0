// What the delivery*.c files do for each other; no other file includes this.
#ifndef BRIDGE_DELIVERY_DELIVERY_STEPS_H
#define BRIDGE_DELIVERY_DELIVERY_STEPS_H

#include "bridge/delivery/dead_letter_cause.h"
#include "bridge/delivery/invoke.h"
#include "bridge/intake/call_observer.h"
#include "bridge/intake/consumer.h"
#include "bridge/intake/job.h"

struct delivery;

/** Adds the time that events have waited for a limit to its metric; from now on they wait for `reason`. */
void delivery_note_wait(struct delivery *d, enum limiter_reason reason, int64_t now_us);

/** Metrics and log lines of the limits, and their part of the status. */
void delivery_tick_limits(struct delivery *d);
void delivery_status_limits(const struct delivery *d, struct bytes *out);

/** Settles and frees an event that was delivered, filtered or stored as a dead letter. */
void delivery_settle(struct delivery *d, struct work_item *item);

/** The same for one whose call succeeded. */
void delivery_settle_delivered(struct delivery *d, struct work_item *item, int64_t now_wall_us);

/** Publishes what a call that succeeded responded with. True: the event is not the caller's any more. */
bool delivery_reply(struct delivery *d, const struct invocation *inv, struct work_item *item,
                    const struct response *r);

/** Whether responses may be replies, and whether so many wait to be stored that no call should begin. */
bool delivery_wants_replies(const struct delivery *d);
bool delivery_replies_are_full(const struct delivery *d);

/** Whether the function must not be called because of the replies that led to the event; writes why. */
bool delivery_has_too_many_hops(const struct delivery *d, const struct record *r, char *text, size_t size);

/** Sends replies that are not stored to the topic of this configuration. If it has none they are given up,
 * and their events are settled. Before that configuration is taken over. */
void delivery_redirect_replies(struct delivery *d, const struct function_config *config);

/** Gives up replies of partitions that were given back and are not stored within `wait_us`. */
void delivery_tick_replies(struct delivery *d, int64_t wait_us);

/** Settles and frees an event that the filter refused, or a tombstone. */
void delivery_settle_filtered(struct delivery *d, struct work_item *item);

/** Frees an event without settling it: the next owner of its partition reads it again. */
void delivery_release(struct delivery *d, struct work_item *item);

/** Writes a dead letter; the event is settled once that is stored. Sets the cause's function and topic. */
void delivery_dead_letter(struct delivery *d, struct work_item *item, struct dead_letter_cause cause);

/** What a call meant for one of its events. */
struct call_end {
    enum observed_end end;
    uint32_t attempts;  // used up by the event, this call included
    bool is_attempt;    // this call used one up
    const char *error;  // NULL: it was delivered
};

/** Tells the observer, if there is one. The event has its record. */
void delivery_observe(struct delivery *d, const struct work_item *item, const struct response *r,
                      const struct call_end *end);

/** How much of a response's body to ask for: `wanted`, or what the observer is shown. */
size_t delivery_observed_bytes(const struct delivery *d, size_t wanted);

/** Tells the job, if there is one, what became of an event. */
void delivery_report(struct delivery *d, const struct work_item *item, enum job_end end);

/** A job's part of delivery_take. False: the record is taken: it is in p->held, its schemas are resolved. */
bool delivery_take_job(struct delivery *d, struct partition *p, struct record *r,
                       enum consumer_step *ret) MUST_USE;

/** Whether events that can't be delivered stay unsettled. */
bool delivery_keeps_failed(const struct delivery *d);

/** The job keeps an event that can't be delivered: its lane is parked once it is given back (lanes_delay). */
void delivery_keep(struct delivery *d, struct work_item *item, const struct dead_letter_cause *cause);

/** Lets a job go on whose rate has held it. */
void delivery_tick_job(struct delivery *d);

/** Gives a new event the attempts that it had before a restart. Returns when it is due; 0: at once. */
int64_t delivery_restore(struct delivery *d, struct work_item *item);

/** The attempts of an event that is due then (0: at once), as progress_record.h keeps them. */
struct progress_attempt delivery_attempt_of(const struct work_item *item, int64_t due_us);

/** Whether of this record's key only the latest event is sent. */
bool delivery_coalesces(const struct delivery *d, bool has_key);

/** Puts the event in place of those of its key that wait; these are settled. `due_us` as for lanes_put. */
void delivery_put_latest(struct delivery *d, struct work_item *item, int64_t due_us);

/** Settles an event whose call failed if a later one of its key waits, which is not due before `due_us`. */
bool delivery_is_replaced(struct delivery *d, struct work_item *item, int64_t due_us);

/** Notes that the last call of an event failed. */
void delivery_fail(struct delivery *d, struct work_item *item);

/** Whether the event, whose record is in memory, is not wanted under the present filter. */
bool delivery_refuses(struct delivery *d, struct work_item *item);

/** Evicts records if the memory is full and every ready event was sent before. */
void delivery_evict(struct delivery *d);

/** Starts to read the records that lanes want. */
void delivery_read_wanted(struct delivery *d);

/** True: the record is not taken, because its lane keeps only its ticket (TAKEN) or is full (HELD). */
bool delivery_defer(struct delivery *d, struct partition *p, const struct record *r, enum consumer_step *ret);

/** Releases what delivery has in memory of a record: it was evicted, settled or released. */
void delivery_release_record(struct delivery *d, struct record *r);

/** Notes that a call failed, or (NULL) succeeded. */
void delivery_note_error(struct delivery *d, const char *text);

/** The shared limit's on_turn: pumps soon. */
void delivery_on_turn(void *self);

/** The target's on_response. */
void delivery_on_response(void *self, struct invocation *inv, const struct response *r);

/** Closes replaced targets that have no running call. */
void delivery_close_replaced(struct delivery *d);

#endif

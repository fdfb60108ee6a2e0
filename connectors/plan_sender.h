// Sends the planned records of one change after another. Those of a table that waits for its topic or for
// schema ids are held back while the others go on; a table that can't go on is stopped for this session.
#ifndef CONNECTORS_PLAN_SENDER_H
#define CONNECTORS_PLAN_SENDER_H

#include "connectors/change.h"
#include "connectors/hold_queue.h"
#include "connectors/pipeline_metrics.h"
#include "connectors/publisher_step.h"
#include "connectors/stopped_tables.h"

/** Embedded. The owner fills in the members up to `problem`, which are lent, before plan_sender_init. */
struct plan_sender {
    const char *component;  // for the log
    struct pipeline_metrics *metrics;
    struct change_delivery *delivery;
    const char *dead_letter_topic;
    const char *problem;                // why the newest row was put aside
    struct record_plan plan;            // of the change that is being published; empty: not planned yet
    const struct topic_route *missing;  // what that change waits for; NULL: for nothing
    struct hold_queue held;
    struct stopped_tables stopped;
    char obstacle[640];
};

void plan_sender_init(struct plan_sender *s);
void plan_sender_clear(struct plan_sender *s);

/** Resets the state of the previous session. */
void plan_sender_begin_session(struct plan_sender *s);

/** Whether records of the plan were sent already, or there was no room for them: go on with plan_sender_send.
 */
bool plan_sender_is_busy(const struct plan_sender *s);

/** Sends the plan's records from the first one that was not sent. TAKEN: the plan is empty. */
enum publisher_step plan_sender_send(struct plan_sender *s, const struct table *table,
                                     struct fault *f) MUST_USE;

/** Sends the records of a new plan, or holds them back if what they need is missing; stops the table if that
 * can't be had. FAULT: nor can any table's. @param table  behind whose earlier records they wait: the
 * change's, or that of the transaction topic */
enum publisher_step plan_sender_send_or_hold(struct plan_sender *s, struct table *table,
                                             struct fault *f) MUST_USE;

/** Stops the table that has this topic: nothing of it is published any more, and no position after this
 * change is confirmed. Drops the plan. FAULT: the change is a row of the first snapshot, which could not end.
 */
enum publisher_step plan_sender_stop(struct plan_sender *s, const struct change *change, const char *topic,
                                     const struct fault *why);

bool plan_sender_is_stopped(const struct plan_sender *s, const char *topic);

/** Sends what was held back and is ready now. LATER: the sink is full; call it again. */
enum publisher_step plan_sender_send_held(struct plan_sender *s, struct fault *f) MUST_USE;

/** See publisher_obstacle. */
const char *plan_sender_obstacle(struct plan_sender *s, int64_t *ret_age_us);

#endif

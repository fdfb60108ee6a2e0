// The outbox: rows of one table are events, each a record of its own form, as Debezium's outbox event router
// makes it. Source: debezium, EventRouterDelegate.java.
#ifndef CONNECTORS_OUTBOX_H
#define CONNECTORS_OUTBOX_H

#include "connectors/change.h"
#include "connectors/config/connector_config.h"
#include "connectors/record_plan.h"
#include "connectors/topic_check.h"

struct outbox;

enum outbox_step {
    OUTBOX_PLANNED,
    OUTBOX_NOTHING,  // a delete, or an update that is warned about
    OUTBOX_BAD_ROW,  // it can't become an event
    OUTBOX_LATER,    // the topic of the planned record is not known well enough yet
    OUTBOX_FAULT,
};

/** All are lent. NULL without an outbox in the configuration. */
struct outbox *outbox_new(const struct connector_config *config, const char *component,
                          struct topic_routes *routes, struct topic_check *check);

/** Accepts NULL. */
void outbox_free(struct outbox *o);

/** Whether the table is the outbox; false without one. */
bool outbox_has(const struct outbox *o, const struct table *table);

/** Whether that is the topic that the outbox's table would have by its name. */
bool outbox_is_topic(const struct outbox *o, const char *topic);

/** Adds the event's record to an empty plan. Its route may be WAITING. @param f  BAD_ROW: the table lacks a
 * column that the configuration names, or the row has no id or route; FAULT: an update, with on_update: stop
 */
enum outbox_step outbox_plan(struct outbox *o, const struct change *change, struct record_plan *plan,
                             struct fault *f) MUST_USE;

/** Appends the row as JSON, without its large columns: at most about `max` bytes. False: it can't be read. */
bool outbox_row_json(struct outbox *o, const struct change *change, size_t max, struct bytes *out,
                     struct fault *f) MUST_USE;

#endif

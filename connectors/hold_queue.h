// Changes of tables whose topic or schemas are not ready yet: their planned records wait here, so that other
// tables go on. A table's changes are sent in their order. Bounded for each table and for all.
#ifndef CONNECTORS_HOLD_QUEUE_H
#define CONNECTORS_HOLD_QUEUE_H

#include <uthash.h>

#include "connectors/change_delivery.h"
#include "connectors/record_plan.h"

enum { HOLD_QUEUE_TABLE_BYTES = 4 << 20, HOLD_QUEUE_ALL_BYTES = 32 << 20 };

struct held_change;

/** The changes of one table that wait, oldest first; at least one. */
struct held_table {
    char *topic;
    struct held_change *changes;
    size_t bytes;
    UT_hash_handle hh;
};

/** Embedded; zero-initialised: empty. */
struct hold_queue {
    struct held_table *tables;
    size_t bytes;
    size_t records;
    struct record_plan scratch;
};

/** Whether changes of the table wait: later ones must wait behind them. */
bool hold_queue_has(const struct hold_queue *q, const char *topic);

/**
 * Copies the records of a planned change.
 *
 * @param table   retained while they wait, and so are the routes that the records have
 * @param ticket  of change_delivery_hold, for as many records
 */
void hold_queue_put(struct hold_queue *q, struct table *table, const struct record_plan *plan,
                    uint64_t ticket);

/** Whether there is room for another change of the table. */
bool hold_queue_has_room(const struct hold_queue *q, const char *topic);

/** Sends the changes whose routes are ready. FULL: some are left; on_room follows. */
enum sink_step hold_queue_send(struct hold_queue *q, struct change_delivery *delivery, struct fault *f);

/** What the table's oldest change waits for. */
const struct topic_route *hold_queue_missing(const struct held_table *t);

/** The route that has been in trouble for longest, of `first` (may be NULL) and those that tables wait for;
 * NULL: none is. @param ret_tables  how many tables such routes hold up */
const struct topic_route *hold_queue_worst(const struct hold_queue *q, const struct topic_route *first,
                                           size_t *ret_tables);

/** Drops the changes of one table, or all; they are not released in the ledger. */
void hold_queue_drop_table(struct hold_queue *q, struct held_table *t);
void hold_queue_drop(struct hold_queue *q);
void hold_queue_clear(struct hold_queue *q);

#endif

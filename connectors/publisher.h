// Turns one row change into records: a value, the tombstone after a delete, or a dead letter for a row that
// can't be encoded or is too large.
#ifndef CONNECTORS_PUBLISHER_H
#define CONNECTORS_PUBLISHER_H

#include "connectors/change.h"
#include "connectors/change_delivery.h"
#include "connectors/config/connector_config.h"
#include "connectors/pipeline_metrics.h"
#include "connectors/publisher_step.h"
#include "connectors/transaction_counts.h"
#include "schemas/registry/registry.h"

struct publisher;

struct publisher_params {
    uv_loop_t *loop;
    const struct connector_config *config;    // lent
    struct registry *registry;                // lent
    const char *component;                    // lent: "connector/shop", for the log
    const char *kind;                         // lent: the kind of source, for the envelope
    struct pipeline_metrics *metrics;         // lent
    struct change_delivery *delivery;         // lent
    const struct transaction_counts *counts;  // lent; NULL: no records of transactions
    struct known_tables *known;               // lent; NULL: no records of schema changes
    void (*on_ready)(void *self);             // a missing topic or schema id is available
    void *self;
};

struct publisher *publisher_new(const struct publisher_params *params);

/** Call these before and after change_delivery_renew: topics are made with the delivery's sink. */
void publisher_detach(struct publisher *p);
void publisher_attach(struct publisher *p);

/** The topic is compacted, so the broker refuses records without key: TRUNCATE records for it are left out
 * from now on, and a table without key stops. False: that was known. */
bool publisher_demand_key(struct publisher *p, const char *topic);

/** Resets the state of the previous session. */
void publisher_begin_session(struct publisher *p);

/** Publishes a ROW, or holds its records back until topic and schemas are ready; other tables go on
 * meanwhile. After LATER call it again with the same change. */
enum publisher_step publisher_publish(struct publisher *p, const struct change *change,
                                      struct fault *f) MUST_USE;

/** Publishes the BEGIN of a transaction, before its first event. After LATER call it again. */
enum publisher_step publisher_begin_transaction(struct publisher *p, const struct change *first,
                                                struct fault *f) MUST_USE;

/** The transaction, or the snapshot of a table, ends: publishes the row that was held for its marker, and the
 * transaction's END. After LATER call it again. */
enum publisher_step publisher_end_transaction(struct publisher *p, const struct change *commit,
                                              struct fault *f) MUST_USE;

/** Publishes a heartbeat, or leaves it out: heartbeat.h. */
bool publisher_heartbeat(struct publisher *p, struct fault *f) MUST_USE;

/** Requests topic and schema ids of a table's version before its first row. */
void publisher_prepare_version(struct publisher *p, struct table *table);

/** Makes the topic of a table before its first row. */
void publisher_prepare(struct publisher *p, const char *topic);

/** What to do about a table that waits at a bad row; NULL: none waits. */
const char *publisher_waiting(const struct publisher *p);

/** Sends changes that were held back and are ready now. LATER: the sink is full; call it again. */
enum publisher_step publisher_send_held(struct publisher *p, struct fault *f) MUST_USE;

/** Drops what is held back: a later session reads it again. */
void publisher_drop_held(struct publisher *p);

/** Why changes wait: "topic T is not ready: …", for `ret_age_us`. NULL: none waits, or no attempt to make the
 * topic or to register a schema has failed. Lent until the next call. */
const char *publisher_obstacle(struct publisher *p, int64_t *ret_age_us);

/** How many topics have other settings than the file asks for. */
size_t publisher_differing(const struct publisher *p);

/** Records that are held back. */
size_t publisher_held(const struct publisher *p);

/** The change that publisher_publish put off waits for a topic or schema, and all tables with it: as much as
 * may be held back is. */
bool publisher_is_held_up(const struct publisher *p);

/** Accepts NULL. */
void publisher_free(struct publisher *p);

#endif

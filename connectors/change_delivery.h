// From a change's place in the ledger to the position that the database may be told: the ledger of open
// transactions, the sink, and the record in the state topic that is written ahead of every confirmation.
#ifndef CONNECTORS_CHANGE_DELIVERY_H
#define CONNECTORS_CHANGE_DELIVERY_H

#include "connectors/kafka/kafka_sink.h"
#include "connectors/source.h"
#include "core/metrics.h"

struct change_delivery;

/** Called on the loop. */
struct change_delivery_listener {
    // Kafka has every record up to the position, and the state record says so: it may be confirmed.
    void (*on_safe)(void *self, uint64_t position);
    // There is room again, after a step that was FULL.
    void (*on_room)(void *self);
    // Nothing is under way any more: change_delivery_is_quiet.
    void (*on_quiet)(void *self);
    // A record was not delivered: change_delivery_renew, then begin again from the confirmed position.
    void (*on_fault)(void *self, const struct fault *f);
    // Kafka stopped answering (`why`) or answers again (NULL).
    void (*on_reachable)(void *self, const char *why);
    // The answers to change_delivery_load and change_delivery_save.
    void (*on_loaded)(void *self, const struct source_state *state, const struct fault *f);
    void (*on_saved)(void *self);
    void *self;
};

struct change_delivery_params {
    uv_loop_t *loop;
    const struct settings *settings;       // lent
    const char *connector;                 // lent: its name
    struct metric *commit_to_ack_seconds;  // lent
    struct change_delivery_listener listener;
};

bool change_delivery_open(const struct change_delivery_params *params, struct change_delivery **ret,
                          struct fault *f) MUST_USE;

/** For topics and their making; another one after each change_delivery_renew. */
struct kafka_sink *change_delivery_sink(struct change_delivery *d);

/** A session with the database begins after `position`; what was open before is forgotten. */
void change_delivery_begin_session(struct change_delivery *d, uint64_t position);

/**
 * The session is over, or a record was lost: nothing that waits may reach Kafka any more, for another copy
 * may publish by now, or the same records come again. Drops it and makes a new sink. Begin no session before
 * change_delivery_is_quiet.
 */
bool change_delivery_renew(struct change_delivery *d, struct fault *f) MUST_USE;

/** A transaction begins. False: too many are open, on_room follows. */
bool change_delivery_begin(struct change_delivery *d, int64_t commit_time_us) MUST_USE;

/** A record of the transaction; sets its ticket. FULL: on_room follows. */
enum sink_step change_delivery_put(struct change_delivery *d, struct kafka_sink_record *record,
                                   struct fault *f) MUST_USE;

/** The transaction holds a change that can't be published: nothing at or after it is confirmed any more. */
void change_delivery_withhold(struct change_delivery *d);
bool change_delivery_is_withholding(const struct change_delivery *d);

/** The transaction ends at `position`. */
void change_delivery_commit(struct change_delivery *d, uint64_t position);

/** Nothing before `position` is missing: a keepalive between transactions. */
void change_delivery_idle(struct change_delivery *d, uint64_t position);

/** After the last record of a turn. */
enum sink_step change_delivery_flush(struct change_delivery *d, struct fault *f) MUST_USE;

/** From now on nothing more is put: the state record is written as soon as it can be. */
void change_delivery_drain(struct change_delivery *d);

/** Nothing is under way: no record, no state record, no sink that is leaving; and what is safe is recorded.
 */
bool change_delivery_is_quiet(const struct change_delivery *d);

size_t change_delivery_in_flight(const struct change_delivery *d);

/** Reads the state record anew. */
void change_delivery_load(struct change_delivery *d);

/** Writes the state record once all that was put before is acknowledged. */
void change_delivery_save(struct change_delivery *d, const struct source_state *state);

/** No callback comes any more. Accepts NULL. */
void change_delivery_free(struct change_delivery *d);

#endif

// From records to the position that may be confirmed to the database: the ledger of open transactions, the
// sink, and the state record, which is written before each confirmation.
#ifndef CONNECTORS_CHANGE_DELIVERY_H
#define CONNECTORS_CHANGE_DELIVERY_H

#include "connectors/change_trace.h"
#include "connectors/kafka/kafka_sink.h"
#include "connectors/known_tables.h"
#include "connectors/source.h"
#include "core/metrics.h"

struct change_delivery;

/** Called on the loop. */
struct change_delivery_listener {
    // Kafka has every record up to the position, and the state record has the position: confirm it.
    void (*on_safe)(void *self, uint64_t position);
    // The state record is about to be written. False: it is not, and the session ends with the fault.
    bool (*on_record)(void *self, struct fault *f);
    // There is room again after FULL, or after change_delivery_begin returned false.
    void (*on_room)(void *self);
    // change_delivery_is_quiet is true now.
    void (*on_quiet)(void *self);
    // A record was not delivered: call change_delivery_renew, then begin a session at the confirmed position.
    void (*on_fault)(void *self, const struct fault *f);
    // See kafka_sink.h.
    bool (*on_key_demanded)(void *self, const char *topic);
    // Kafka stopped answering (`why`) or answers again (NULL).
    void (*on_reachable)(void *self, const char *why);
    // Answers to change_delivery_load and change_delivery_save.
    void (*on_loaded)(void *self, const struct source_state *state, const struct fault *f);
    void (*on_saved)(void *self);
    void *self;
};

struct change_delivery_params {
    uv_loop_t *loop;
    const struct settings *settings;       // lent
    const char *connector;                 // lent: its name
    struct metric *commit_to_ack_seconds;  // lent
    struct change_trace *trace;            // lent; NULL: none
    struct known_tables *known;            // lent: read and written with the state record; NULL: none
    struct column_memory *memory;          // lent: as `known`
    struct change_delivery_listener listener;
};

bool change_delivery_open(const struct change_delivery_params *params, struct change_delivery **ret,
                          struct fault *f) MUST_USE;

/** The sink, for making topics. change_delivery_renew replaces it. */
struct kafka_sink *change_delivery_sink(struct change_delivery *d);

/** A session with the database begins after `position`. Drops open transactions of the previous one. */
void change_delivery_begin_session(struct change_delivery *d, uint64_t position);

/**
 * Ends the session, or handles a lost record: drops the waiting records and opens a new sink. They must not
 * reach Kafka any more, because another copy may publish, or the same records are published again. Begin no
 * session before change_delivery_is_quiet.
 */
bool change_delivery_renew(struct change_delivery *d, struct fault *f) MUST_USE;

/** A transaction begins. False: too many are open; on_room follows. While records are held back none is too
 * many: the newest share one position. */
bool change_delivery_begin(struct change_delivery *d, int64_t commit_time_us) MUST_USE;

/** A record of the transaction; sets its ticket. FULL: on_room follows. */
enum sink_step change_delivery_put(struct change_delivery *d, struct kafka_sink_record *record,
                                   struct fault *f) MUST_USE;

/** So many records of the transaction are held back by the caller; returns their ticket, for put_held.
 * Nothing at or after the transaction is confirmed until all of them were put and acknowledged. */
uint64_t change_delivery_hold(struct change_delivery *d, size_t count);

/** The current transaction's ticket. */
uint64_t change_delivery_ticket(const struct change_delivery *d);

/** A record that was held back, in the same session. FULL: on_room follows. */
enum sink_step change_delivery_put_held(struct change_delivery *d, struct kafka_sink_record *record,
                                        uint64_t ticket, struct fault *f);

/** What is held back will not be put in this session: as change_delivery_withhold, from where it was held. */
void change_delivery_withhold_held(struct change_delivery *d);

/** A record of no transaction: no position waits for it. */
enum sink_step change_delivery_put_apart(struct change_delivery *d, struct kafka_sink_record *record,
                                         struct fault *f) MUST_USE;

/** A change of the transaction can't be published: no position at or after it is confirmed in this session.
 */
void change_delivery_withhold(struct change_delivery *d);

/** The transaction ends at `position`. */
void change_delivery_commit(struct change_delivery *d, uint64_t position);

/** A keepalive between transactions: everything before `position` was given. */
void change_delivery_idle(struct change_delivery *d, uint64_t position);

/** Call it after the last record of a loop iteration. */
enum sink_step change_delivery_flush(struct change_delivery *d, struct fault *f) MUST_USE;

/** No more records follow: writes the state record as soon as possible. */
void change_delivery_drain(struct change_delivery *d);

/** No record and no state record is in flight, no sink is closing, and the state record has the safe
 * position. */
bool change_delivery_is_quiet(const struct change_delivery *d);

size_t change_delivery_in_flight(const struct change_delivery *d);

/** How long the oldest record, or state record, has waited for its acknowledgement; 0: none waits. */
int64_t change_delivery_oldest_us(const struct change_delivery *d);

/**
 * What waits and why, once the oldest record has waited for 10 s: "Kafka does not take records: topic T,
 * partition P: Broker: Not enough in-sync replicas (NOT_ENOUGH_REPLICAS); 3 records wait, the oldest for 12
 * s". NULL: none has waited so long. To be called once a second. Lent until the next call.
 */
const char *change_delivery_overdue(struct change_delivery *d);

/** Reads the state record from Kafka; on_loaded follows. */
void change_delivery_load(struct change_delivery *d);

/** Writes the state record; on_saved follows. A record that leaves out what was still to be read is written
 * only once all records put before are acknowledged. */
void change_delivery_save(struct change_delivery *d, const struct source_state *state);

/** What the state record says of the first snapshot. */
bool change_delivery_is_snapshot_done(const struct change_delivery *d);

/** No callback follows. Accepts NULL. */
void change_delivery_free(struct change_delivery *d);

#endif

// The state record as it goes to Kafka: what it says, what it is to say, and when it is due. Sends nothing
// itself.
#ifndef CONNECTORS_STATE_RECORD_H
#define CONNECTORS_STATE_RECORD_H

#include "connectors/source.h"

/** Zero-initialised before the first record is read. */
struct state_record {
    uint64_t generation;  // of the records of this session; higher than that of the record it began with
    struct source_state state;   // the content of the record; its position is that of `recorded`
    struct source_state wanted;  // with is_save_due: what the record shall say
    uint64_t recorded;           // the position in the acknowledged record
    uint64_t recording;          // the position in the record in flight
    uint64_t save_after;         // all tickets below must be settled before
    int64_t sent_us;             // when the last one was sent; 0: none in this session
    bool is_save_due;            // `wanted` was set
    bool is_saving;              // the record in flight has that state
    bool is_in_flight;
};

/** How far the connector is. */
struct state_record_progress {
    bool has_session;
    uint64_t safe;   // the position up to which all is settled
    uint64_t first;  // the first ticket that is not settled
};

/** What is wanted may be written: all before it is settled. */
bool state_record_may_save(const struct state_record *r, uint64_t first);

/** Whether there is something to write, also while another record is in flight. */
bool state_record_is_due(const struct state_record *r, const struct state_record_progress *p);

/** How long to wait before it is sent, in ms; under load at most one a second. 0: now. */
uint64_t state_record_wait_ms(const struct state_record *r, const struct state_record_progress *p,
                              bool is_draining, int64_t now_us);

/** What the record is to say now. Call state_record_sent once it is on its way. */
struct source_state state_record_next(struct state_record *r, const struct state_record_progress *p);
void state_record_sent(struct state_record *r, uint64_t first, int64_t now_us);

/** Kafka has the record: its position may be confirmed. */
void state_record_acknowledged(struct state_record *r);

/** After that: true when it had what is wanted, and nothing else is since. */
bool state_record_end_save(struct state_record *r);

/**
 * Sets what the record is to say. What is to be read is in the record before it is read, whatever waits; what
 * was read leaves it when all up to the ticket `next` is settled.
 */
void state_record_want(struct state_record *r, const struct source_state *state, uint64_t first,
                       uint64_t next);

/**
 * A session begins after `position`. The server's position is authoritative: after a restore or failover it
 * may be lower than what was confirmed.
 */
void state_record_begin_session(struct state_record *r, uint64_t position);

/** The record in flight went with its sink. */
void state_record_drop(struct state_record *r);

#endif

// What any database must supply. One const table per kind, one struct source per configured connector.
#ifndef CONNECTORS_SOURCE_H
#define CONNECTORS_SOURCE_H

#include <uv.h>

#include "connectors/change.h"
#include "connectors/connector_config.h"
#include "core/base/fault.h"

struct source;

enum source_step {
    SOURCE_CHANGE,   // *ret_change is filled
    SOURCE_NOTHING,  // nothing now: on_ready follows
    SOURCE_END,      // the peer ended the stream in order: close, open again
    SOURCE_FAULT,    // *f says whether to retry
};

enum { SOURCE_UNREAD_MAX = 256 };

/** What the connector remembers between runs about a source's position holder: its record in the state topic.
 * Plain data. */
struct source_state {
    bool is_known;          // a state record exists
    bool is_snapshot_done;  // false in a known record: the rows that were there are still to be read
    char slot[64];
    char system_identifier[32];
    uint32_t timeline;
    // The highest position that may have been confirmed to the peer: the record is durable with it before the
    // peer is told. A position holder beyond it was moved by another hand. 0: not known (older records).
    uint64_t position;
    // Tables that were added after the first snapshot and whose rows are still to be read: the source's own
    // numbers for them.
    uint32_t unread[SOURCE_UNREAD_MAX];
    size_t unread_count;
};

/** Called on the loop; `self` is the pipeline. */
struct source_listener {
    void (*on_ready)(void *self);  // call next() until it gives NOTHING
    // No other copy of the connector is at work: asks for the record as it is on Kafka now.
    // state_loaded() answers, after a read that began later than this call.
    void (*on_load_state)(void *self);
    // open() came to its end: the stream (or snapshot) runs, and begins after `position`, which may be lower
    // than what was confirmed before: then the peer has forgotten.
    void (*on_open)(void *self, uint64_t position);
    void (*on_fault)(void *self, const struct fault *f);  // opening failed or the peer is lost
    // Must be made durable; then state_saved() is called back: the source waits for it.
    void (*on_state)(void *self, const struct source_state *state);
    // A table is captured from now on: its topic is worth making before its first row. Told again and again.
    void (*on_table)(void *self, const char *topic);
    // Progress for people, by the connector's states: "connecting", "snapshotting", "waiting_for_slot",
    // "streaming".
    void (*on_phase)(void *self, const char *phase, const char *detail);
    void *self;
};

struct source_lag {
    uint64_t slot_lag_bytes;       // server's WAL end minus confirmed position
    uint64_t slot_retained_bytes;  // WAL kept for the slot (restart_lsn)
    int64_t lag_us;                // now minus commit time of the last transaction read; 0 when caught up
};

struct source_type {
    const char *kind;
    const char *summary;
    /** Makes the object; does no I/O. FAULT_CONFIG for senseless configuration. */
    bool (*make)(const struct connector_config *config, uv_loop_t *loop,
                 const struct source_listener *listener, struct source **ret, struct fault *f) MUST_USE;
    /** Begins connecting (non-blocking): waits until no other copy is at work, asks for the record, checks
     * server and slot, makes what is missing, snapshots, streams. */
    void (*open)(struct source *s);
    /** Answers on_load_state; may come too late, after close or another open, and is ignored then. */
    void (*state_loaded)(struct source *s, const struct source_state *known);
    /** Answers on_state: the record is durable on Kafka. */
    void (*state_saved)(struct source *s);
    /** One step. Never blocks. *ret_change and all it points to is borrowed until the next call of next or
     * close. */
    enum source_step (*next)(struct source *s, struct change *ret_change, struct fault *f) MUST_USE;
    /** All up to the position is safe on Kafka: may be told to the server. Never goes back until the next
     * open. */
    void (*confirm)(struct source *s, uint64_t safe_position);
    void (*pause)(struct source *s);  // stop reading rows, keep the peer alive; next() gives NOTHING
    void (*resume)(struct source *s);
    void (*lag)(const struct source *s, struct source_lag *ret);
    /** Tells the server the last confirmed position and leaves; may be followed by open again. */
    void (*close)(struct source *s);
    void (*free)(struct source *s);  // accepts NULL and half-opened
};

#endif

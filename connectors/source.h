// The interface of a database: one const table for each kind, one struct source for each connector.
#ifndef CONNECTORS_SOURCE_H
#define CONNECTORS_SOURCE_H

#include <uv.h>

#include "connectors/change.h"
#include "connectors/config/connector_config.h"
#include "core/base/fault.h"

struct column_memory;
struct source;

enum source_step {
    SOURCE_CHANGE,   // *ret_change is filled
    SOURCE_NOTHING,  // nothing now: on_ready follows
    SOURCE_END,      // the server ended the stream without an error: close, then open again
    SOURCE_RESTART,  // nothing is wrong, and the stream must begin anew (*f: why): close, then open again
    SOURCE_FAULT,    // *f says whether to retry
};

enum { SOURCE_UNREAD_MAX = 256 };

/** The connector's record in the state topic: what it knows about the slot between runs. Plain data. */
struct source_state {
    bool is_known;          // a state record exists
    bool is_snapshot_done;  // false, with is_known: the first snapshot has not ended
    char slot[64];
    char system_identifier[32];
    uint32_t timeline;
    // The highest position that may have been confirmed: the record is on Kafka before the server gets the
    // confirmation. A slot beyond it was advanced by something else. 0: not known (records of old versions).
    uint64_t position;
    // Tables that were added after the first snapshot and are not read yet, as the source numbers them
    // (OIDs).
    uint32_t unread[SOURCE_UNREAD_MAX];
    size_t unread_count;
};

/** Called on the loop; `self` is the pipeline. */
struct source_listener {
    void (*on_ready)(void *self);  // call next() until it returns NOTHING
    // The source holds the lock against other copies: read the record from Kafka now, then call
    // state_loaded(). The read must begin after this call.
    void (*on_load_state)(void *self);
    // open() has finished: the stream (or snapshot) runs and begins after `position`. That may be lower than
    // what was confirmed before, for instance after a crash of the server.
    void (*on_open)(void *self, uint64_t position);
    void (*on_fault)(void *self, const struct fault *f);  // opening failed, or the server is lost
    // As SOURCE_RESTART.
    void (*on_restart)(void *self, const struct fault *why);
    // Write the record to Kafka, then call state_saved(). It may be called again before that: then only the
    // newest record is answered.
    void (*on_state)(void *self, const struct source_state *state);
    // A table is captured: make its topic before its first row. Called repeatedly for the same table.
    void (*on_table)(void *self, const char *topic);
    // Rows of this version of a table will come: get its topic and its schemas' ids before.
    void (*on_version)(void *self, struct table *table);
    // Progress, for the status; a state of the connector: "connecting", "snapshotting", "waiting_for_slot",
    // "streaming".
    void (*on_phase)(void *self, const char *phase, const char *detail);
    void *self;
    struct column_memory *memory;  // lent: of columns, beyond the process; NULL: none
};

struct source_lag {
    uint64_t slot_lag_bytes;       // server's WAL end minus confirmed position
    uint64_t slot_retained_bytes;  // WAL that the server keeps for the slot (restart_lsn)
    int64_t lag_us;                // now minus commit time of the last transaction read; 0 when caught up
    bool is_binary;                // the stream has values in binary form
    size_t unmatched;              // entries of the selection that match no captured table or column
    uint64_t invalid_traces;       // trace messages of transactions that were ignored
    uint64_t toast_unknown;        // values that were left out and are not known, with toast: complete
};

struct source_type {
    const char *kind;
    const char *summary;
    /** Allocates a source; does no I/O. FAULT_CONFIG: the configuration is invalid. `state_directory` is
     * lent: where the source may keep files. */
    bool (*make)(const struct connector_config *config, const char *state_directory, uv_loop_t *loop,
                 const struct source_listener *listener, struct source **ret, struct fault *f) MUST_USE;
    /** Starts to connect, without blocking: locks out other copies, loads the record, checks server and slot,
     * creates what is missing, then snapshots and streams. */
    void (*open)(struct source *s);
    /** Answers on_load_state. Ignored if it comes after close or another open. */
    void (*state_loaded)(struct source *s, const struct source_state *known);
    /** Answers on_state: the record is durable on Kafka. */
    void (*state_saved)(struct source *s);
    /** One step; never blocks. NOTHING until on_open was called. *ret_change and all that it points to are
     * borrowed until the next call of next or close. */
    enum source_step (*next)(struct source *s, struct change *ret_change, struct fault *f) MUST_USE;
    /** Makes durable what the source keeps on this machine of the changes that it has given; called before
     * each position is recorded, and so before it is confirmed. NULL: it keeps nothing. */
    bool (*persist)(struct source *s, struct fault *f) MUST_USE;
    /** All changes up to the position are on Kafka: it may be confirmed to the server. It only rises until
     * the next open. */
    void (*confirm)(struct source *s, uint64_t safe_position);
    void (*pause)(struct source *s);  // stop reading, keep the session alive; next() returns NOTHING
    void (*resume)(struct source *s);
    void (*lag)(const struct source *s, struct source_lag *ret);
    /** Sends the last confirmed position to the server and disconnects. open may follow. */
    void (*close)(struct source *s);
    void (*free)(struct source *s);  // accepts NULL and a source that is still opening
};

#endif

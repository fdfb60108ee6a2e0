// One step of a database's committed history. Borrowed from the source until its next step.
#ifndef CONNECTORS_CHANGE_H
#define CONNECTORS_CHANGE_H

#include "core/trace/trace_context.h"
#include "schemas/avro/table.h"

enum change_kind {
    CHANGE_BEGIN,   // a transaction (or the snapshot of one table) begins
    CHANGE_ROW,     // one row change in it
    CHANGE_COMMIT,  // it ends at `position`
    CHANGE_IDLE,    // a keepalive between transactions: all before `position` was given
};

/** enum values are the envelope's op letters. */
enum change_op {
    CHANGE_CREATE = 'c',
    CHANGE_READ = 'r',
    CHANGE_UPDATE = 'u',
    CHANGE_DELETE = 'd',
    CHANGE_TRUNCATE = 't',  // of one table; no key and no images
    CHANGE_MESSAGE = 'm',   // a logical message; `table` is its topic
};

/** A change's place in its transaction. */
struct change_order {
    struct slice id;    // of the transaction: `<xid>:<commit LSN>`; data NULL: it has no place
    uint64_t total;     // from 1
    uint64_t of_table;  // among those of its table, from 1
};

struct change {
    enum change_kind kind;
    uint64_t position;        // COMMIT: the commit record's end LSN; IDLE: the server's WAL end
    uint64_t commit_lsn;      // BEGIN, ROW: Begin's final LSN (snapshot: the slot's consistent point)
    int64_t commit_time_us;   // BEGIN, ROW: Unix microseconds (snapshot: when it began)
    uint32_t transaction_id;  // BEGIN, ROW; 0: none, for a message outside of transactions
    // The rest: ROW only.
    enum change_op op;
    uint64_t index;  // of the row in its transaction, from 0, in stream order: second half of the event id
    uint64_t lsn;    // the WAL frame's start
    uint64_t last_commit_lsn;    // end LSN of the previous commit; 0: not known
    const char *origin;          // source.origin: the server that the change was replicated from; NULL: none
    uint64_t origin_lsn;         // the LSN of the commit there; with origin
    const char *database;        // source.db; the source's own
    const char *snapshot;        // "false", "true", "first", "last" …: source.snapshot; static
    struct trace_headers trace;  // of the transaction that made the row; none in a snapshot
    struct table *table;         // retain it to use it after the source's next step
    struct slice key;            // Avro record of the key columns; data NULL: null key
    struct slice before;         // Avro record of the row; data NULL: null
    struct slice after;
    bool is_partitioned;  // the partition is chosen by partition_hash (murmur2), not by the key
    uint32_t partition_hash;
    struct slice new_key_json;  // delete of a key change: header __debezium.newkey; data NULL: none
    struct slice old_key_json;  // create of a key change: header __debezium.oldkey
    // A row with a value that can't be encoded (numeric NaN …): before and after are null, and bad_json has
    // its values as text.
    struct slice bad_json;        // {"column":"text as the database sent it",…}; data NULL: the row is good
    const char *bad_reason;       // 'public.items column price: NaN has no decimal form'
    struct slice message_prefix;  // MESSAGE only
    struct slice message_content;
    // Set behind the source.
    struct change_order order;
    int64_t taken_ns;  // wall clock when it was taken from the source, or shortly before
};

#endif

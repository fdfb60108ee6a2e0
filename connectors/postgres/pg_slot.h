// The replication slot: what the server says of it, whether it may be used, and the commands that make it.
#ifndef CONNECTORS_POSTGRES_PG_SLOT_H
#define CONNECTORS_POSTGRES_PG_SLOT_H

#include <libpq-fe.h>

#include "connectors/connector_config.h"
#include "connectors/source.h"

// Advisory locks of a slot's name, as classid in pg_locks; objid is the name's 32-bit FNV-1a hash. They never
// change: old and new versions must meet.
enum pg_slot_lock {
    PG_SLOT_LOCK_REPLICATION = 0x6d696c6c,  // "mill": who may use the slot
    PG_SLOT_LOCK_SQL,                       // the other session of the same connector
};

struct pg_slot {
    // The server.
    int server_version;
    bool is_logical;  // wal_level
    bool is_standby;
    int slots_max;
    int slots_used;
    char keep_size[32];  // max_slot_wal_keep_size
    uint64_t wal_end;
    int64_t now_us;  // its clock
    // The slot of our name.
    bool exists;
    bool is_ours;  // logical, pgoutput, of this database
    bool is_active;
    bool is_lost;
    int active_pid;
    uint64_t restart_lsn;
    uint64_t confirmed_lsn;
};

enum pg_slot_plan {
    PG_SLOT_USE,     // it is there: stream from its position
    PG_SLOT_MAKE,    // it is not, and never was
    PG_SLOT_RESUME,  // it is there, of a first snapshot that did not end: stream, and read all rows again
};

/** "16/B374D848" as a number; false when it is none. */
bool pg_slot_parse_lsn(const char *text, uint64_t *ret) MUST_USE;

/** Appends the query for pg_slot_read, two statements. */
void pg_slot_query(struct bytes *out, const char *name);
void pg_slot_read(PGresult *const *results, int server_version, struct pg_slot *ret);

/** FAULT_CONFIG with the command that mends it; FAULT_RETRY for a standby, which may be promoted. */
bool pg_slot_check_server(const struct pg_slot *s, struct fault *f) MUST_USE;

/**
 * Decides from what the server has and what the state record remembers.
 *
 * @param system  the server's system identifier
 * @param f       FAULT_CONFIG: changes are lost, or something is not ours: says what to type
 */
bool pg_slot_decide(const struct pg_slot *s, const struct connector_config *config,
                    const struct source_state *known, const char *system, enum pg_slot_plan *ret,
                    struct fault *f) MUST_USE;

/** What the stream's "publication does not exist" means: no publication made now is there in older WAL. */
bool pg_slot_lost_publication(const struct connector_config *config, struct fault *f);

/** Appends the query that takes the lock for the session: one row, 't' when no other session has it. */
void pg_slot_lock(struct bytes *out, enum pg_slot_lock lock, const char *name);

/** Appends the query that ends the session which has the lock. */
void pg_slot_end_holder(struct bytes *out, enum pg_slot_lock lock, const char *name);

/**
 * Whether the server's history is the one that the state record speaks of.
 *
 * @param timeline  the server's, other than the record's
 * @param history   the text of TIMELINE_HISTORY; NULL: the server does not have it
 * @param f         FAULT_CONFIG: the record's timeline is not a part of it
 */
bool pg_slot_check_timeline(const struct connector_config *config, const struct source_state *known,
                            uint32_t timeline, const char *history, struct fault *f) MUST_USE;

/** Appends CREATE_REPLICATION_SLOT in the server's dialect. */
void pg_slot_create(struct bytes *out, const char *name, int server_version, bool has_snapshot);

#endif

// The replication slot: its state on the server, whether it may be used, and its SQL commands.
#ifndef CONNECTORS_POSTGRES_PG_SLOT_H
#define CONNECTORS_POSTGRES_PG_SLOT_H

#include <libpq-fe.h>

#include "connectors/config/connector_config.h"
#include "connectors/source.h"

// Advisory locks of a slot name. The value is classid in pg_locks; objid is the 32-bit FNV-1a hash of the
// name. They must never change: copies of different versions use them.
enum pg_slot_lock {
    PG_SLOT_LOCK_REPLICATION = 0x6d696c6c,  // "mill": the slot lock
    PG_SLOT_LOCK_SQL,                       // the lock of the ordinary session
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
    int64_t now_us;  // the server's clock
    // The connector's slot.
    bool exists;
    bool is_ours;  // logical, pgoutput, of this database
    bool is_active;
    bool is_lost;
    int active_pid;
    uint64_t restart_lsn;
    uint64_t confirmed_lsn;
};

enum pg_slot_plan {
    PG_SLOT_USE,     // it exists: stream from its position
    PG_SLOT_MAKE,    // it never existed: create it
    PG_SLOT_RESUME,  // it exists, but the first snapshot did not end: stream, and read all rows again
};

/** Parses an LSN such as "16/B374D848". False: it is not one. */
bool pg_slot_parse_lsn(const char *text, uint64_t *ret) MUST_USE;

/**
 * Whether a slot can be created and read with this wal_level. From PostgreSQL 19 on logical decoding is
 * switched on by the first logical slot where wal_level is replica; `effective` is that server's
 * effective_wal_level, which is replica until then, and empty for older ones.
 */
bool pg_slot_is_logical(const char *level, const char *effective);

/** Appends the query for pg_slot_read, two statements. */
void pg_slot_query(struct bytes *out, const char *name);
void pg_slot_read(PGresult *const *results, int server_version, struct pg_slot *ret);

/** FAULT_CONFIG: the text has the command to run. FAULT_RETRY: a standby, which may be promoted. */
bool pg_slot_check_server(const struct pg_slot *s, struct fault *f) MUST_USE;

/**
 * Decides from the server's slot and the state record.
 *
 * @param system  the server's system identifier
 * @param f       FAULT_CONFIG: changes are lost, or the slot is not the connector's; the text says what to
 * type
 */
bool pg_slot_decide(const struct pg_slot *s, const struct connector_config *config,
                    const struct source_state *known, const char *system, enum pg_slot_plan *ret,
                    struct fault *f) MUST_USE;

/** The fault for the stream's "publication does not exist": older WAL can't be decoded with a new
 * publication. */
bool pg_slot_lost_publication(const struct connector_config *config, struct fault *f);

/** Appends the query that tries to take the lock for the session: one row, 't' if it is held now. */
void pg_slot_lock(struct bytes *out, enum pg_slot_lock lock, const char *name);

/** Appends the query that terminates the session that holds the lock. */
void pg_slot_end_holder(struct bytes *out, enum pg_slot_lock lock, const char *name);

/**
 * Whether the server's timeline descends from the one in the state record.
 *
 * @param timeline  the server's; not the record's
 * @param history   the history file; NULL: not read yet, or the server does not have it
 * @param f         FAULT_CONFIG: it does not descend from it
 */
bool pg_slot_check_timeline(const struct connector_config *config, const struct source_state *known,
                            uint32_t timeline, const char *history, struct fault *f) MUST_USE;

/** Appends CREATE_REPLICATION_SLOT in the syntax of the server's version. */
void pg_slot_create(struct bytes *out, const char *name, int server_version, bool has_snapshot);

#endif

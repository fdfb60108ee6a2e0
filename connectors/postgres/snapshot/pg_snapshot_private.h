// The snapshot's insides, shared by asking for the rows (pg_snapshot_read.c) and giving them (pg_snapshot.c).
#ifndef CONNECTORS_POSTGRES_SNAPSHOT_PG_SNAPSHOT_PRIVATE_H
#define CONNECTORS_POSTGRES_SNAPSHOT_PG_SNAPSHOT_PRIVATE_H

#include "connectors/postgres/snapshot/pg_snapshot.h"

struct pg_snapshot_table {
    uint32_t oid;
    char *schema;
    char *name;
    bool is_partitioned;
    bool is_filtered;  // row-level security would hide rows from our role
    bool is_readable;  // our role has the rights
    struct pg_relation *relation;
    uint64_t rows;
};

struct pg_snapshot_row {
    char *line;  // libpq's; NULL: none
    size_t size;
    size_t table;
    bool is_first;  // of its table
};

struct pg_snapshot {
    struct pg_snapshot_params params;
    char *publications;
    uint32_t *skipped;
    size_t skipped_count;
    uint64_t lsn;  // that no other snapshot has, nor any change of the stream
    struct pg_snapshot_table *tables;
    size_t table_count;
    size_t at;  // the table being read
    bool is_copying;
    bool is_over;  // all tables are read
    struct pg_snapshot_row held;
    struct pg_snapshot_row incoming;
    bool has_begun;    // BEGIN of held's table was given
    bool must_commit;  // its last row was given
    uint32_t transaction_id;
    int64_t time_us;
    uint32_t index;
    struct pgoutput_message *message;  // an insert, filled from each line
};

/** Asks for the tables, then for each one's rows; on_ready when rows may have come, and at the end of all. */
void pg_snapshot_begin(struct pg_snapshot *s, const uint32_t *only, size_t only_count);

/** The table's last row was read: on to the next one. */
void pg_snapshot_end_copy(struct pg_snapshot *s);

#endif

// The struct that pg_snapshot_read.c (queries) and pg_snapshot.c (changes) share.
#ifndef CONNECTORS_POSTGRES_SNAPSHOT_PG_SNAPSHOT_PRIVATE_H
#define CONNECTORS_POSTGRES_SNAPSHOT_PG_SNAPSHOT_PRIVATE_H

#include "connectors/postgres/snapshot/pg_snapshot.h"

struct pg_snapshot_table {
    uint32_t oid;
    char *schema;
    char *name;
    bool is_partitioned;
    bool is_filtered;              // row-level security may hide rows from the role
    bool is_readable;              // the role may read it
    struct pg_relation *relation;  // NULL: it has vanished, or has no columns
    char *row_filter;              // of the publication; NULL: none
    uint64_t rows;
};

struct pg_snapshot_row {
    char *line;  // allocated by libpq; NULL: none
    size_t size;
    size_t table;
    bool is_first;  // row of its table
};

struct pg_snapshot {
    struct pg_snapshot_params params;
    char *publications;
    uint32_t *only;  // NULL: all published tables
    size_t only_count;
    uint32_t *skipped;
    size_t skipped_count;
    bool was_locked;
    uint64_t lsn;  // no other snapshot and no change of the stream has it
    struct pg_snapshot_table *tables;
    size_t table_count;
    bool is_described;  // the tables' versions are made
    size_t at;          // the table being read
    size_t locked;      // tables read since their locks were released
    bool is_copying;
    bool is_over;  // all tables were read
    struct pg_snapshot_row held;
    struct pg_snapshot_row incoming;
    bool has_begun;    // the BEGIN of the table of `held` was given
    bool must_commit;  // the last row of its table was given
    uint32_t transaction_id;
    int64_t time_us;
    uint32_t index;
    struct pgoutput_message *message;  // an insert, filled from each line
};

/** Lists the tables, then copies each one. Calls on_ready when rows may have come, and at the end. */
void pg_snapshot_begin(struct pg_snapshot *s);

/** Ends the COPY of a table whose last row was read, and starts that of the next one. */
void pg_snapshot_end_copy(struct pg_snapshot *s);

#endif

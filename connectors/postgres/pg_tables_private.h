// The publication keeper's insides, shared by reading (pg_tables_scan.c) and mending (pg_tables.c).
#ifndef CONNECTORS_POSTGRES_PG_TABLES_PRIVATE_H
#define CONNECTORS_POSTGRES_PG_TABLES_PRIVATE_H

#include "connectors/postgres/pg_tables.h"

enum pg_tables_place { PG_TABLES_NONE, PG_TABLES_MAIN, PG_TABLES_INSERTS };

struct pg_tables_entry {
    uint32_t oid;
    uint32_t parent;  // of a partition
    char *schema;
    char *name;
    bool is_partitioned;
    bool is_unlogged;
    bool has_identity;
    bool is_in_main;
    bool is_in_inserts;
    bool is_ours;  // our role may put it into a publication
    bool is_matching;
    enum pg_tables_place wanted;
};

struct pg_tables_publication {
    bool exists;
    bool is_ours;
    bool has_all_tables;
};

/** One look at the catalogue. */
struct pg_tables_scan {
    struct pg_tables_publication main;
    struct pg_tables_publication inserts;
    struct pg_tables_entry *entries;  // by oid
    size_t count;
};

enum { PG_TABLES_RESULTS = 2 };

void pg_tables_scan_query(struct bytes *out, const char *publication, const char *inserts,
                          int server_version);

/** Reads the results and decides each table's place. */
void pg_tables_scan_read(PGresult *const *results, const struct connector_config *config,
                         struct pg_tables_scan *ret);
void pg_tables_scan_clear(struct pg_tables_scan *s);

/** Appends the SQL that brings the publications where the scan wants them; nothing when they are there. */
void pg_tables_scan_mend(const struct pg_tables_scan *s, const char *publication, const char *inserts,
                         bool has_inserts, struct bytes *out);

#endif

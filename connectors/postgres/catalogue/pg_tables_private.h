// The publication keeper's insides, shared by reading (pg_tables_scan.c), mending (pg_tables.c) and warning
// (pg_tables_warn.c).
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_TABLES_PRIVATE_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_TABLES_PRIVATE_H

#include "connectors/postgres/catalogue/pg_tables.h"

enum pg_tables_place { PG_TABLES_NONE, PG_TABLES_MAIN, PG_TABLES_INSERTS };

struct pg_tables_entry {
    uint32_t oid;
    uint32_t parent;  // of a partition
    char *schema;
    char *name;
    bool is_partitioned;
    bool is_unlogged;
    bool has_identity;           // of a partitioned table: it and all its partitions
    bool is_identity_generated;  // it would have one but for a generated column that is not published
    bool is_in_main;
    bool is_in_inserts;
    bool is_ours;  // our role may put it into a publication
    bool is_matching;
    enum pg_tables_place wanted;
    uint32_t cover;     // the partitioned table above that is published in its place; 0: none
    bool is_captured;   // its rows come under its own name, once it or its cover is published
    size_t bare_count;  // of a partitioned table, for a warning: its partitions without identity
    uint32_t bare_oid;  // and one of them
};

struct pg_tables_publication {
    bool exists;
    bool is_ours;
    bool has_all_tables;
    bool is_via_root;  // partitions come under the partitioned table's name
};

/** One look at the catalogue. */
struct pg_tables_scan {
    struct pg_tables_publication main;
    struct pg_tables_publication inserts;
    struct pg_tables_entry *entries;  // by oid
    size_t count;
};

enum { PG_TABLES_RESULTS = 2 };

struct pg_tables {
    const struct connector_config *config;
    const char *component;
    char *inserts;  // the second publication's name
    bool has_inserts;
    struct pg_tables_scan scan;
    bool has_scanned;
    uint32_t *captured;  // by oid, after the last scan
    size_t captured_count;
    struct bytes sql;
    struct bytes refused;  // SQL that failed or may not be run: logged once
    uint32_t *named;       // tables already named as a problem
    size_t named_count;
    struct pg_conn *conn;
    pg_tables_on_done on_done;
    void *self;
    pg_tables_on_table on_table;
    void *table_self;
};

void pg_tables_scan_query(struct bytes *out, const char *publication, const char *inserts,
                          int server_version);

/** Reads the results and decides each table's place. */
void pg_tables_scan_read(PGresult *const *results, const struct connector_config *config,
                         struct pg_tables_scan *ret);
void pg_tables_scan_clear(struct pg_tables_scan *s);

/** NULL: no such table. */
struct pg_tables_entry *pg_tables_scan_find(const struct pg_tables_scan *s, uint32_t oid);

/** The highest partitioned table above the partition that matches; NULL: none. */
struct pg_tables_entry *pg_tables_scan_root(const struct pg_tables_scan *s, const struct pg_tables_entry *e);

/** Appends the SQL that brings the publications where the scan wants them; nothing when they are there. */
void pg_tables_scan_mend(const struct pg_tables_scan *s, const char *publication, const char *inserts,
                         bool has_inserts, struct bytes *out);

/** Names in the log, once each, the tables that match and are not published as they should be. */
void pg_tables_warn(struct pg_tables *t);

#endif

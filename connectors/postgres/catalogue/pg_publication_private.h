// The publication's insides, shared by reading (pg_publication_scan.c), reconciling (pg_publication.c) and
// warning (pg_publication_warn.c).
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_PUBLICATION_PRIVATE_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_PUBLICATION_PRIVATE_H

#include "connectors/postgres/catalogue/pg_publication.h"

enum pg_publication_place { PG_PUBLICATION_NONE, PG_PUBLICATION_MAIN, PG_PUBLICATION_INSERTS };

struct pg_publication_entry {
    uint32_t oid;
    uint32_t parent;  // of a partition
    char *schema;
    char *name;
    bool is_partitioned;
    bool is_unlogged;
    bool has_identity;           // of a partitioned table: it and all its partitions
    bool is_identity_generated;  // it would have one but for a generated column that is not published
    bool is_in_main;
    bool is_listed;  // in the main publication by itself, not by its schema
    bool is_in_inserts;
    bool is_ours;  // our role may put it into a publication
    bool is_matching;
    enum pg_publication_place wanted;
    uint32_t cover;             // the partitioned table above that is published in its place; 0: none
    bool is_captured;           // its rows come under its own name, once it or its cover is published
    size_t unidentified_count;  // of a partitioned table, for a warning: its partitions without identity
    uint32_t unidentified_oid;  // and one of them
};

struct pg_publication_object {
    bool exists;
    bool is_ours;
    bool has_all_tables;
    bool is_via_root;  // partitions come under the partitioned table's name
};

enum { PG_PUBLICATION_RESULTS = 2 };

/** One look at the catalogue. */
struct pg_publication_scan {
    struct pg_publication_object main;
    struct pg_publication_object inserts;
    struct pg_publication_entry *entries;  // by oid
    size_t count;
};

struct pg_publication {
    const struct connector_config *config;
    const char *component;
    char *inserts;  // the second publication's name
    bool has_inserts;
    struct pg_publication_scan scan;
    struct pg_publication_scan before;  // the scan before it
    bool has_scanned;
    char *fingerprint;   // of the catalogue, when it was last scanned
    uint32_t *captured;  // by oid, after the last scan
    size_t captured_count;
    bool is_reconciled;    // after the last reconciliation nothing was missing that our rights allow
    struct bytes sql;      // of the last reconciliation
    struct bytes refused;  // SQL that failed or may not be run: logged once
    uint32_t *named;       // tables already named as a problem
    size_t named_count;
    struct pg_conn *conn;
    pg_publication_on_done on_done;
    pg_publication_on_probed on_probed;
    void *self;
    pg_publication_on_table on_table;
    void *table_self;
};

void pg_publication_scan_query(struct bytes *out, const char *publication, const char *inserts,
                               int server_version);

/** Reads the results and decides each table's place. */
void pg_publication_scan_read(PGresult *const *results, const struct connector_config *config,
                              struct pg_publication_scan *ret);
void pg_publication_scan_clear(struct pg_publication_scan *s);

/** NULL: no such table. */
struct pg_publication_entry *pg_publication_scan_find(const struct pg_publication_scan *s, uint32_t oid);

/** The highest partitioned table above the partition that matches; NULL: none. */
struct pg_publication_entry *pg_publication_scan_root(const struct pg_publication_scan *s,
                                                      const struct pg_publication_entry *e);

/**
 * Appends the SQL that brings the publications where the scan wants them; nothing when they are there.
 *
 * @param is_for_owner  with the tables that only their owner can add
 */
void pg_publication_scan_reconcile(const struct pg_publication_scan *s, const char *publication,
                                   const char *inserts, bool has_inserts, bool is_for_owner,
                                   struct bytes *out);

/**
 * True for a table that was not captured before and is from the next reconciliation on, or that somebody has
 * put into the publication since the scan before: its rows are still to be read. Not for a table whose every
 * change the publication has anyway (FOR ALL TABLES, FOR TABLES IN SCHEMA, a new partition).
 *
 * @param before      NULL: no scan was before
 * @param can_change  reconciling may change the publications
 */
bool pg_publication_scan_is_new(const struct pg_publication_scan *s, const struct pg_publication_scan *before,
                                const struct pg_publication_entry *e, bool can_change);

/** Names in the log, once each, the tables that match and are not published as they should be. */
void pg_publication_warn(struct pg_publication *t);

#endif

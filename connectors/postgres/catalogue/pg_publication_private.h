// Internals of the publication, shared by reading (pg_publication_scan.c), reconciling (pg_publication.c) and
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
    bool has_identity;           // a partitioned table: it and all its partitions have one
    bool is_identity_generated;  // its identity has a generated column that is not published
    bool is_in_main;
    bool is_listed;  // in the main publication by name, not by its schema
    bool is_in_inserts;
    bool is_ours;  // our role may add it to a publication
    bool is_matching;
    enum pg_publication_place wanted;
    bool has_filter;            // in a publication: a row filter
    char *columns;              // in a publication: its column list, quoted and separated by ", "; NULL: none
    const char *wanted_filter;  // lent by the configuration; NULL: none
    char *wanted_columns;       // as `columns`
    char *excluded_key;         // a column of its key that columns.exclude matches; NULL: none
    bool is_outdated;           // filter or list differ from those that are wanted
    uint32_t cover;             // the partitioned table above it that is published instead; 0: none
    bool is_captured;           // its rows have its own name, once it or its cover is published
    size_t unidentified_count;  // of a partitioned table: the number of its partitions without identity
    uint32_t unidentified_oid;  // one of them, for the warning
    char *topic_refusal;        // why it is not matching although it is selected; NULL: it may have its topic
    char *lock_holder;          // the session whose lock keeps it from being added; NULL: none
};

struct pg_publication_object {
    bool exists;
    bool is_ours;
    bool has_all_tables;
    uint32_t operations;  // of enum connector_operation
    char *comment;        // NULL: none
    bool has_truncate;
    bool is_via_root;  // publish_via_partition_root: rows of partitions have the partitioned table's name
};

enum { PG_PUBLICATION_RESULTS = 5 };

/** The result of one scan of the catalogue. */
struct pg_publication_scan {
    struct pg_publication_object main;
    struct pg_publication_object inserts;
    struct pg_publication_entry *entries;  // by oid
    size_t count;
    int server_version;
    bool is_mark_due;  // the publication's comment must be set or removed: its selection changes
    bool has_locked;   // an entry has a lock_holder: it is left for a later scan
};

struct pg_publication {
    const struct connector_config *config;
    const char *component;
    char *inserts;  // the second publication's name
    bool has_inserts;
    bool is_inserts_out;
    struct pg_publication_scan scan;
    struct pg_publication_scan before;  // the previous scan
    bool has_scanned;
    char *fingerprint;   // of the catalogue at the last scan
    uint32_t *captured;  // by oid, after the last reconciliation
    size_t captured_count;
    bool is_reconciled;    // the last reconciliation made all changes that our role may make
    struct bytes sql;      // of the last reconciliation
    struct bytes refused;  // SQL that failed or that our role may not run; logged once
    size_t unmatched;      // entries of `tables` that match nothing
    uint32_t *warned;      // tables for which a warning was logged
    size_t warned_count;
    struct pg_conn *conn;
    pg_publication_on_done on_done;
    pg_publication_on_probed on_probed;
    void *self;
    pg_publication_on_table on_table;
    void *table_self;
};

void pg_publication_scan_query(struct bytes *out, const struct connector_config *config, const char *inserts,
                               int server_version);

/** Reads the results and decides which publication each table belongs to. */
void pg_publication_scan_read(PGresult *const *results, const struct connector_config *config,
                              struct pg_publication_scan *ret);
void pg_publication_scan_clear(struct pg_publication_scan *s);

/** NULL: no such table. */
struct pg_publication_entry *pg_publication_scan_find(const struct pg_publication_scan *s, uint32_t oid);

/** The topmost matching partitioned table above the partition; NULL: none. */
struct pg_publication_entry *pg_publication_scan_root(const struct pg_publication_scan *s,
                                                      const struct pg_publication_entry *e);

/**
 * Appends the SQL that changes the publications to what the scan wants; nothing when they are right.
 *
 * @param is_for_owner  includes the tables that only their owner can add
 */
void pg_publication_scan_reconcile(const struct pg_publication_scan *s, const struct connector_config *config,
                                   const char *inserts, bool has_inserts, bool is_for_owner,
                                   struct bytes *out);

/**
 * Whether the table's existing rows must be read: the next reconciliation adds it, or it was added to the
 * publication by other means since the previous scan. False for a table that has been published since its
 * creation (FOR ALL TABLES, FOR TABLES IN SCHEMA, a new partition).
 *
 * @param before      the previous scan; NULL: none
 * @param can_change  reconciling may change the publications
 */
bool pg_publication_scan_is_new(const struct pg_publication_scan *s, const struct pg_publication_scan *before,
                                const struct pg_publication_entry *e, bool can_change);

/** Appends the last two queries of the scan, each behind a ';'. */
void pg_publication_select_query(struct bytes *out, const struct connector_config *config,
                                 const char *inserts, int server_version);

/** Reads their results into the entries. */
void pg_publication_select_read(PGresult *const *results, const struct connector_config *config,
                                struct pg_publication_scan *io);

/** Appends the entry's column list and row filter, as they follow its name in SQL. */
void pg_publication_select_append(const struct pg_publication_entry *e, struct bytes *out);

/** Appends the operations to publish: insert, update, delete. */
void pg_publication_select_append_publish(const struct connector_config *config, struct bytes *out);

/** Appends what follows the tables' statements: operations, the comment that marks the selection, and a check
 * of the row filters that fails when they would make the application's UPDATE fail. */
void pg_publication_select_append_end(const struct pg_publication_scan *s,
                                      const struct connector_config *config, struct bytes *out);

/** False: what the configuration selects can't be published; FAULT_CONFIG has the table and the cure. */
bool pg_publication_select_check(const struct pg_publication *t, bool can_change, struct fault *f) MUST_USE;

void pg_publication_select_clear(struct pg_publication_entry *e);

/** Logs a warning, once for each table, about matching tables that are not published as they should be. */
void pg_publication_warn(struct pg_publication *t);

#endif

// The definitions of tables that the schema-change topic has, by the table's oid: what a new definition is
// compared with. They are kept in the state topic, key `table/<connector>/<oid>`, so that a restart records
// nothing again. A definition is written there only once its record is acknowledged, with the place in the
// stream of the row that had it first. A stream that resumes before that place gives earlier definitions once
// more: they have their records.
#ifndef CONNECTORS_KNOWN_TABLES_H
#define CONNECTORS_KNOWN_TABLES_H

#include "connectors/state_writes.h"
#include "schemas/avro/table.h"

struct known_tables;

/** What a definition is, compared with the one that is known. */
enum known_tables_effect { KNOWN_TABLES_SAME, KNOWN_TABLES_CREATE, KNOWN_TABLES_ALTER };

/** Where a row is in the stream. */
struct known_tables_place {
    uint64_t commit_lsn;
    uint64_t index;  // in the transaction
};

struct known_tables_change {
    enum known_tables_effect effect;
    bool is_early;         // SAME only because of the place: compare the version again at its next row
    struct slice effects;  // JSON, borrowed until the next call; see known_tables_compare
    // Another table that had the name, and so was dropped; borrowed until known_tables_set. NULL: none.
    const char *dropped_schema;
    const char *dropped_name;
};

/** @param connector  its name, lent */
struct known_tables *known_tables_new(const char *connector);

/** Forgets all; a new session begins. */
void known_tables_begin(struct known_tables *k);

/** The number of the session, from 1: versions of tables are marked with it (table.recorded). */
uint32_t known_tables_session(const struct known_tables *k);

/** What the keys of all of the connector's tables begin with. */
const char *known_tables_prefix(const struct known_tables *k);

/** An entry of the state topic; what is not valid is ignored. */
void known_tables_load(struct known_tables *k, const char *key, struct slice value);

/** The entries that were loaded are a former connector's of the same name: deletes them. */
void known_tables_discard(struct known_tables *k);

/** The stream begins after `position`: entries that only earlier rows need are deleted. */
void known_tables_begin_stream(struct known_tables *k, uint64_t position);

/**
 * Compares a version that has a shape with the definition that is known of its table. With ALTER `effects` is
 * an object with those members that apply: "added", "dropped", "retyped", "nullability", "default",
 * "generated" (lists of columns, with their new name), "renamed" (old name to new), "key", "identity",
 * "renamed_from" (the table's former name), "order". It is empty, `{}`, if the known definition is too long
 * for the state topic and only its hash was kept. At or before the place of an entry that was loaded all is
 * SAME.
 *
 * @param place  of the version's row
 */
struct known_tables_change known_tables_compare(struct known_tables *k, const struct table *t,
                                                struct known_tables_place place);

/** The record of this definition is on its way, under the ledger's ticket. */
void known_tables_set(struct known_tables *k, const struct table *t, struct known_tables_place place,
                      uint64_t ticket);

/** The entries to be written to the state topic; lent. */
struct state_writes *known_tables_writes(struct known_tables *k);

/** Accepts NULL. */
void known_tables_free(struct known_tables *k);

#endif

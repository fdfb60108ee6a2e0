// The tables the stream speaks of: each relation's current version as the schemas see it, found by oid.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_RELATIONS_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_RELATIONS_H

#include "connectors/connector_config.h"
#include "connectors/postgres/catalogue/pg_catalogue.h"

struct pg_relation {
    uint32_t oid;
    bool is_wanted;           // captured, as far as is known; others' rows are passed over
    bool was_partition;       // captured as a partition once
    bool is_passed_over;      // logged: its rows come and are not wanted
    struct table *table;      // NULL while no version is known
    bool has_bad_before;      // logged: an old image of it could not be encoded
    struct text_list nulled;  // logged: columns in which a value without an Avro form became null
};

struct pg_relations;

/** @param component  for the log, "connector/shop"; all borrowed as long as the object lives */
struct pg_relations *pg_relations_new(const struct connector_config *config, const char *component);
void pg_relations_free(struct pg_relations *r);

/** The relation of that oid; NULL: never seen. */
struct pg_relation *pg_relations_find(struct pg_relations *r, uint32_t oid);

/** The relation a Relation message speaks of, made when it is new: wanted unless its own name is excluded;
 * what it is a partition of, the catalogue knows. */
struct pg_relation *pg_relations_see(struct pg_relations *r, const struct pgoutput_relation *message);

/** What pg_relations_update would decide of the message's relation. */
bool pg_relations_would_want(const struct pg_relations *r, const struct pgoutput_relation *message,
                             const struct pg_catalogue *catalogue) MUST_USE;

/**
 * Decides whether the relation is wanted, and if so gives it the version that message and catalogue make;
 * keeps the old one when nothing differs. The message decides what columns there are and what identifies a
 * row: it belongs to the moment of the change, the catalogue to now.
 */
void pg_relations_update(struct pg_relations *r, struct pg_relation *relation,
                         const struct pgoutput_relation *message, const struct pg_catalogue *catalogue);

/** Gives the relation a version in which that column is nullable. */
void pg_relations_widen(struct pg_relations *r, struct pg_relation *relation, size_t column);

/** Logs, the first time for a relation, that the old image of one of its rows can't be encoded. */
void pg_relations_note_bad_before(struct pg_relations *r, struct pg_relation *relation, const char *reason);

/** Logs, the first time for a column, that a value of it without an Avro form became null. */
void pg_relations_note_none(struct pg_relations *r, struct pg_relation *relation, const struct column *c,
                            const char *reason);

/**
 * Whether the configuration wants the table: it, or a partitioned table that it is a partition of (at any
 * level), is included, and none of them is excluded.
 *
 * @param ancestors  "schema.table" of those above
 */
bool pg_relations_wants(const struct connector_config *config, const char *schema, const char *name,
                        const struct text_list *ancestors);

/** The topic of a table; the caller frees it. */
char *pg_relations_topic(const char *prefix, const char *schema, const char *name);

#endif

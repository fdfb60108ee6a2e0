// The relations of the stream, found by oid, each with the current version of its table.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_RELATIONS_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_RELATIONS_H

#include "connectors/config/connector_config.h"
#include "connectors/postgres/catalogue/pg_catalogue.h"
#include "connectors/postgres/catalogue/pg_column_rules.h"
#include "connectors/postgres/catalogue/pg_toast_plan.h"
#include "connectors/postgres/catalogue/pg_unmatched.h"
#include "schemas/avro/table.h"

enum { PG_RELATION_UNKNOWN_MAX = 16 };

struct pg_relation {
    uint32_t oid;
    bool is_wanted;       // captured; rows of other relations are ignored
    bool is_passed_over;  // logged: its rows are ignored
    struct table *table;  // NULL until its version is known
    bool has_bad_before;  // logged: an old image could not be encoded
    uint16_t *kept;       // positions in the stream's tuples of the columns that the table has; NULL: all
    uint16_t kept_count;
    struct pg_column_rules rules;  // of the last message's columns
    struct text_list ancestors;    // of a partition, as the catalogue had them last; else empty
    struct pg_toast_plan *toast;   // of its definition, with toast: complete; NULL: else
    struct text_list nulled;       // logged: columns with a value that can't be encoded and became null
    // Hashes of values that the types in the catalogue did not know either; the last ones.
    uint64_t unknown_values[PG_RELATION_UNKNOWN_MAX];
    size_t unknown_count;  // so far
};

/** Takes the columns that the table does not have out of a tuple of the stream. */
static inline void pg_relation_select(const struct pg_relation *relation, struct pgoutput_tuple *io)
{
    for (uint16_t i = 0; relation->kept != NULL && i < relation->kept_count; i++) {
        io->values[i] = io->values[relation->kept[i]];
    }
    io->count = relation->kept == NULL ? io->count : relation->kept_count;
}

struct pg_relations;

/** All are borrowed until pg_relations_free. @param component  for the log, "connector/shop"
 * @param memory  NULL: nothing is remembered of columns beyond it */
struct pg_relations *pg_relations_new(const struct connector_config *config, const char *component,
                                      struct column_memory *memory);
void pg_relations_free(struct pg_relations *r);

/** The relation with this oid; NULL: no Relation message had it. */
struct pg_relation *pg_relations_find(struct pg_relations *r, uint32_t oid);

/** The message's relation, added if it is new. is_wanted is false only if its own name is excluded:
 * pg_relations_update decides, as only the catalogue has the tables that it is a partition of. */
struct pg_relation *pg_relations_see(struct pg_relations *r, const struct pgoutput_relation *message);

/**
 * Decides whether the relation is wanted; if so, builds its table version from message and catalogue, and
 * keeps the old version if nothing differs. The columns and the replica identity are those of the message,
 * which describes the table at the time of the change, while the catalogue describes it now.
 */
void pg_relations_update(struct pg_relations *r, struct pg_relation *relation,
                         const struct pgoutput_relation *message, const struct pg_catalogue *catalogue);

/** As see and update, before the stream sends the message. NULL: the table is not wanted. Borrowed. */
struct table *pg_relations_prepare(struct pg_relations *r, const struct pgoutput_relation *message,
                                   const struct pg_catalogue *catalogue);

/** Which entries of the selection have matched nothing; borrowed. */
struct pg_unmatched *pg_relations_unmatched(struct pg_relations *r);

/** Replaces the version by one in which this column is nullable. */
void pg_relations_widen(struct pg_relations *r, struct pg_relation *relation, size_t column);

/** Replaces the version by one in which a value of this column may be text. */
void pg_relations_add_text(struct pg_relations *r, struct pg_relation *relation, size_t column);

/**
 * Resolves the columns' types again, which may have changed without a Relation message (a label that was
 * added to an enum), and replaces the version if its schema differs. A type that is not in `types` any more
 * stays as it is.
 */
void pg_relations_retype(struct pg_relations *r, struct pg_relation *relation, const struct pg_type *types,
                         size_t type_count);

/** Ends the use of versions that were replaced. Call it when no change that was given is used any more. */
void pg_relations_release_retired(struct pg_relations *r);

/** Logs, once for each relation, that the old image of a row can't be encoded. */
void pg_relations_note_bad_before(struct pg_relations *r, struct pg_relation *relation, const char *reason);

/** Logs, once for each column, that a value that can't be encoded became null. */
void pg_relations_note_none(struct pg_relations *r, struct pg_relation *relation, const struct column *c,
                            const char *reason);

#endif

// Which values of a relation an update may leave out because they are stored out of line (TOAST), and how
// large a row must be for that.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_TOAST_PLAN_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_TOAST_PLAN_H

#include "connectors/config/connector_config.h"
#include "connectors/postgres/catalogue/pg_catalogue.h"

struct pg_toast_column {
    uint16_t number;        // attnum
    bool may_be_out;        // may be stored out of line, and is not in the replica identity
    bool is_identity;       // part of the replica identity
    uint16_t size;          // its size in a row, if that is fixed; else what is added to the value's
    uint8_t bytes_of_byte;  // no byte that the database sends stands for more bytes in a row
    uint64_t fingerprint;   // of what makes its values kept so far unusable when it changes; not 0
    uint64_t since_lsn;     // set by pg_toast: values from before this change can't be used
    uint64_t since_index;
};

/** Of one definition of a relation. Immutable but for the parts of pg_toast. */
struct pg_toast_plan {
    bool is_needed;        // some value may be left out, and no old tuple has it
    bool is_whole;         // `columns` are all that the table has
    bool is_settled;       // the definition is that of the stream's rows, not a later one
    uint64_t fingerprint;  // as the columns', of the identity and of the row filter
    size_t out_of_line;    // a row up to this size has no value out of line
    size_t column_count;
    struct pg_toast_column *columns;  // in the table's order
    // Set by pg_toast:
    bool is_checked;  // compared with what the store knows of the table
    bool has_values;  // the store may have values of the table
    bool has_logged_unknown;
};

/**
 * Makes the plan.
 *
 * @param message  the relation without the columns that are left out
 * @param sent     how many columns the stream has
 */
struct pg_toast_plan *pg_toast_plan_make(const struct connector_config *config,
                                         const struct pgoutput_relation *message, size_t sent,
                                         const struct pg_catalogue *catalogue);
void pg_toast_plan_free(struct pg_toast_plan *p);

/** Replaces the plan by one of this definition; with another mode than toast: complete there is none. */
void pg_toast_plan_renew(struct pg_toast_plan **io, const struct connector_config *config,
                         const struct pgoutput_relation *message, size_t sent,
                         const struct pg_catalogue *catalogue);

/** Of toast: typed: sets has_marker of the columns whose values the database may leave out of an update. */
void pg_toast_plan_mark(const struct pgoutput_relation *message, const struct pg_catalogue *catalogue,
                        struct table *io);

/** The catalogue was read in the snapshot that the rows are read in. Accepts NULL. */
static inline void pg_toast_plan_settle(struct pg_toast_plan *p)
{
    if (p != NULL) {
        p->is_settled = true;
    }
}

/** A column that may be out of line: the greatest size that its value may have in a row. */
static inline size_t pg_toast_column_size(const struct pg_toast_column *c, size_t sent)
{
    return sent * c->bytes_of_byte + c->size;
}

#endif

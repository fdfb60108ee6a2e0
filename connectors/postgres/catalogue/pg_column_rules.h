// What the configuration does to the columns of a relation: which are masked, which are left out. A rule that
// a column has stays with it when the column or its table is renamed, also while the connector is away: rules
// are found by name, and a value must not leave the database in the clear because its column was renamed.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_COLUMN_RULES_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_COLUMN_RULES_H

#include "connectors/column_memory.h"
#include "connectors/postgres/catalogue/pg_catalogue.h"
#include "connectors/postgres/catalogue/pg_column_masks.h"
#include "connectors/postgres/wire/pgoutput.h"

struct pg_column_rule {
    char *name;
    struct text_list names;      // under which it has, or had, a rule: "schema.table.column"
    size_t own_count;            // of the names: those that it has now come first
    const struct pg_mask *mask;  // lent; NULL: none
    bool is_left_out;
    bool is_kept;      // from before the column or its table was renamed
    bool is_excluded;  // left out by columns.exclude, or as the column that it was
};

/** The columns of a relation's last message; empty if none of them has a rule. Zero-initialised is empty. */
struct pg_column_rules {
    struct pg_column_rule *items;
    size_t count;
    bool is_numbered;  // the numbers of all columns were known
};

struct pg_column_rules_params {
    const struct connector_config *config;
    const struct pg_column_masks *masks;
    const char *component;  // for the log
    const char *table;      // "schema.table"
    const struct text_list *ancestors;
    const struct pg_catalogue *catalogue;
    struct column_memory *memory;  // NULL: columns are followed by name only
};

/**
 * Finds the rules of the message's columns, in its order. A column also has the rules that its number had
 * under other names, now or in an earlier process. While the numbers are not known, because the catalogue is
 * newer or the table is gone, it also has those of the column that it was in the last message, or may have
 * been: that of its name, or one that is gone and stood between the same neighbours. Of several rules the
 * strictest counts. That a rule was kept is logged (rule_kept).
 */
void pg_column_rules_update(struct pg_column_rules *io, const struct pg_column_rules_params *p,
                            const struct pgoutput_relation *message);

/** The mask of a column of the message; NULL: none. */
const struct pg_mask *pg_column_rules_mask(const struct pg_column_rules *r, size_t column);

/** Whether the configuration leaves a column of the message out. */
bool pg_column_rules_leave_out(const struct pg_column_rules *r, size_t column);

void pg_column_rules_clear(struct pg_column_rules *r);

#endif

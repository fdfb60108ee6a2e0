// What the configuration does to the columns of a relation: which are masked, which are left out. A rule that
// a column has stays with it when the column or its table is renamed: rules are found by name, and a value
// must not leave the database in the clear because somebody renamed its column.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_COLUMN_RULES_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_COLUMN_RULES_H

#include "connectors/postgres/catalogue/pg_column_masks.h"
#include "connectors/postgres/wire/pgoutput.h"

struct pg_column_rule {
    char *name;
    const struct pg_mask *mask;  // lent; NULL: none
    bool is_left_out;
    bool is_kept;      // from before the column or its table was renamed
    bool is_excluded;  // left out by columns.exclude, or as the column that it was
};

/** The columns of a relation's last message; empty if none of them has a rule. Zero-initialised is empty. */
struct pg_column_rules {
    struct pg_column_rule *items;
    size_t count;
};

struct pg_column_rules_params {
    const struct connector_config *config;
    const struct pg_column_masks *masks;
    const char *component;  // for the log
    const char *table;      // "schema.table"
    const struct text_list *ancestors;
};

/**
 * Finds the rules of the message's columns, in its order. A column without a rule gets that of the column
 * that it was in the last message: that of its name, or one that is gone and stood between the same
 * neighbours. That is logged (rule_kept). A column that is dropped while another one is added behind all
 * others can't be told from a renamed one: it gets the rule, too.
 */
void pg_column_rules_update(struct pg_column_rules *io, const struct pg_column_rules_params *p,
                            const struct pgoutput_relation *message);

/** The mask of a column of the message; NULL: none. */
const struct pg_mask *pg_column_rules_mask(const struct pg_column_rules *r, size_t column);

/** Whether the configuration leaves a column of the message out. */
bool pg_column_rules_leave_out(const struct pg_column_rules *r, size_t column);

void pg_column_rules_clear(struct pg_column_rules *r);

#endif

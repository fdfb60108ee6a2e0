// Converts a column's DEFAULT expression to the schema's default, by Debezium's rules.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_DEFAULT_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_DEFAULT_H

#include "schemas/avro/table.h"

/**
 * Fills default_avro and default_json when the expression is a literal (its value) or a function call (the
 * type's placeholder: 0, "", "{}", 1970-01-01 …). Leaves both empty where Debezium has no default: arrays,
 * bytea, variable decimals, types without a rule, other expressions.
 *
 * @param expression  pg_get_expr's text: 'new'::text, 0, '-1'::integer, now(), nextval('s'::regclass),
 * NULL::text
 */
void pg_default_set(struct column *c, const char *expression);

#endif

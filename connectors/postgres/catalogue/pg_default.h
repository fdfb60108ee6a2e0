// A column's DEFAULT expression as the schema's default, by Debezium's rules.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_DEFAULT_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_DEFAULT_H

#include "schemas/avro/table.h"

/**
 * Fills default_avro and default_json when the expression is a literal (its value) or a function call (the
 * type's placeholder: 0, "", "{}", 1970-01-01 …); leaves both empty when Debezium would: arrays, bytea,
 * variable decimals, other types without a rule, expressions.
 *
 * @param expression  pg_get_expr's text: 'new'::text, 0, '-1'::integer, now(), nextval('s'::regclass),
 * NULL::text
 */
void pg_default_set(struct column *c, const char *expression);

#endif

// The one table of types: which functions make a column's values.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_VALUES_H
#define CONNECTORS_POSTGRES_VALUES_PG_VALUES_H

#include "schemas/avro/table.h"

/** Sets the column's functions by its type and is_array. */
void pg_values_bind(struct column *c);

/** Does the same for a type that has no rule of its own and stands as its text.
 *
 * @param has_mark  the type's text is any text, so Debezium's mark can't be taken for a value
 */
void pg_values_bind_plain(struct column *c, bool has_mark);

#endif

// A table's definition as JSON, as the schema-change topic's memory has it, and how two of them differ.
//
//   {"schema":"public","name":"orders","identity":"d","key":["id"],
//    "columns":[["id","int8",0,null,0],["total","numeric(10,2)",1,"0",0]]}
//
// A column is [name, type, nullable, default, generated]. The columns' numbers are apart, a list: they are
// not part of what is the same or not, as they can't be known of every version (0).
#ifndef CONNECTORS_TABLE_DEFINITION_H
#define CONNECTORS_TABLE_DEFINITION_H

#include <jansson.h>

#include "schemas/avro/table.h"

/** Appends the definition of a version that has a shape. */
void table_definition_put(struct bytes *out, const struct table *t);

/** Appends what stands for a definition that is too long: its name and the SHA-256. */
void table_definition_put_hash(struct bytes *out, const struct table *t, struct slice definition);

/** Appends the columns' numbers, as a JSON list. */
void table_definition_put_numbers(struct bytes *out, const struct table *t);

/** A definition and its columns' numbers, parsed; borrowed. */
struct table_definition {
    const json_t *json;
    const json_t *numbers;  // NULL: not known
};

/**
 * What changed from one to the other, as an object: see known_tables_compare. Empty if nothing did. Columns
 * are followed by their numbers; if one is not known, by name and place.
 */
json_t *table_definition_compare(const struct table_definition *before, const struct table_definition *after);

#endif

// Decides a change by the index: what it writes, and what the client is told.
#ifndef SCHEMAS_REGISTRY_SCHEMA_PLAN_H
#define SCHEMAS_REGISTRY_SCHEMA_PLAN_H

#include "schemas/avro/avro_parsed.h"
#include "schemas/registry/schema_batch.h"

enum schema_plan {
    SCHEMA_PLAN_DONE,   // nothing to write: refused, or so already
    SCHEMA_PLAN_WRITE,  // its result is true once the batch's records are written
    SCHEMA_PLAN_LATER,  // depends on what the batch writes: to be decided when that is in the index
};

/** The index must have all that was written before. Fills the change's result unless it is LATER. */
enum schema_plan schema_plan_make(struct schema_batch *batch, const struct schema_index *index,
                                  struct schema_change *change);

/** REGISTER, for schema_plan_make; the batch must not change the subject yet. */
enum schema_plan schema_plan_register(struct schema_batch *batch, const struct schema_index *index,
                                      struct schema_change *change);

/** Fills what a schema is looked for by: its parts, and its identity, which the caller frees. With
 * `is_normal` the text is replaced by its normal form. False: not a schema, with the change's error. */
bool schema_plan_identify(const struct schema_index *index, struct schema_change *change,
                          struct avro_parsed_schema **ret_parsed, char **ret_identity) MUST_USE;

/** The newest version under the subject that says the same: with the same references, or with references that
 * the schema has written into it. */
const struct schema_version *schema_plan_find(const struct schema_index *index,
                                              const struct schema_change *change,
                                              const struct avro_parsed_schema *parsed, const char *identity,
                                              bool has_deleted);

#endif

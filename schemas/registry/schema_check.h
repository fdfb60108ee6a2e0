// Whether a new schema is compatible with a subject's earlier ones.
#ifndef SCHEMAS_REGISTRY_SCHEMA_CHECK_H
#define SCHEMAS_REGISTRY_SCHEMA_CHECK_H

#include "schemas/avro/avro_parsed.h"
#include "schemas/registry/schema_scope.h"

struct schema_candidate {
    const struct avro_parsed_schema *schema;
    const json_t *metadata;  // NULL: none
};

/**
 * Checks as the level of the subject says: against the newest version that is not deleted or, at a transitive
 * level, against all, newest first, until one is in the way. Adds messages in the words of Confluent's
 * registry. With a compatibility group, only versions are looked at whose metadata has the candidate's value
 * for that property, or none as the candidate.
 *
 * @param version  the only one to check against, at any level but NONE; 0: as the level says
 * @return  true when compatible
 */
bool schema_check_compatible(const struct schema_index *index, const char *subject,
                             const struct schema_candidate *candidate, int32_t version,
                             struct text_list *messages);

/** Appends the messages as Java writes a list: [a, b]. */
void schema_check_append(struct bytes *out, const struct text_list *messages);

#endif

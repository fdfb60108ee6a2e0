// Schemas that refer to schemas of other subjects: what they refer to, and who refers to them.
#ifndef SCHEMAS_REGISTRY_SCHEMA_REFERENCES_H
#define SCHEMAS_REGISTRY_SCHEMA_REFERENCES_H

#include "schemas/avro/avro_parsed.h"
#include "schemas/registry/schema_index.h"

/**
 * Parses a schema together with all that it refers to, directly or not.
 *
 * @param subject     under which it is or will be: its references are in the same context
 * @param references  NULL: none
 * @param f           FAULT_REJECT: not a schema, or a reference leads nowhere
 */
bool schema_references_parse(const struct schema_index *index, const char *subject, const char *text,
                             const json_t *references, struct avro_parsed_schema **ret,
                             struct fault *f) MUST_USE;

/** Appends a registered schema with all that it refers to written into it. False: its references are gone. */
bool schema_references_resolve(const struct schema_index *index, const char *subject,
                               const struct schema_text *schema, struct bytes *out) MUST_USE;

/** Whether `references` of a schema under `from` name this version. */
bool schema_references_has(const char *from, const json_t *references, const char *subject, int32_t version);

/** Whether a version, with `has_deleted` also a deleted one, of another subject than `except` (NULL: any)
 * refers to this version. */
bool schema_references_is_used(const struct schema_index *index, const char *subject, int32_t version,
                               bool has_deleted, const char *except);

#endif

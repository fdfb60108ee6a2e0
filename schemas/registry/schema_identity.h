// What makes two schemas the same, and the ids that follow from their content.
#ifndef SCHEMAS_REGISTRY_SCHEMA_IDENTITY_H
#define SCHEMAS_REGISTRY_SCHEMA_IDENTITY_H

#include <jansson.h>

#include "core/base/bytes.h"

struct schema_parts {
    const char *text;
    const char *type;    // NULL: AVRO
    json_t *references;  // these are NULL without members
    json_t *metadata;
    json_t *rules;
};

/** Equal for schemas that say the same: a digest of the parsed schema, references, metadata and rules. Text
 * that is no schema stands for itself. The caller frees it. */
char *schema_identity_make(const struct schema_parts *parts);

/** Appends schema JSON without the white space between its tokens; text that is not JSON is copied. */
void schema_identity_minify(struct bytes *out, struct slice text);

/** The id to try first for a minified text: the top 30 bits of its SHA-256, plus 1. */
int32_t schema_identity_content_id(const char *text);

/** The next id, from 1 to 2^30; wraps around. */
int32_t schema_identity_next_id(int32_t id);

#endif

// Modes and configuration as they apply to a subject: its own, its context's, all contexts', the default.
// Source: confluentinc/schema-registry, storage/InMemoryCache: mode, config; READONLY_OVERRIDE from its docs.
#ifndef SCHEMAS_REGISTRY_SCHEMA_SCOPE_H
#define SCHEMAS_REGISTRY_SCHEMA_SCOPE_H

#include "schemas/registry/schema_index.h"

enum schema_mode {
    SCHEMA_MODE_READWRITE,
    SCHEMA_MODE_READONLY,
    SCHEMA_MODE_READONLY_OVERRIDE,  // goes before the modes of its subjects
    SCHEMA_MODE_IMPORT,             // schemas come with their ids and versions, and are not checked
    SCHEMA_MODE_NONE,               // not set, or no mode
};

enum schema_level {
    SCHEMA_LEVEL_NONE,
    SCHEMA_LEVEL_BACKWARD,
    SCHEMA_LEVEL_BACKWARD_TRANSITIVE,
    SCHEMA_LEVEL_FORWARD,
    SCHEMA_LEVEL_FORWARD_TRANSITIVE,
    SCHEMA_LEVEL_FULL,
    SCHEMA_LEVEL_FULL_TRANSITIVE,
    SCHEMA_LEVEL_UNKNOWN,  // not a level
};

/** In any case of letters; NULL and other texts: SCHEMA_MODE_NONE, SCHEMA_LEVEL_UNKNOWN. */
enum schema_mode schema_scope_read_mode(const char *text);
enum schema_level schema_scope_read_level(const char *text);
const char *schema_scope_mode_name(enum schema_mode mode);
const char *schema_scope_level_name(enum schema_level level);

/** The mode that applies to the subject; "" for the default context. */
enum schema_mode schema_scope_mode(const struct schema_index *index, const char *subject);

/** The mode that is set for exactly this subject; of "" the default if none is. */
enum schema_mode schema_scope_own_mode(const struct schema_index *index, const char *subject);

/** The configuration that applies to the subject; it has at least a compatibilityLevel. The caller releases
 * it. */
json_t *schema_scope_config(const struct schema_index *index, const char *subject);

/** What is set for exactly this subject, of "" the default if nothing is; NULL: nothing. The caller releases
 * it. */
json_t *schema_scope_own_config(const struct schema_index *index, const char *subject);

enum schema_level schema_scope_level(const struct schema_index *index, const char *subject);

/** The property whose value in a schema's metadata says with which schemas it must be compatible; NULL: with
 * all. The caller frees it. */
char *schema_scope_group(const struct schema_index *index, const char *subject);

/** Whether schemas are registered and looked for in normal form without being asked to. */
bool schema_scope_is_normal(const struct schema_index *index, const char *subject);

#endif

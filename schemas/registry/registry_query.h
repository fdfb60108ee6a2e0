// What a request to the embedded registry asks for: the variable parts of its path, its parameters, its body.
#ifndef SCHEMAS_REGISTRY_REGISTRY_QUERY_H
#define SCHEMAS_REGISTRY_REGISTRY_QUERY_H

#include "core/http/admin.h"
#include "schemas/registry/schema_change.h"

/** Owns its members. */
struct registry_query {
    char *subject;  // in its shortest form; "" when the path has none
    char *version;  // "3", "latest", "-1"
    char *id;
    char *scope;           // parameter `subject`: where to look for an id; NULL: absent
    char *prefix;          // of subjects to list; NULL: absent
    char *context_prefix;  // of contexts to list; NULL: absent
    char *key;             // of metadata; NULL: absent
    char *value;           // of metadata
    bool has_deleted;
    bool has_only_deleted;
    bool has_negative;  // deleted versions are listed as negative numbers
    bool has_latest_only;
    bool has_max_id;
    bool is_normal;
    bool is_verbose;
    bool is_resolved;  // format=resolved: what a schema refers to is written into it
    bool is_in_scope;  // defaultToGlobal: a setting of a wider scope will do
    int64_t offset;
    int64_t limit;                 // negative: none
    struct schema_change *change;  // the body: what to change, or a schema to look for; NULL: none
};

/** Reads the parameters. */
void registry_query_read(struct registry_query *query, const struct admin_request *request);

/**
 * Reads the body into a change of this kind.
 *
 * @param has_schema  the body is {"schema":"…"} with what belongs to it, else an object or nothing
 * @return  false, with an error in *ret
 */
bool registry_query_read_change(struct registry_query *query, const struct admin_request *request,
                                enum schema_change_kind kind, bool has_schema,
                                struct schema_change **ret) MUST_USE;

void registry_query_clear(struct registry_query *query);

/** Parses a positive int32 in decimal; 0 when it is not one. */
int32_t registry_query_number(const char *text);

/** As in a path: 0 for the newest one; -2 when it is no version. */
int32_t registry_query_version(const char *text);

#endif

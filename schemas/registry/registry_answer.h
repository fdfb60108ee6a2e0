// Responses of Confluent's REST API, made from the index alone: each function appends the JSON body and
// returns the HTTP status.
#ifndef SCHEMAS_REGISTRY_REGISTRY_ANSWER_H
#define SCHEMAS_REGISTRY_REGISTRY_ANSWER_H

#include "schemas/registry/schema_index.h"

/** Confluent's error codes; the HTTP status is the code, or its first three digits. */
enum registry_error {
    REGISTRY_ERROR_NOT_FOUND = 404,
    REGISTRY_ERROR_METHOD = 405,
    REGISTRY_ERROR_BODY = 400,
    REGISTRY_ERROR_SUBJECT = 40401,
    REGISTRY_ERROR_VERSION = 40402,
    REGISTRY_ERROR_SCHEMA = 40403,
    REGISTRY_ERROR_INVALID_SCHEMA = 42201,
    REGISTRY_ERROR_INVALID_VERSION = 42202,
    REGISTRY_ERROR_COMPATIBILITY = 42203,
    REGISTRY_ERROR_STORE = 50001,
    REGISTRY_ERROR_TIMEOUT = 50002,
};

/** The variable parts of a request. */
struct registry_query {
    const char *subject;
    const char *version;  // "3", "latest", "-1"
    const char *id;
    const char *prefix;  // of subjects to list; "" for all
    const char *text;    // minified
};

typedef int (*registry_answer)(struct bytes *out, const struct schema_index *index,
                               const struct registry_query *query);

int registry_answer_error(struct bytes *out, enum registry_error code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Parses a positive int32 in decimal; 0 when it is not one. */
int32_t registry_answer_number(const char *text);

int registry_answer_subjects(struct bytes *out, const struct schema_index *index,
                             const struct registry_query *query);
int registry_answer_versions(struct bytes *out, const struct schema_index *index,
                             const struct registry_query *query);
int registry_answer_version(struct bytes *out, const struct schema_index *index,
                            const struct registry_query *query);
int registry_answer_version_schema(struct bytes *out, const struct schema_index *index,
                                   const struct registry_query *query);
int registry_answer_find(struct bytes *out, const struct schema_index *index,
                         const struct registry_query *query);
int registry_answer_id(struct bytes *out, const struct schema_index *index,
                       const struct registry_query *query);
int registry_answer_id_schema(struct bytes *out, const struct schema_index *index,
                              const struct registry_query *query);
int registry_answer_id_subjects(struct bytes *out, const struct schema_index *index,
                                const struct registry_query *query);
int registry_answer_id_versions(struct bytes *out, const struct schema_index *index,
                                const struct registry_query *query);

#endif

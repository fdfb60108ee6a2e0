// Responses of Confluent's REST API, made from the index alone: each function appends the JSON body and
// returns the HTTP status.
#ifndef SCHEMAS_REGISTRY_REGISTRY_ANSWER_H
#define SCHEMAS_REGISTRY_REGISTRY_ANSWER_H

#include "schemas/registry/registry_query.h"
#include "schemas/registry/schema_index.h"

typedef int (*registry_answer)(struct bytes *out, const struct schema_index *index,
                               struct registry_query *query);

int registry_answer_error(struct bytes *out, enum registry_error code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The response to a change that is over. */
int registry_answer_change(struct bytes *out, const struct schema_change *change);

/** These are errors that several answers have. */
int registry_answer_no_subject(struct bytes *out, const char *subject);
int registry_answer_no_schema(struct bytes *out);

/** The version that the query names; on failure NULL, with the error appended and its HTTP status in
 * *ret_status. */
const struct schema_version *registry_answer_pick(struct bytes *out, const struct schema_index *index,
                                                  const struct registry_query *query, bool has_deleted,
                                                  int *ret_status);

/** Appends a version as clients know it. */
void registry_answer_append(struct bytes *out, const struct schema_index *index,
                            const struct registry_query *query, const char *subject,
                            const struct schema_version *v);

/** Appends `,"schemaType":…,"references":…,"metadata":…,"ruleSet":…,"schema":…` of those that it has. */
void registry_answer_append_schema(struct bytes *out, const struct schema_index *index,
                                   const struct registry_query *query, const char *subject,
                                   const struct schema_text *schema);

int registry_answer_subjects(struct bytes *out, const struct schema_index *index,
                             struct registry_query *query);
int registry_answer_versions(struct bytes *out, const struct schema_index *index,
                             struct registry_query *query);
int registry_answer_version(struct bytes *out, const struct schema_index *index,
                            struct registry_query *query);
int registry_answer_version_schema(struct bytes *out, const struct schema_index *index,
                                   struct registry_query *query);
int registry_answer_referenced_by(struct bytes *out, const struct schema_index *index,
                                  struct registry_query *query);
int registry_answer_metadata(struct bytes *out, const struct schema_index *index,
                             struct registry_query *query);
int registry_answer_schemas(struct bytes *out, const struct schema_index *index,
                            struct registry_query *query);
int registry_answer_contexts(struct bytes *out, const struct schema_index *index,
                             struct registry_query *query);

int registry_answer_id(struct bytes *out, const struct schema_index *index, struct registry_query *query);
int registry_answer_id_schema(struct bytes *out, const struct schema_index *index,
                              struct registry_query *query);
int registry_answer_id_subjects(struct bytes *out, const struct schema_index *index,
                                struct registry_query *query);
int registry_answer_id_versions(struct bytes *out, const struct schema_index *index,
                                struct registry_query *query);

int registry_answer_config(struct bytes *out, const struct schema_index *index, struct registry_query *query);
int registry_answer_mode(struct bytes *out, const struct schema_index *index, struct registry_query *query);

int registry_answer_find(struct bytes *out, const struct schema_index *index, struct registry_query *query);
int registry_answer_check(struct bytes *out, const struct schema_index *index, struct registry_query *query);
int registry_answer_check_version(struct bytes *out, const struct schema_index *index,
                                  struct registry_query *query);

#endif

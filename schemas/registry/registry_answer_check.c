// A schema that the client sends: which version it is, and whether it is compatible.
#include "core/base/memory.h"
#include "schemas/registry/registry_answer.h"
#include "schemas/registry/schema_check.h"
#include "schemas/registry/schema_names.h"
#include "schemas/registry/schema_plan.h"

// In another context, when the subject has none and its own has not got the schema.
static const struct schema_version *find_elsewhere(const struct schema_index *index,
                                                   struct registry_query *query,
                                                   const struct avro_parsed_schema *parsed,
                                                   const char *identity)
{
    const char *bare = schema_names_bare(query->subject);
    if (bare != query->subject) {
        return NULL;
    }
    for (const struct schema_context *c = index->contexts; c != NULL; c = c->hh.next) {
        char *subject = memory_format(":%s:%s", c->name, bare);
        free(query->change->subject);
        query->change->subject = subject;
        const struct schema_version *found =
            schema_plan_find(index, query->change, parsed, identity, query->has_deleted);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

int registry_answer_find(struct bytes *out, const struct schema_index *index, struct registry_query *query)
{
    struct schema_change *change = query->change;
    struct avro_parsed_schema *parsed = NULL;
    CLEANUP(memory_free_pointer) char *identity = NULL;
    if (!schema_plan_identify(index, change, &parsed, &identity)) {
        return registry_answer_change(out, change);
    }
    const struct schema_version *found =
        schema_plan_find(index, change, parsed, identity, query->has_deleted);
    if (found == NULL) {
        found = find_elsewhere(index, query, parsed, identity);
    }
    avro_parsed_free(parsed);
    if (found != NULL) {
        registry_answer_append(out, index, query, change->subject, found);
        return 200;
    }
    const struct schema_subject *subject = schema_index_subject(index, query->subject);
    return schema_index_version(subject, 0, query->has_deleted) != NULL
               ? registry_answer_no_schema(out)
               : registry_answer_no_subject(out, query->subject);
}

static int append_verdict(struct bytes *out, const struct registry_query *query, bool is_good,
                          const struct text_list *messages)
{
    bytes_format(out, "{\"is_compatible\":%s", is_good ? "true" : "false");
    if (query->is_verbose) {
        bytes_append_string(out, ",\"messages\":[");
        for (size_t i = 0; i < messages->count; i++) {
            bytes_append_string(out, i == 0 ? "" : ",");
            text_append_json(out, slice_of(messages->items[i]));
        }
        bytes_append_byte(out, ']');
    }
    bytes_append_byte(out, '}');
    return 200;
}

static int check(struct bytes *out, const struct schema_index *index, struct registry_query *query,
                 int32_t version)
{
    struct schema_change *change = query->change;
    struct avro_parsed_schema *parsed = NULL;
    CLEANUP(text_list_clear) struct text_list messages = {0};
    CLEANUP(memory_free_pointer) char *identity = NULL;
    bool is_good = schema_plan_identify(index, change, &parsed, &identity);
    if (!is_good && !query->is_verbose) {
        return registry_answer_change(out, change);
    }
    if (is_good) {
        const struct schema_candidate candidate = {parsed, change->metadata};
        is_good = schema_check_compatible(index, change->subject, &candidate, version, &messages);
        avro_parsed_free(parsed);
    } else {
        text_list_add(&messages, bytes_text(&change->answer));
    }
    return append_verdict(out, query, is_good, &messages);
}

int registry_answer_check(struct bytes *out, const struct schema_index *index, struct registry_query *query)
{
    return check(out, index, query, 0);
}

// Against the newest version of a subject that has none everything is compatible.
int registry_answer_check_version(struct bytes *out, const struct schema_index *index,
                                  struct registry_query *query)
{
    const struct schema_subject *subject = schema_index_subject(index, query->subject);
    int status = 200;
    const struct schema_version *found = NULL;
    int32_t number = registry_query_version(query->version);
    if (number != 0 || schema_index_version(subject, 0, false) != NULL) {
        found = number < 0 ? registry_answer_pick(out, index, query, false, &status)
                           : schema_index_version(subject, number, false);
        if (found == NULL && number > 0) {
            status = registry_answer_error(out, REGISTRY_ERROR_VERSION, "Version %d not found.", number);
        }
        if (found == NULL) {
            return status;
        }
    }
    return check(out, index, query, found != NULL ? found->version : 0);
}

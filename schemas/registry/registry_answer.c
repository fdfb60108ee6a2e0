// Subjects and their versions.
// Source: Confluent Schema Registry API reference; its error codes and messages.
#include "schemas/registry/registry_answer.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_parsed.h"
#include "schemas/registry/schema_names.h"
#include "schemas/registry/schema_references.h"

int registry_answer_error(struct bytes *out, enum registry_error code, const char *format, ...)
{
    CLEANUP(memory_free_pointer) char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&message, format, arguments);
    va_end(arguments);
    INVARIANT(size >= 0);
    bytes_reset(out);
    bytes_format(out, "{\"error_code\":%d,\"message\":", (int)code);
    text_append_json(out, slice_of(message));
    bytes_append_byte(out, '}');
    return (int)code >= 1000 ? (int)code / 100 : (int)code;
}

int registry_answer_change(struct bytes *out, const struct schema_change *change)
{
    if (change->error != REGISTRY_ERROR_NONE) {
        return registry_answer_error(out, change->error, "%.*s", (int)change->answer.size,
                                     (const char *)change->answer.data);
    }
    bytes_append_slice(out, bytes_slice(&change->answer));
    return change->kind == SCHEMA_CHANGE_DELETE_CONTEXT ? 204 : 200;
}

int registry_answer_no_subject(struct bytes *out, const char *subject)
{
    return registry_answer_error(out, REGISTRY_ERROR_SUBJECT, "Subject '%s' not found.", subject);
}

int registry_answer_no_schema(struct bytes *out)
{
    return registry_answer_error(out, REGISTRY_ERROR_SCHEMA, "Schema not found");
}

static bool has_any(const struct schema_subject *subject, bool has_deleted)
{
    return schema_index_version(subject, 0, has_deleted) != NULL;
}

static void append_comma(struct bytes *out)
{
    if (out->data[out->size - 1] != '[') {
        bytes_append_byte(out, ',');
    }
}

static int compare_subjects(const void *a, const void *b)
{
    const struct schema_subject *const *left = a;
    const struct schema_subject *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

// The subject's name begins with the prefix; behind ":*:" that is so in any context.
static bool has_prefix(const char *name, const char *prefix)
{
    size_t wild = strlen(SCHEMA_NAMES_WILDCARD);
    if (strncmp(prefix, SCHEMA_NAMES_WILDCARD, wild) == 0) {
        return strncmp(schema_names_bare(name), prefix + wild, strlen(prefix) - wild) == 0;
    }
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

// The subjects with the query's prefix, sorted; the caller frees the list.
static const struct schema_subject **list_subjects(const struct schema_index *index,
                                                   const struct registry_query *query, size_t *ret_count)
{
    const char *prefix = query->prefix != NULL ? query->prefix : SCHEMA_NAMES_WILDCARD;
    const struct schema_subject **list = memory_zeroed(HASH_COUNT(index->subjects) + 1, sizeof *list);
    size_t count = 0;
    for (const struct schema_subject *s = index->subjects; s != NULL; s = s->hh.next) {
        if (has_prefix(s->name, prefix)) {
            list[count++] = s;
        }
    }
    qsort(list, count, sizeof *list, compare_subjects);
    *ret_count = count;
    return list;
}

// Whether the next item is on the page; counts it.
static bool is_on_page(const struct registry_query *query, int64_t *io_number)
{
    int64_t number = (*io_number)++;
    return number >= query->offset && (query->limit < 0 || number - query->offset < query->limit);
}

int registry_answer_subjects(struct bytes *out, const struct schema_index *index,
                             struct registry_query *query)
{
    size_t count = 0;
    int64_t number = 0;
    CLEANUP(memory_free_pointer)
    const struct schema_subject **list = list_subjects(index, query, &count);
    bytes_append_byte(out, '[');
    for (size_t i = 0; i < count; i++) {
        bool is_alive = has_any(list[i], false);
        bool is_known = has_any(list[i], true);
        bool is_listed = query->has_only_deleted ? is_known && !is_alive
                         : query->has_deleted    ? is_known
                                                 : is_alive;
        if (is_listed && is_on_page(query, &number)) {
            append_comma(out);
            text_append_json(out, slice_of(list[i]->name));
        }
    }
    bytes_append_byte(out, ']');
    return 200;
}

int registry_answer_versions(struct bytes *out, const struct schema_index *index,
                             struct registry_query *query)
{
    const struct schema_subject *subject = schema_index_subject(index, query->subject);
    bool has_deleted = query->has_deleted || query->has_only_deleted || query->has_negative;
    int64_t number = 0;
    if (!has_any(subject, query->has_deleted || query->has_only_deleted)) {
        return registry_answer_no_subject(out, query->subject);
    }
    bytes_append_byte(out, '[');
    for (size_t i = 0; i < subject->count; i++) {
        const struct schema_version *v = &subject->versions[i];
        bool is_listed = query->has_negative       ? true
                         : query->has_only_deleted ? v->is_deleted
                                                   : has_deleted || !v->is_deleted;
        if (is_listed && is_on_page(query, &number)) {
            append_comma(out);
            bytes_format(out, "%d", query->has_negative && v->is_deleted ? -v->version : v->version);
        }
    }
    bytes_append_byte(out, ']');
    return 200;
}

static void append_part(struct bytes *out, const char *name, json_t *part)
{
    if (part != NULL) {
        bytes_format(out, ",\"%s\":", name);
        avro_parsed_write_json(out, part);
    }
}

void registry_answer_append_schema(struct bytes *out, const struct schema_index *index,
                                   const struct registry_query *query, const char *subject,
                                   const struct schema_text *schema)
{
    struct bytes resolved CLEANUP(bytes_clear) = {0};
    struct slice text = slice_of(schema->text);
    if (query->is_resolved && schema->type == NULL &&
        schema_references_resolve(index, subject, schema, &resolved)) {
        text = bytes_slice(&resolved);
    }
    bytes_append_string(out, ",\"schemaType\":");
    text_append_json(out, slice_of(schema->type != NULL ? schema->type : "AVRO"));
    append_part(out, "references", schema->references);
    append_part(out, "metadata", schema->metadata);
    append_part(out, "ruleSet", schema->rules);
    bytes_append_string(out, ",\"schema\":");
    text_append_json(out, text);
}

void registry_answer_append(struct bytes *out, const struct schema_index *index,
                            const struct registry_query *query, const char *subject,
                            const struct schema_version *v)
{
    bytes_append_string(out, "{\"subject\":");
    text_append_json(out, slice_of(subject));
    bytes_format(out, ",\"version\":%d,\"id\":%d", v->version, v->id);
    registry_answer_append_schema(out, index, query, subject, v->schema);
    bytes_append_string(out, v->is_deleted ? ",\"deleted\":true}" : "}");
}

const struct schema_version *registry_answer_pick(struct bytes *out, const struct schema_index *index,
                                                  const struct registry_query *query, bool has_deleted,
                                                  int *ret_status)
{
    const struct schema_subject *subject = schema_index_subject(index, query->subject);
    int32_t number = registry_query_version(query->version);
    if (number < 0) {
        *ret_status = registry_answer_error(
            out, REGISTRY_ERROR_INVALID_VERSION,
            "The specified version '%s' is not a valid version id. Allowed values are between [1, 2^31-1] "
            "and the string \"latest\"",
            query->version);
        return NULL;
    }
    const struct schema_version *found = schema_index_version(subject, number, has_deleted);
    if (found == NULL) {
        *ret_status = !has_any(subject, has_deleted)
                          ? registry_answer_no_subject(out, query->subject)
                          : registry_answer_error(out, REGISTRY_ERROR_VERSION, "Version %d not found.",
                                                  number == 0 ? -1 : number);
    }
    return found;
}

int registry_answer_version(struct bytes *out, const struct schema_index *index, struct registry_query *query)
{
    int status = 200;
    const struct schema_version *found = registry_answer_pick(out, index, query, query->has_deleted, &status);
    if (found != NULL) {
        registry_answer_append(out, index, query, query->subject, found);
    }
    return status;
}

int registry_answer_version_schema(struct bytes *out, const struct schema_index *index,
                                   struct registry_query *query)
{
    int status = 200;
    const struct schema_version *found = registry_answer_pick(out, index, query, query->has_deleted, &status);
    if (found != NULL &&
        (!query->is_resolved || !schema_references_resolve(index, query->subject, found->schema, out))) {
        bytes_append_string(out, found->schema->text);
    }
    return status;
}

static int compare_ids(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a;
    int32_t right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

// The ids of the schemas that refer to this version, each once, ascending; the caller frees the list.
static int32_t *list_users(const struct schema_index *index, const struct registry_query *query,
                           int32_t version, size_t *ret_count)
{
    int32_t *ids = NULL;
    size_t count = 0;
    for (const struct schema_subject *s = index->subjects; s != NULL; s = s->hh.next) {
        for (size_t i = 0; i < s->count; i++) {
            const struct schema_version *v = &s->versions[i];
            if ((query->has_deleted || !v->is_deleted) &&
                schema_references_has(s->name, v->schema->references, query->subject, version)) {
                ids = memory_resize(ids, (count + 1) * sizeof *ids);
                ids[count++] = v->id;
            }
        }
    }
    if (count > 0) {
        qsort(ids, count, sizeof *ids, compare_ids);
    }
    *ret_count = count;
    return ids;
}

int registry_answer_referenced_by(struct bytes *out, const struct schema_index *index,
                                  struct registry_query *query)
{
    int status = 200;
    size_t count = 0;
    int64_t number = 0;
    const struct schema_version *found = registry_answer_pick(out, index, query, true, &status);
    if (found == NULL) {
        return status;
    }
    CLEANUP(memory_free_pointer) int32_t *ids = list_users(index, query, found->version, &count);
    bytes_append_byte(out, '[');
    for (size_t i = 0; i < count; i++) {
        bool is_new = i == 0 || ids[i] != ids[i - 1];
        if (is_new && is_on_page(query, &number)) {
            append_comma(out);
            bytes_format(out, "%d", ids[i]);
        }
    }
    bytes_append_byte(out, ']');
    return 200;
}

int registry_answer_metadata(struct bytes *out, const struct schema_index *index,
                             struct registry_query *query)
{
    const struct schema_subject *subject = schema_index_subject(index, query->subject);
    for (size_t i = subject != NULL ? subject->count : 0; i > 0; i--) {
        const struct schema_version *v = &subject->versions[i - 1];
        const json_t *properties = json_object_get(v->schema->metadata, "properties");
        const char *value =
            query->key != NULL ? json_string_value(json_object_get(properties, query->key)) : NULL;
        bool is_match = query->key == NULL || (value != NULL && text_is_same(value, query->value));
        if (is_match && (query->has_deleted || !v->is_deleted)) {
            registry_answer_append(out, index, query, query->subject, v);
            return 200;
        }
    }
    return has_any(subject, query->has_deleted) ? registry_answer_no_schema(out)
                                                : registry_answer_no_subject(out, query->subject);
}

int registry_answer_schemas(struct bytes *out, const struct schema_index *index, struct registry_query *query)
{
    size_t count = 0;
    int64_t number = 0;
    CLEANUP(memory_free_pointer)
    const struct schema_subject **list = list_subjects(index, query, &count);
    bytes_append_byte(out, '[');
    for (size_t i = 0; i < count; i++) {
        const struct schema_version *newest = schema_index_version(list[i], 0, query->has_deleted);
        for (size_t j = 0; j < list[i]->count; j++) {
            const struct schema_version *v = &list[i]->versions[j];
            bool is_listed = query->has_latest_only ? v == newest : query->has_deleted || !v->is_deleted;
            if (is_listed && is_on_page(query, &number)) {
                append_comma(out);
                registry_answer_append(out, index, query, list[i]->name, v);
            }
        }
    }
    bytes_append_byte(out, ']');
    return 200;
}

static bool has_context_prefix(const struct registry_query *query, const char *name)
{
    return query->context_prefix == NULL ||
           strncmp(name, query->context_prefix, strlen(query->context_prefix)) == 0;
}

int registry_answer_contexts(struct bytes *out, const struct schema_index *index,
                             struct registry_query *query)
{
    int64_t number = 0;
    bytes_append_byte(out, '[');
    if (has_context_prefix(query, SCHEMA_NAMES_DEFAULT) && is_on_page(query, &number)) {
        text_append_json(out, slice_of(SCHEMA_NAMES_DEFAULT));
    }
    for (const struct schema_context *c = index->contexts; c != NULL; c = c->hh.next) {
        bool is_listed = strcmp(c->name, SCHEMA_NAMES_DEFAULT) != 0 && has_context_prefix(query, c->name);
        if (is_listed && is_on_page(query, &number)) {
            append_comma(out);
            text_append_json(out, slice_of(c->name));
        }
    }
    bytes_append_byte(out, ']');
    return 200;
}

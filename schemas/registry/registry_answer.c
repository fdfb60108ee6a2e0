// Source: Confluent Schema Registry API reference; its error codes and messages.
#include "schemas/registry/registry_answer.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/memory.h"

int registry_answer_error(struct bytes *out, enum registry_error code, const char *format, ...)
{
    char message[600];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    bytes_format(out, "{\"error_code\":%d,\"message\":", (int)code);
    text_append_json(out, slice_of(message));
    bytes_append_byte(out, '}');
    return (int)code >= 1000 ? (int)code / 100 : (int)code;
}

int32_t registry_answer_number(const char *text)
{
    int64_t number = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || number > INT32_MAX) {
            return 0;
        }
        number = number * 10 + (*c - '0');
    }
    return number <= INT32_MAX ? (int32_t)number : 0;
}

static bool is_alive(const struct schema_subject *subject)
{
    return schema_index_version(subject, 0) != NULL;
}

static void append_comma(struct bytes *out)
{
    if (out->data[out->size - 1] != '[') {
        bytes_append_byte(out, ',');
    }
}

static int subject_error(struct bytes *out, const char *subject)
{
    return registry_answer_error(out, REGISTRY_ERROR_SUBJECT, "Subject '%s' not found.", subject);
}

static int id_error(struct bytes *out, const char *id)
{
    return registry_answer_error(out, REGISTRY_ERROR_SCHEMA, "Schema %s not found", id);
}

int registry_answer_subjects(struct bytes *out, const struct schema_index *index,
                             const struct registry_query *query)
{
    size_t size = strlen(query->prefix);
    bytes_append_byte(out, '[');
    for (const struct schema_subject *s = index->subjects; s != NULL; s = s->hh.next) {
        if (is_alive(s) && strncmp(s->name, query->prefix, size) == 0) {
            append_comma(out);
            text_append_json(out, slice_of(s->name));
        }
    }
    bytes_append_byte(out, ']');
    return 200;
}

int registry_answer_versions(struct bytes *out, const struct schema_index *index,
                             const struct registry_query *query)
{
    const struct schema_subject *subject = schema_index_subject(index, query->subject);
    if (!is_alive(subject)) {
        return subject_error(out, query->subject);
    }
    bytes_append_byte(out, '[');
    for (size_t i = 0; i < subject->count; i++) {
        if (!subject->versions[i].is_deleted) {
            append_comma(out);
            bytes_format(out, "%d", subject->versions[i].version);
        }
    }
    bytes_append_byte(out, ']');
    return 200;
}

static void append_version(struct bytes *out, const struct schema_index *index, const char *subject,
                           const struct schema_version *v)
{
    bytes_append_string(out, "{\"subject\":");
    text_append_json(out, slice_of(subject));
    bytes_format(out, ",\"version\":%d,\"id\":%d,\"schema\":", v->version, v->id);
    text_append_json(out, slice_of(schema_index_text(index, v->id)));
    bytes_append_byte(out, '}');
}

// The requested version; on failure NULL, with the error appended and its HTTP status in *ret_status.
static const struct schema_version *pick_version(struct bytes *out, const struct schema_index *index,
                                                 const struct registry_query *query, int *ret_status)
{
    const struct schema_subject *subject = schema_index_subject(index, query->subject);
    bool is_latest = strcmp(query->version, "latest") == 0 || strcmp(query->version, "-1") == 0;
    int32_t number = registry_answer_number(query->version);
    if (!is_latest && number == 0) {
        *ret_status =
            registry_answer_error(out, REGISTRY_ERROR_INVALID_VERSION,
                                  "The specified version '%s' is not a valid version id.", query->version);
        return NULL;
    }
    if (!is_alive(subject)) {
        *ret_status = subject_error(out, query->subject);
        return NULL;
    }
    const struct schema_version *found = schema_index_version(subject, is_latest ? 0 : number);
    if (found == NULL) {
        *ret_status =
            registry_answer_error(out, REGISTRY_ERROR_VERSION, "Version %s not found.", query->version);
    }
    return found;
}

int registry_answer_version(struct bytes *out, const struct schema_index *index,
                            const struct registry_query *query)
{
    int status = 200;
    const struct schema_version *found = pick_version(out, index, query, &status);
    if (found != NULL) {
        append_version(out, index, query->subject, found);
    }
    return status;
}

int registry_answer_version_schema(struct bytes *out, const struct schema_index *index,
                                   const struct registry_query *query)
{
    int status = 200;
    const struct schema_version *found = pick_version(out, index, query, &status);
    if (found != NULL) {
        bytes_append_string(out, schema_index_text(index, found->id));
    }
    return status;
}

int registry_answer_find(struct bytes *out, const struct schema_index *index,
                         const struct registry_query *query)
{
    if (!is_alive(schema_index_subject(index, query->subject))) {
        return subject_error(out, query->subject);
    }
    const struct schema_version *found = schema_index_find(index, query->subject, query->text);
    if (found == NULL) {
        return registry_answer_error(out, REGISTRY_ERROR_SCHEMA, "Schema not found");
    }
    append_version(out, index, query->subject, found);
    return 200;
}

int registry_answer_id(struct bytes *out, const struct schema_index *index,
                       const struct registry_query *query)
{
    const char *text = schema_index_text(index, registry_answer_number(query->id));
    if (text == NULL) {
        return id_error(out, query->id);
    }
    bytes_append_string(out, "{\"schema\":");
    text_append_json(out, slice_of(text));
    bytes_append_byte(out, '}');
    return 200;
}

int registry_answer_id_schema(struct bytes *out, const struct schema_index *index,
                              const struct registry_query *query)
{
    const char *text = schema_index_text(index, registry_answer_number(query->id));
    if (text == NULL) {
        return id_error(out, query->id);
    }
    bytes_append_string(out, text);
    return 200;
}

static int append_id_uses(struct bytes *out, const struct schema_index *index,
                          const struct registry_query *query, bool has_versions)
{
    int32_t id = registry_answer_number(query->id);
    if (schema_index_text(index, id) == NULL) {
        return id_error(out, query->id);
    }
    bytes_append_byte(out, '[');
    for (const struct schema_subject *s = index->subjects; s != NULL; s = s->hh.next) {
        for (size_t i = 0; i < s->count; i++) {
            if (s->versions[i].id != id || s->versions[i].is_deleted) {
                continue;
            }
            append_comma(out);
            bytes_append_string(out, has_versions ? "{\"subject\":" : "");
            text_append_json(out, slice_of(s->name));
            if (!has_versions) {
                break;
            }
            bytes_format(out, ",\"version\":%d}", s->versions[i].version);
        }
    }
    bytes_append_byte(out, ']');
    return 200;
}

int registry_answer_id_subjects(struct bytes *out, const struct schema_index *index,
                                const struct registry_query *query)
{
    return append_id_uses(out, index, query, false);
}

int registry_answer_id_versions(struct bytes *out, const struct schema_index *index,
                                const struct registry_query *query)
{
    return append_id_uses(out, index, query, true);
}

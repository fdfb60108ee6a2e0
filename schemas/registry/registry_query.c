#include "schemas/registry/registry_query.h"

#include <strings.h>

#include "core/base/memory.h"
#include "schemas/registry/schema_identity.h"
#include "schemas/registry/schema_names.h"

enum {
    REGISTRY_QUERY_DEPTH_MAX = 64,
    REGISTRY_QUERY_REFERENCES_MAX = 1000,
};

int32_t registry_query_number(const char *text)
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

int32_t registry_query_version(const char *text)
{
    if (strcasecmp(text, "latest") == 0 || strcmp(text, "-1") == 0) {
        return 0;
    }
    int32_t number = registry_query_number(text);
    return number > 0 ? number : -2;
}

static bool get_flag(const struct admin_request *request, const char *name)
{
    const char *value = admin_request_query(request, name);
    return value != NULL && strcasecmp(value, "true") == 0;
}

static char *get_text(const struct admin_request *request, const char *name)
{
    const char *value = admin_request_query(request, name);
    return value != NULL ? memory_string(value) : NULL;
}

static int64_t get_number(const struct admin_request *request, const char *name, int64_t otherwise)
{
    const char *value = admin_request_query(request, name);
    int32_t number = value != NULL ? registry_query_number(value) : 0;
    bool is_zero = value != NULL && strcmp(value, "0") == 0;
    return number > 0 || is_zero ? number : otherwise;
}

void registry_query_read(struct registry_query *query, const struct admin_request *request)
{
    const char *format = admin_request_query(request, "format");
    const char *scope = admin_request_query(request, "subject");
    if (scope != NULL) {  // in the path's context, unless it names its own
        char *qualified = schema_names_qualify(query->scope != NULL ? query->scope : "", scope);
        free(query->scope);
        query->scope = qualified;
    }
    query->prefix = get_text(request, "subjectPrefix");
    if (query->prefix == NULL && scope == NULL && query->scope != NULL) {
        query->prefix = memory_string(query->scope);  // the subjects of the path's context
    }
    query->context_prefix = get_text(request, "contextPrefix");
    query->key = get_text(request, "key");
    query->value = get_text(request, "value");
    query->has_deleted = get_flag(request, "deleted");
    query->has_only_deleted = get_flag(request, "deletedOnly");
    query->has_negative = get_flag(request, "deletedAsNegative");
    query->has_latest_only = get_flag(request, "latestOnly");
    query->has_max_id = get_flag(request, "fetchMaxId");
    query->is_normal = get_flag(request, "normalize");
    query->is_verbose = get_flag(request, "verbose");
    query->is_resolved = format != NULL && strcmp(format, "resolved") == 0;
    query->is_in_scope = get_flag(request, "defaultToGlobal");
    query->offset = get_number(request, "offset", 0);
    query->limit = get_number(request, "limit", -1);
}

void registry_query_clear(struct registry_query *query)
{
    free(query->subject);
    free(query->version);
    free(query->id);
    free(query->scope);
    free(query->prefix);
    free(query->context_prefix);
    free(query->key);
    free(query->value);
    if (query->change != NULL) {
        schema_change_free(query->change);
    }
    *query = (struct registry_query){0};
}

static bool is_deep(json_t *json, int depth_left)
{
    size_t index = 0;
    const char *name = NULL;
    json_t *value = NULL;
    if (depth_left == 0) {
        return true;
    }
    json_array_foreach(json, index, value)
    {
        if (is_deep(value, depth_left - 1)) {
            return true;
        }
    }
    json_object_foreach(json, name, value)
    {
        if (is_deep(value, depth_left - 1)) {
            return true;
        }
    }
    return false;
}

// A part that is absent, null or empty is none. False: it has a wrong type.
static bool take_part(const json_t *json, const char *name, json_type type, json_t **ret)
{
    json_t *part = json_object_get(json, name);
    bool is_good = part == NULL || json_is_null(part) || json_typeof(part) == type;
    *ret = is_good && json_object_size(part) + json_array_size(part) > 0 ? json_incref(part) : NULL;
    return is_good;
}

// A number from `least` on; -1 is as none.
static bool take_number(const json_t *json, const char *name, int32_t least, int32_t *ret)
{
    const json_t *number = json_object_get(json, name);
    json_int_t value = json_integer_value(number);
    *ret = value > 0 && value <= INT32_MAX ? (int32_t)value : 0;
    return number == NULL || json_is_null(number) ||
           (json_is_integer(number) && (value == -1 || (value >= least && value <= INT32_MAX)));
}

// [{"name":…,"subject":…,"version":…}], with these members alone.
static json_t *read_references(json_t *list)
{
    json_t *references = json_array();
    size_t index = 0;
    json_t *item = NULL;
    json_array_foreach(list, index, item)
    {
        json_t *name = json_object_get(item, "name");
        json_t *subject = json_object_get(item, "subject");
        json_t *version = json_object_get(item, "version");
        if (!json_is_string(name) || !json_is_string(subject) || !json_is_integer(version)) {
            json_decref(references);
            return NULL;
        }
        (void)json_array_append_new(
            references, json_pack("{s:O,s:O,s:O}", "name", name, "subject", subject, "version", version));
    }
    return references;
}

static bool read_schema(struct schema_change *change, json_t *json)
{
    const char *text = json_string_value(json_object_get(json, "schema"));
    const char *type = json_string_value(json_object_get(json, "schemaType"));
    json_t *references CLEANUP(json_decrefp) = NULL;
    if (text == NULL || text[strspn(text, " \t\r\n")] == '\0') {
        schema_change_refuse(change, REGISTRY_ERROR_INVALID_SCHEMA, "Empty schema");
        return false;
    }
    if (!take_part(json, "references", JSON_ARRAY, &references) ||
        !take_part(json, "metadata", JSON_OBJECT, &change->metadata) ||
        !take_part(json, "ruleSet", JSON_OBJECT, &change->rules) ||
        !take_number(json, "version", 0, &change->version) || !take_number(json, "id", 1, &change->id)) {
        schema_change_refuse(
            change, REGISTRY_ERROR_FIELD,
            "references, metadata, ruleSet, version or id has a wrong type; an id is from 1 to %d",
            INT32_MAX);
        return false;
    }
    if (json_array_size(references) > REGISTRY_QUERY_REFERENCES_MAX) {
        schema_change_refuse(change, REGISTRY_ERROR_INVALID_SCHEMA, "more than %d references",
                             REGISTRY_QUERY_REFERENCES_MAX);
        return false;
    }
    change->references = references != NULL ? read_references(references) : NULL;
    if (references != NULL && change->references == NULL) {
        schema_change_refuse(change, REGISTRY_ERROR_INVALID_SCHEMA,
                             "a reference needs name, subject and version");
        return false;
    }
    struct bytes minified CLEANUP(bytes_clear) = {0};
    schema_identity_minify(&minified, slice_of(text));
    change->text = memory_string(bytes_text(&minified));
    change->type = type != NULL && strcasecmp(type, "AVRO") != 0 ? memory_string(type) : NULL;
    return true;
}

bool registry_query_read_change(struct registry_query *query, const struct admin_request *request,
                                enum schema_change_kind kind, bool has_schema, struct schema_change **ret)
{
    struct schema_change *change = memory_zeroed(1, sizeof *change);
    json_error_t error = {0};
    json_t *json CLEANUP(json_decrefp) =
        request->body.size > 0 ? json_loadb((const char *)request->body.data, request->body.size, 0, &error)
                               : NULL;
    bool has_body = has_schema || kind == SCHEMA_CHANGE_SET_CONFIG || kind == SCHEMA_CHANGE_SET_MODE;
    *ret = change;
    change->kind = kind;
    change->subject = memory_string(query->subject);
    change->is_normal = query->is_normal;
    change->is_permanent = get_flag(request, "permanent");
    change->is_forced = get_flag(request, "force");
    change->is_recursive = get_flag(request, "recursive");
    if (has_body && !json_is_object(json)) {
        schema_change_refuse(change, REGISTRY_ERROR_BODY, "the body is not a JSON object: %s", error.text);
        return false;
    }
    if (has_body && is_deep(json, REGISTRY_QUERY_DEPTH_MAX)) {
        schema_change_refuse(change, REGISTRY_ERROR_BODY, "the body is nested deeper than %d",
                             REGISTRY_QUERY_DEPTH_MAX);
        return false;
    }
    if (kind == SCHEMA_CHANGE_DELETE_VERSION) {
        change->version = registry_query_version(query->version);
    }
    change->setting = has_body ? json_incref(json) : NULL;
    return !has_schema || read_schema(change, json);
}

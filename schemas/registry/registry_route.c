#include "schemas/registry/registry_route.h"

#include "core/base/memory.h"
#include "schemas/registry/schema_names.h"

#define READ(pattern, answer)                                                                                \
    {                                                                                                        \
        "GET", pattern, REGISTRY_WAIT_FRESH, answer, 0, REGISTRY_PART_SUBJECT, false, NULL                   \
    }
#define READ_ID(pattern, wait, answer)                                                                       \
    {                                                                                                        \
        "GET", pattern, wait, answer, 0, REGISTRY_PART_ID, false, NULL                                       \
    }
#define POST(pattern, answer)                                                                                \
    {                                                                                                        \
        "POST", pattern, REGISTRY_WAIT_FRESH, answer, 0, REGISTRY_PART_SUBJECT, true, NULL                   \
    }
#define CHANGE(method, pattern, kind)                                                                        \
    {                                                                                                        \
        method, pattern, REGISTRY_WAIT_CHANGE, NULL, kind, REGISTRY_PART_SUBJECT,                            \
            (kind) == SCHEMA_CHANGE_REGISTER, NULL                                                           \
    }
#define DELETE_CONTEXT(pattern)                                                                              \
    {                                                                                                        \
        "DELETE", pattern, REGISTRY_WAIT_CHANGE, NULL, SCHEMA_CHANGE_DELETE_CONTEXT, REGISTRY_PART_CONTEXT,  \
            false, NULL                                                                                      \
    }
#define FIXED(pattern, text)                                                                                 \
    {                                                                                                        \
        "GET", pattern, REGISTRY_WAIT_NOTHING, NULL, 0, REGISTRY_PART_SUBJECT, false, text                   \
    }

static const struct registry_route ROUTES[] = {
    FIXED("", "{}"),
    FIXED("/schemas/types", "[\"AVRO\"]"),
    FIXED("/v1/metadata/id", "{\"scope\":{\"path\":[],\"clusters\":{}},\"id\":\"millrace\"}"),
    FIXED("/v1/metadata/version", "{\"version\":\"" MILLRACE_VERSION "\",\"commitId\":\"millrace\"}"),
    READ("/contexts", registry_answer_contexts),
    DELETE_CONTEXT("/contexts/*"),
    READ("/subjects", registry_answer_subjects),
    READ("/subjects/*/versions", registry_answer_versions),
    READ("/subjects/*/versions/*/schema", registry_answer_version_schema),
    READ("/subjects/*/versions/*/referencedby", registry_answer_referenced_by),
    READ("/subjects/*/versions/*", registry_answer_version),
    READ("/subjects/*/metadata", registry_answer_metadata),
    CHANGE("POST", "/subjects/*/versions", SCHEMA_CHANGE_REGISTER),
    CHANGE("DELETE", "/subjects/*/versions/*", SCHEMA_CHANGE_DELETE_VERSION),
    CHANGE("DELETE", "/subjects/*", SCHEMA_CHANGE_DELETE_SUBJECT),
    POST("/subjects/*", registry_answer_find),
    READ("/schemas", registry_answer_schemas),
    READ_ID("/schemas/ids/*/schema", REGISTRY_WAIT_ID, registry_answer_id_schema),
    READ_ID("/schemas/ids/*/subjects", REGISTRY_WAIT_FRESH, registry_answer_id_subjects),
    READ_ID("/schemas/ids/*/versions", REGISTRY_WAIT_FRESH, registry_answer_id_versions),
    READ_ID("/schemas/ids/*", REGISTRY_WAIT_ID, registry_answer_id),
    READ("/config", registry_answer_config),
    READ("/config/*", registry_answer_config),
    CHANGE("PUT", "/config", SCHEMA_CHANGE_SET_CONFIG),
    CHANGE("PUT", "/config/*", SCHEMA_CHANGE_SET_CONFIG),
    CHANGE("DELETE", "/config", SCHEMA_CHANGE_DELETE_CONFIG),
    CHANGE("DELETE", "/config/*", SCHEMA_CHANGE_DELETE_CONFIG),
    READ("/mode", registry_answer_mode),
    READ("/mode/*", registry_answer_mode),
    CHANGE("PUT", "/mode", SCHEMA_CHANGE_SET_MODE),
    CHANGE("PUT", "/mode/*", SCHEMA_CHANGE_SET_MODE),
    CHANGE("DELETE", "/mode", SCHEMA_CHANGE_DELETE_MODE),
    CHANGE("DELETE", "/mode/*", SCHEMA_CHANGE_DELETE_MODE),
    POST("/compatibility/subjects/*/versions/*", registry_answer_check_version),
    POST("/compatibility/subjects/*/versions", registry_answer_check),
};

static bool ends_with(struct slice text, const char *end)
{
    size_t size = strlen(end);
    return text.size > size && memcmp(text.data + text.size - size, end, size) == 0;
}

// Splits `text` at the last `middle` in it.
static bool split(struct slice text, struct slice middle, struct slice *ret_before, struct slice *ret_after)
{
    for (size_t at = text.size; at-- > 1;) {
        if (text.size - at > middle.size && memcmp(text.data + at, middle.data, middle.size) == 0) {
            *ret_before = slice_make(text.data, at);
            *ret_after = slice_make(text.data + at + middle.size, text.size - at - middle.size);
            return memchr(ret_after->data, '/', ret_after->size) == NULL;
        }
    }
    return false;
}

// Subjects may contain any character, also '/', so a pattern is matched from both ends.
static bool match(const char *pattern, const char *path, struct slice *ret_first, struct slice *ret_second)
{
    const char *star = strchr(pattern, '*');
    if (star == NULL) {
        return strcmp(pattern, path) == 0;
    }
    size_t head = (size_t)(star - pattern);
    if (strncmp(pattern, path, head) != 0) {
        return false;
    }
    struct slice rest = slice_of(path + head);
    const char *last = strrchr(pattern, '*');
    if (last[1] != '\0' && !ends_with(rest, last + 1)) {
        return false;
    }
    rest.size -= strlen(last + 1);
    if (last == star) {
        *ret_first = rest;
        return rest.size > 0;
    }
    return split(rest, slice_make(star + 1, (size_t)(last - star - 1)), ret_first, ret_second);
}

// As a subject; `name` is ".c", "c" or ":.c:".
static char *context_subject(const char *name)
{
    CLEANUP(memory_free_pointer)
    char *full =
        name[0] == ':' ? memory_string(name) : memory_format(":%s%s", name[0] == '.' ? "" : ".", name);
    return schema_names_context_subject(full);
}

// The path behind /contexts/CONTEXT, and CONTEXT as a subject; the path itself, and "", when it has none.
static const char *take_context(const char *path, char **ret_context)
{
    static const char PREFIX[] = "/contexts/";
    const char *name = path + sizeof(PREFIX) - 1;
    const char *end = strncmp(path, PREFIX, sizeof(PREFIX) - 1) == 0 ? strchr(name, '/') : NULL;
    if (end == NULL) {
        *ret_context = memory_string("");
        return path;
    }
    CLEANUP(memory_free_pointer) char *text = slice_to_string(slice_make(name, (size_t)(end - name)));
    *ret_context = context_subject(text);
    return end;
}

static void fill_query(struct registry_query *query, const struct registry_route *route, const char *context,
                       struct slice first, struct slice second)
{
    CLEANUP(memory_free_pointer) char *part = slice_to_string(first);
    bool is_id = route->part == REGISTRY_PART_ID;
    query->id = memory_string(is_id ? part : "");
    query->version = slice_to_string(second);
    CLEANUP(memory_free_pointer)
    char *subject = route->part == REGISTRY_PART_CONTEXT ? context_subject(part)
                    : is_id || first.size == 0           ? memory_string(context)
                                                         : schema_names_qualify(context, part);
    query->subject = schema_names_normal(subject);
    query->scope = context[0] != '\0' ? memory_string(context) : NULL;
}

const struct registry_route *registry_route_find(const char *method, const char *path,
                                                 struct registry_query *query, bool *ret_is_known)
{
    CLEANUP(memory_free_pointer) char *context = NULL;
    // "/config/" is "/config": Kafka UI asks for it.
    size_t size = strlen(path);
    CLEANUP(memory_free_pointer)
    char *whole = slice_to_string(slice_make(path, size > 0 && path[size - 1] == '/' ? size - 1 : size));
    const char *rest = take_context(whole, &context);
    *ret_is_known = false;
    for (size_t i = 0; i < COUNT_OF(ROUTES); i++) {
        struct slice first = {NULL, 0};
        struct slice second = {NULL, 0};
        if (!match(ROUTES[i].pattern, rest, &first, &second)) {
            continue;
        }
        *ret_is_known = true;
        if (strcmp(ROUTES[i].method, method) == 0) {
            fill_query(query, &ROUTES[i], context, first, second);
            return &ROUTES[i];
        }
    }
    return NULL;
}

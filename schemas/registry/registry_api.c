// A request is matched against the routes, waits until the index is fresh enough, and is served from the
// index. The compatibility level is always NONE: PostgreSQL decides how a table changes.
#include "schemas/registry/registry_api.h"

#include <jansson.h>
#include <utlist.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_type.h"
#include "schemas/registry/registry_answer.h"

#define REGISTRY_API_TYPE "application/vnd.schemaregistry.v1+json"

enum registry_api_wait {
    REGISTRY_API_NOW,       // responds with `fixed`
    REGISTRY_API_FRESH,     // after reading the topic to its end
    REGISTRY_API_ID,        // at once if the id is known, else after reading
    REGISTRY_API_REGISTER,  // after writing
};

struct registry_api_route {
    const char *method;
    const char *pattern;  // the first '*' matches one or more characters, the second one a single segment
    registry_answer answer;
    const char *fixed;
    enum registry_api_wait wait;
    bool is_id;     // the variable part is a schema id, not a subject
    bool has_body;  // {"schema":"…"}
};

static const struct registry_api_route REGISTRY_API_ROUTES[] = {
    {"GET", "", NULL, "{}", REGISTRY_API_NOW, false, false},
    {"GET", "/", NULL, "{}", REGISTRY_API_NOW, false, false},
    {"GET", "/subjects", registry_answer_subjects, NULL, REGISTRY_API_FRESH, false, false},
    {"GET", "/subjects/*/versions", registry_answer_versions, NULL, REGISTRY_API_FRESH, false, false},
    {"GET", "/subjects/*/versions/*/schema", registry_answer_version_schema, NULL, REGISTRY_API_FRESH, false,
     false},
    {"GET", "/subjects/*/versions/*", registry_answer_version, NULL, REGISTRY_API_FRESH, false, false},
    {"POST", "/subjects/*/versions", NULL, NULL, REGISTRY_API_REGISTER, false, true},
    {"POST", "/subjects/*", registry_answer_find, NULL, REGISTRY_API_FRESH, false, true},
    {"GET", "/schemas/types", NULL, "[\"AVRO\"]", REGISTRY_API_NOW, false, false},
    {"GET", "/schemas/ids/*/schema", registry_answer_id_schema, NULL, REGISTRY_API_ID, true, false},
    {"GET", "/schemas/ids/*/subjects", registry_answer_id_subjects, NULL, REGISTRY_API_FRESH, true, false},
    {"GET", "/schemas/ids/*/versions", registry_answer_id_versions, NULL, REGISTRY_API_FRESH, true, false},
    {"GET", "/schemas/ids/*", registry_answer_id, NULL, REGISTRY_API_ID, true, false},
    {"GET", "/config", NULL, "{\"compatibilityLevel\":\"NONE\"}", REGISTRY_API_NOW, false, false},
    {"GET", "/config/*", NULL, "{\"compatibilityLevel\":\"NONE\"}", REGISTRY_API_NOW, false, false},
    {"PUT", "/config", NULL, "{\"compatibility\":\"NONE\"}", REGISTRY_API_NOW, false, false},
    {"PUT", "/config/*", NULL, "{\"compatibility\":\"NONE\"}", REGISTRY_API_NOW, false, false},
    {"GET", "/mode", NULL, "{\"mode\":\"READWRITE\"}", REGISTRY_API_NOW, false, false},
    {"GET", "/mode/*", NULL, "{\"mode\":\"READWRITE\"}", REGISTRY_API_NOW, false, false},
    {"POST", "/compatibility/subjects/*", NULL, "{\"is_compatible\":true}", REGISTRY_API_NOW, false, false},
};

// A request that waits for the store.
struct registry_api_call {
    struct registry_api *api;
    struct admin_reply *reply;
    const struct registry_api_route *route;
    char *subject;
    char *version;
    char *id;
    char *prefix;
    char *text;
    struct registry_api_call *prev;
    struct registry_api_call *next;
};

struct registry_api {
    struct schema_store *store;
    struct registry_api_call *calls;
};

static void decref(json_t **json)
{
    json_decref(*json);
}

static void free_call(struct registry_api_call *call)
{
    DL_DELETE(call->api->calls, call);
    free(call->subject);
    free(call->version);
    free(call->id);
    free(call->prefix);
    free(call->text);
    free(call);
}

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
    if (!ends_with(rest, last + 1)) {
        return false;
    }
    rest.size -= strlen(last + 1);
    if (last == star) {
        *ret_first = rest;
        return true;
    }
    return split(rest, slice_make(star + 1, (size_t)(last - star - 1)), ret_first, ret_second);
}

static void respond(struct admin_reply *reply, int status, const struct bytes *body)
{
    admin_answer(reply, status, REGISTRY_API_TYPE, bytes_slice(body));
}

static int append_fault(struct bytes *out, const struct fault *f)
{
    bool is_timeout = f->kind == FAULT_RETRY;
    return registry_answer_error(out, is_timeout ? REGISTRY_ERROR_TIMEOUT : REGISTRY_ERROR_STORE, "%s",
                                 f->text);
}

static void finish_call(struct registry_api_call *call, const struct fault *f)
{
    struct bytes body CLEANUP(bytes_clear) = {0};
    const struct registry_query query = {
        .subject = call->subject,
        .version = call->version,
        .id = call->id,
        .prefix = call->prefix,
        .text = call->text,
    };
    int status = f != NULL ? append_fault(&body, f)
                           : call->route->answer(&body, schema_store_index(call->api->store), &query);
    respond(call->reply, status, &body);
    free_call(call);
}

static void on_fresh(void *self, const struct fault *f)
{
    finish_call(self, f);
}

static void on_schema(void *self, struct slice text, const struct fault *f)
{
    (void)text;
    finish_call(self,
                f != NULL && f->kind == FAULT_REJECT ? NULL : f);  // the response says that it is unknown
}

static void on_id(void *self, int32_t id, const struct fault *f)
{
    struct registry_api_call *call = self;
    struct bytes body CLEANUP(bytes_clear) = {0};
    int status = 200;
    if (f != NULL) {
        status = append_fault(&body, f);
    } else {
        bytes_format(&body, "{\"id\":%d}", id);
    }
    respond(call->reply, status, &body);
    free_call(call);
}

// Reads and minifies the body's schema; returns 0, or an HTTP status with the error appended.
static int read_schema(struct registry_api_call *call, struct slice text, struct bytes *out)
{
    json_t *json CLEANUP(decref) = json_loadb((const char *)text.data, text.size, 0, NULL);
    const char *schema = json_string_value(json_object_get(json, "schema"));
    const char *type = json_string_value(json_object_get(json, "schemaType"));
    if (schema == NULL) {
        return registry_answer_error(out, REGISTRY_ERROR_INVALID_SCHEMA, "the body has no \"schema\"");
    }
    if (type != NULL && strcmp(type, "AVRO") != 0) {
        return registry_answer_error(out, REGISTRY_ERROR_INVALID_SCHEMA, "Invalid schema type %s: only AVRO",
                                     type);
    }
    if (json_array_size(json_object_get(json, "references")) > 0) {
        return registry_answer_error(out, REGISTRY_ERROR_INVALID_SCHEMA,
                                     "schema references are not supported");
    }
    struct fault f;
    struct avro_type *parsed = NULL;
    if (!avro_type_parse(slice_of(schema), &parsed, &f)) {
        return registry_answer_error(out, REGISTRY_ERROR_INVALID_SCHEMA, "Invalid schema: %s", f.text);
    }
    avro_type_free(parsed);
    struct bytes minified CLEANUP(bytes_clear) = {0};
    schema_index_minify(&minified, slice_of(schema));
    call->text = memory_string(bytes_text(&minified));
    return 0;
}

static void start_call(struct registry_api_call *call)
{
    struct schema_store *store = call->api->store;
    switch (call->route->wait) {
    case REGISTRY_API_NOW:
    case REGISTRY_API_FRESH:
        schema_store_refresh(store, on_fresh, call);
        return;
    case REGISTRY_API_ID:
        schema_store_lookup(store, registry_answer_number(call->id), on_schema, call);
        return;
    case REGISTRY_API_REGISTER:
        schema_store_register(store, call->subject, call->text, on_id, call);
        return;
    }
}

static int set_config(const struct admin_request *request, struct bytes *out)
{
    json_t *json CLEANUP(decref) = json_loadb((const char *)request->body.data, request->body.size, 0, NULL);
    const char *level = json_string_value(json_object_get(json, "compatibility"));
    if (level != NULL && strcmp(level, "NONE") != 0) {
        return registry_answer_error(out, REGISTRY_ERROR_COMPATIBILITY,
                                     "this registry supports compatibility NONE only");
    }
    return 0;
}

static void respond_now(const struct registry_api_route *route, const struct admin_request *request)
{
    struct bytes body CLEANUP(bytes_clear) = {0};
    int status = strcmp(route->method, "PUT") == 0 ? set_config(request, &body) : 0;
    if (status == 0) {
        bytes_append_string(&body, route->fixed);
        status = 200;
    }
    respond(request->reply, status, &body);
}

static void dispatch(struct registry_api *api, const struct registry_api_route *route,
                     const struct admin_request *request, struct slice first, struct slice second)
{
    if (route->wait == REGISTRY_API_NOW) {
        respond_now(route, request);
        return;
    }
    const char *prefix = admin_request_query(request, "subjectPrefix");
    struct registry_api_call *call = memory_zeroed(1, sizeof *call);
    call->api = api;
    call->reply = request->reply;
    call->route = route;
    call->subject = slice_to_string(route->is_id ? (struct slice){NULL, 0} : first);
    call->id = slice_to_string(route->is_id ? first : (struct slice){NULL, 0});
    call->version = slice_to_string(second);
    call->prefix = memory_string(prefix != NULL ? prefix : "");
    DL_APPEND(api->calls, call);
    struct bytes body CLEANUP(bytes_clear) = {0};
    int status = route->has_body ? read_schema(call, request->body, &body) : 0;
    if (status != 0) {
        respond(call->reply, status, &body);
        free_call(call);
        return;
    }
    start_call(call);
}

static void on_request(void *self, const struct admin_request *request)
{
    bool is_path_known = false;
    for (size_t i = 0; i < COUNT_OF(REGISTRY_API_ROUTES); i++) {
        const struct registry_api_route *route = &REGISTRY_API_ROUTES[i];
        struct slice first = {NULL, 0};
        struct slice second = {NULL, 0};
        if (!match(route->pattern, request->path, &first, &second)) {
            continue;
        }
        is_path_known = true;
        if (strcmp(route->method, request->method) == 0) {
            dispatch(self, route, request, first, second);
            return;
        }
    }
    struct bytes body CLEANUP(bytes_clear) = {0};
    int status = is_path_known
                     ? registry_answer_error(&body, REGISTRY_ERROR_METHOD, "HTTP 405 Method Not Allowed")
                     : registry_answer_error(&body, REGISTRY_ERROR_NOT_FOUND, "HTTP 404 Not Found");
    respond(request->reply, status, &body);
}

struct registry_api *registry_api_new(struct schema_store *store, struct admin *admin, const char *prefix)
{
    struct registry_api *api = memory_zeroed(1, sizeof *api);
    api->store = store;
    admin_route_writable(admin, prefix, on_request, api);
    return api;
}

void registry_api_free(struct registry_api *api)
{
    struct registry_api_call *call = NULL;
    struct registry_api_call *next = NULL;
    DL_FOREACH_SAFE (api != NULL ? api->calls : NULL, call, next) {
        free_call(call);
    }
    free(api);
}

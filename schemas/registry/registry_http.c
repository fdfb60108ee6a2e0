// Client of an external registry with Confluent's REST API:
//
//   POST /subjects/S/versions {"schema":"…"}  ->  {"id":N}      register or find
//   GET  /schemas/ids/N                       ->  {"schema":"…"}; 404 with error_code 40403: no such id
//
// Source: Confluent Schema Registry API reference.
#include <jansson.h>
#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/http/http_head.h"
#include "schemas/registry/registry_kind.h"

enum {
    REGISTRY_HTTP_CONNECTIONS = 4,
    REGISTRY_HTTP_ANSWER_MAX = 16 * 1024 * 1024,
    REGISTRY_HTTP_UNKNOWN_ID = 40403,
};
#define REGISTRY_HTTP_TIMEOUT_US (15 * CLOCK_US_PER_S)

struct registry_http {
    struct registry registry;
    struct http_client *client;
    char *url;  // without '/' at the end
    char *username;
    char *password;
    bool is_outage_logged;
    struct registry_http_request *requests;  // in progress
};

struct registry_http_request {
    struct registry_http *owner;
    struct http_call *call;
    char *url;
    struct http_head *head;
    struct bytes body;
    registry_on_id on_id;          // registers
    registry_on_schema on_schema;  // looks up
    void *self;
    struct registry_http_request *prev;
    struct registry_http_request *next;
};

static void decref(json_t **json)
{
    json_decref(*json);
}

static void free_request(struct registry_http_request *request)
{
    DL_DELETE(request->owner->requests, request);
    free(request->url);
    http_head_free(request->head);
    bytes_clear(&request->body);
    free(request);
}

// Logs once that the registry does not respond, and once that it does again.
static void log_outage(struct registry_http *r, const struct fault *f)
{
    bool is_trouble = f->kind == FAULT_RETRY;
    if (is_trouble == r->is_outage_logged) {
        return;
    }
    r->is_outage_logged = is_trouble;
    if (is_trouble) {
        log_warn("registry", "registry_waiting", LOG_WITH(LOG_TEXT("url", r->url)), "%s", f->text);
    } else {
        log_info("registry", "registry_reachable", LOG_WITH(LOG_TEXT("url", r->url)),
                 "the registry responds again");
    }
}

// Fills the fault for a response that is not 2xx.
static bool fill_fault(const struct registry_http_request *request, int status, const json_t *json,
                       struct fault *f)
{
    const char *message = json_string_value(json_object_get(json, "message"));
    json_int_t code = json_integer_value(json_object_get(json, "error_code"));
    enum fault_kind kind = FAULT_CONFIG;
    if (status == 404 && code == REGISTRY_HTTP_UNKNOWN_ID && request->on_schema != NULL) {
        kind = FAULT_REJECT;
    } else if (status == 408 || status == 429 || status >= 500) {
        kind = FAULT_RETRY;
    }
    return fault_from(f, kind, "registry", (int)code, "registry: %s: HTTP %d: %.250s", request->url, status,
                      message != NULL ? message : "no message");
}

static bool check_response(const struct registry_http_request *request, const struct http_response *response,
                           const json_t *json, struct fault *f)
{
    if (response->transport.kind != FAULT_NONE) {
        *f = response->transport;
        f->kind = FAULT_RETRY;
        return fault_context(f, "registry: %s", request->url);
    }
    if (response->status < 200 || response->status > 299) {
        return fill_fault(request, response->status, json, f);
    }
    const json_t *id = json_object_get(json, "id");
    bool is_id = json_is_integer(id) && json_integer_value(id) >= 0 && json_integer_value(id) <= INT32_MAX;
    if (request->on_id != NULL ? !is_id : !json_is_string(json_object_get(json, "schema"))) {
        return fault_set(f, FAULT_RETRY, "registry: %s: the response is not a schema registry's",
                         request->url);
    }
    return true;
}

static void on_done(void *self, const struct http_response *response)
{
    struct registry_http_request *request = self;
    struct fault f = {0};
    json_t *json CLEANUP(decref) =
        json_loadb((const char *)response->body.data, response->body.size, 0, NULL);
    bool is_good = check_response(request, response, json, &f);
    log_outage(request->owner, &f);
    registry_on_id on_id = request->on_id;
    registry_on_schema on_schema = request->on_schema;
    void *caller = request->self;
    free_request(request);  // before the callback, which may close the registry
    if (on_id != NULL) {
        int32_t id = is_good ? (int32_t)json_integer_value(json_object_get(json, "id")) : 0;
        on_id(caller, id, is_good ? NULL : &f);
    } else {
        const json_t *schema = json_object_get(json, "schema");
        on_schema(caller,
                  is_good ? slice_make(json_string_value(schema), json_string_length(schema))
                          : (struct slice){NULL, 0},
                  is_good ? NULL : &f);
    }
}

static struct registry_http_request *new_request(struct registry_http *r, void *self)
{
    struct registry_http_request *request = memory_zeroed(1, sizeof *request);
    request->owner = r;
    request->self = self;
    DL_APPEND(r->requests, request);
    return request;
}

static bool make_head(const struct registry_http *r, const char *method, const char *url,
                      struct http_head **ret, struct fault *f)
{
    static const struct http_header HEADERS[] = {
        {"Content-Type", "application/vnd.schemaregistry.v1+json", false},
        {"Accept", "application/vnd.schemaregistry.v1+json", false},
    };
    const struct http_head_params params = {
        .method = method,
        .url = url,
        .headers = HEADERS,
        .header_count = COUNT_OF(HEADERS),
        .username = r->username,
        .password = r->password,
    };
    return http_head_new(&params, ret, f);
}

static void send_request(struct registry_http_request *request, const char *method)
{
    const struct registry_http *r = request->owner;
    struct fault f;
    INVARIANT(make_head(r, method, request->url, &request->head, &f));  // the URL begins with a checked one
    const struct http_request http = {
        .head = request->head,
        .body = bytes_slice(&request->body),
        .timeout_us = REGISTRY_HTTP_TIMEOUT_US,
        .response_max_bytes = REGISTRY_HTTP_ANSWER_MAX,
    };
    request->call = http_client_send(r->client, &http, on_done, request);
}

static void append_segment(struct bytes *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool is_letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (is_letter || strchr("-._~", *c) != NULL) {
            bytes_append_byte(out, (uint8_t)*c);
        } else {
            bytes_format(out, "%%%02X", (uint8_t)*c);
        }
    }
}

static void register_text(struct registry *registry, const char *subject, const char *text,
                          registry_on_id on_id, void *self)
{
    struct registry_http *r = CONTAINER_OF(registry, struct registry_http, registry);
    struct registry_http_request *request = new_request(r, self);
    struct bytes url CLEANUP(bytes_clear) = {0};
    bytes_format(&url, "%s/subjects/", r->url);
    append_segment(&url, subject);
    bytes_append_string(&url, "/versions");
    request->url = memory_string(bytes_text(&url));
    bytes_append_string(&request->body, "{\"schema\":");
    text_append_json(&request->body, slice_of(text));
    bytes_append_byte(&request->body, '}');
    request->on_id = on_id;
    send_request(request, "POST");
}

static void lookup_schema(struct registry *registry, int32_t id, registry_on_schema on_schema, void *self)
{
    struct registry_http *r = CONTAINER_OF(registry, struct registry_http, registry);
    struct registry_http_request *request = new_request(r, self);
    request->url = memory_format("%s/schemas/ids/%d", r->url, id);
    request->on_schema = on_schema;
    send_request(request, "GET");
}

static void cancel_requests(struct registry *registry, const void *self)
{
    struct registry_http *r = CONTAINER_OF(registry, struct registry_http, registry);
    struct registry_http_request *request = NULL;
    struct registry_http_request *next = NULL;
    DL_FOREACH_SAFE (r->requests, request, next) {
        if (request->self == self) {
            http_call_cancel(request->call);
            free_request(request);
        }
    }
}

static void explain(void *self, const struct admin_request *request)
{
    const struct registry_http *r = self;
    struct bytes text CLEANUP(bytes_clear) = {0};
    bytes_append_string(&text, "{\"error_code\":404,\"message\":");
    char *message CLEANUP(memory_free_pointer) =
        memory_format("this is not a registry: millrace.yaml names the one at %s", r->url);
    text_append_json(&text, slice_of(message));
    bytes_append_byte(&text, '}');
    admin_answer(request->reply, 404, "application/vnd.schemaregistry.v1+json", bytes_slice(&text));
}

static void serve_explanation(struct registry *registry, struct admin *admin, const char *prefix)
{
    struct registry_http *r = CONTAINER_OF(registry, struct registry_http, registry);
    admin_route_writable(admin, prefix, explain, r);
}

static void close_registry(struct registry *registry)
{
    struct registry_http *r = CONTAINER_OF(registry, struct registry_http, registry);
    struct registry_http_request *request = NULL;
    struct registry_http_request *next = NULL;
    DL_FOREACH_SAFE (r->requests, request, next) {
        http_call_cancel(request->call);
        free_request(request);
    }
    http_client_free(r->client);
    free(r->url);
    free(r->username);
    free(r->password);
    free(r);
}

static const struct registry_type REGISTRY_HTTP_TYPE = {
    .kind = "http",
    .register_schema = register_text,
    .lookup = lookup_schema,
    .cancel = cancel_requests,
    .serve = serve_explanation,
    .close = close_registry,
};

bool registry_http_open(uv_loop_t *loop, const struct settings *settings, struct registry **ret,
                        struct fault *f)
{
    const char *url = settings->registry.url;
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        return fault_set(f, FAULT_CONFIG, "registry: url: %.100s is not http:// or https://", url);
    }
    struct registry_http *r = memory_zeroed(1, sizeof *r);
    size_t size = strlen(url);
    while (size > 0 && url[size - 1] == '/') {
        size--;
    }
    r->registry.type = &REGISTRY_HTTP_TYPE;
    r->url = slice_to_string(slice_make(url, size));
    if (settings->registry.username != NULL) {
        r->username = memory_string(settings->registry.username);
        r->password = memory_string(settings->registry.password != NULL ? settings->registry.password : "");
    }
    struct http_head *head = NULL;
    if (!make_head(r, "GET", r->url, &head, f)) {
        close_registry(&r->registry);
        return fault_context(f, "registry: url");
    }
    http_head_free(head);
    r->client =
        http_client_new(loop, &(struct http_client_params){.connections_max = REGISTRY_HTTP_CONNECTIONS});
    *ret = &r->registry;
    return true;
}

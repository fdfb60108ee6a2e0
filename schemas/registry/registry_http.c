// Client of an external registry with Confluent's REST API; registry_ask has what is asked, registry_reply
// what the responses mean.
//
// Each request goes to the address that responded last; while one does not respond the others are tried, each
// once. The caller repeats a request that failed on all of them. An address that responded with Retry-After
// is passed over until then: a request that would go to it fails at once with what it responded.
//
//   WAITING   for one of the connections
//   SENT
//   KNOWN     the result is known without a request, or why none is sent; the timer calls back
#include <jansson.h>
#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/http/http_head.h"
#include "core/http/http_tls.h"
#include "schemas/registry/registry_addresses.h"
#include "schemas/registry/registry_ask.h"
#include "schemas/registry/registry_kind.h"
#include "schemas/registry/registry_known.h"
#include "schemas/registry/registry_reply.h"

enum {
    REGISTRY_HTTP_CONNECTIONS = 4,
    REGISTRY_HTTP_ANSWER_MAX = 16 * 1024 * 1024,
};
#define REGISTRY_HTTP_TIMEOUT_US (15 * CLOCK_US_PER_S)

enum request_state { REQUEST_WAITING, REQUEST_SENT, REQUEST_KNOWN };

struct registry_http {
    struct registry registry;
    struct http_client *client;
    uv_timer_t *deliver;  // calls back what is known
    struct registry_addresses addresses;
    char *username;
    char *password;
    char *authorization;  // the header of a token; NULL: none
    bool auto_register;
    bool use_latest;
    bool normalize;
    bool is_outage_logged;
    struct registry_known known;
    struct registry_http_request *requests;  // in progress
    size_t sent;                             // of them
};

struct registry_http_request {
    struct registry_http *owner;
    enum request_state state;
    struct http_call *call;  // SENT
    enum registry_ask ask;
    char *path;
    char *url;
    size_t at;             // the address that is asked
    size_t tried;          // addresses
    struct fault trouble;  // of one of them; FAULT_NONE: each responded
    struct http_head *head;
    struct bytes body;
    char *subject;
    char *text;
    int32_t known_id;              // KNOWN; 0: `trouble` is
    registry_on_id on_id;          // registers
    registry_on_schema on_schema;  // looks up
    void *self;
    struct registry_http_request *prev;
    struct registry_http_request *next;
};

static void on_done(void *self, const struct http_response *response);

static void free_request(struct registry_http_request *request)
{
    DL_DELETE(request->owner->requests, request);
    free(request->path);
    free(request->url);
    free(request->subject);
    free(request->text);
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
    const char *url = r->addresses.items[r->addresses.current].url;
    if (is_trouble) {
        log_warn("registry", "registry_waiting", LOG_WITH(LOG_TEXT("url", url)), "%s", f->text);
    } else {
        log_info("registry", "registry_reachable", LOG_WITH(LOG_TEXT("url", url)),
                 "the registry responds again");
    }
}

static bool make_head(const struct registry_http *r, const char *method, const char *url,
                      struct http_head **ret, struct fault *f)
{
    const struct http_header headers[] = {
        {"Content-Type", "application/vnd.schemaregistry.v1+json", false},
        {"Accept", "application/vnd.schemaregistry.v1+json", false},
        {"Authorization", r->authorization, true},
    };
    const struct http_head_params params = {
        .method = method,
        .url = url,
        .headers = headers,
        .header_count = COUNT_OF(headers) - (r->authorization == NULL ? 1 : 0),
        .username = r->username,
        .password = r->password,
    };
    return http_head_new(&params, ret, f);
}

static void send_request(struct registry_http_request *request)
{
    struct registry_http *r = request->owner;
    struct fault f;
    r->sent++;
    request->state = REQUEST_SENT;
    free(request->url);
    http_head_free(request->head);
    request->url = memory_format("%s%s", r->addresses.items[request->at].url, request->path);
    // The URL begins with a checked one.
    INVARIANT(make_head(r, registry_ask_method(request->ask), request->url, &request->head, &f));
    const struct http_request http = {
        .head = request->head,
        .body = bytes_slice(&request->body),
        .timeout_us = REGISTRY_HTTP_TIMEOUT_US,
        .response_max_bytes = REGISTRY_HTTP_ANSWER_MAX,
    };
    request->call = http_client_send(r->client, &http, on_done, request);
}

// Sends the request to `at` or the next address that may be asked; false: none is left to try.
static bool send_from(struct registry_http_request *request, size_t at)
{
    const struct registry_addresses *a = &request->owner->addresses;
    for (; request->tried < a->count; request->tried++, at = (at + 1) % a->count) {
        if (registry_addresses_is_free(a, at)) {
            request->tried++;
            request->at = at;
            send_request(request);
            return true;
        }
        request->trouble = a->items[at].why;
    }
    return false;
}

// Sends the request to the next address; false: all were tried.
static bool try_next(struct registry_http_request *request, const struct http_response *response,
                     const struct fault *f)
{
    struct registry_addresses *a = &request->owner->addresses;
    size_t next = (request->at + 1) % a->count;
    if (f->kind == FAULT_RETRY) {
        request->trouble = *f;
        a->current = a->current == request->at ? next : a->current;
        if (response->retry_after_us > 0) {
            registry_addresses_quiet(a, request->at, response->retry_after_us, f);
        }
    }
    return send_from(request, next);
}

static void on_deliver(uv_timer_t *timer);

static void call_back_later(struct registry_http_request *request)
{
    request->state = REQUEST_KNOWN;
    (void)uv_timer_start(request->owner->deliver, on_deliver, 0, 0);
}

// Sends requests as long as there are connections.
static void send_waiting(struct registry_http *r)
{
    struct registry_http_request *request = NULL;
    DL_FOREACH (r->requests, request) {
        if (r->sent >= REGISTRY_HTTP_CONNECTIONS) {
            return;
        }
        if (request->state == REQUEST_WAITING && !send_from(request, r->addresses.current)) {
            call_back_later(request);
        }
    }
}

static void finish(struct registry_http_request *request, const json_t *json, const struct fault *f)
{
    registry_on_id on_id = request->on_id;
    registry_on_schema on_schema = request->on_schema;
    void *caller = request->self;
    if (on_id != NULL) {
        int32_t id = f == NULL ? (int32_t)json_integer_value(json_object_get(json, "id")) : 0;
        if (f == NULL) {
            registry_known_add(&request->owner->known, request->subject, request->text, id);
        }
        free_request(request);  // before the callback, which may close the registry
        on_id(caller, id, f);
        return;
    }
    const json_t *schema = json_object_get(json, "schema");
    struct slice text = f == NULL ? slice_make(json_string_value(schema), json_string_length(schema))
                                  : (struct slice){NULL, 0};
    free_request(request);
    on_schema(caller, text, f);
}

static void on_done(void *self, const struct http_response *response)
{
    struct registry_http_request *request = self;
    struct fault f = {0};
    request->owner->sent--;
    json_t *json CLEANUP(json_decrefp) =
        json_loadb((const char *)response->body.data, response->body.size, 0, NULL);
    bool is_good = registry_reply_check(request->ask, request->url, response, json, &f);
    // An id is unknown when no address knows it: a registry's follower may not have read it yet.
    bool may_be_elsewhere = f.kind == FAULT_RETRY || f.kind == FAULT_REJECT;
    if (may_be_elsewhere && try_next(request, response, &f)) {
        return;
    }
    // The address that did not respond may know the id.
    f = f.kind == FAULT_REJECT && request->trouble.kind != FAULT_NONE ? request->trouble : f;
    log_outage(request->owner, &f);
    send_waiting(request->owner);
    if (is_good && request->ask == REGISTRY_ASK_LATEST) {
        is_good = registry_reply_check_latest(request->subject, request->text, json, &f);
    }
    finish(request, json, is_good ? NULL : &f);
}

static struct registry_http_request *new_request(struct registry_http *r, enum registry_ask ask, void *self)
{
    struct registry_http_request *request = memory_zeroed(1, sizeof *request);
    request->owner = r;
    request->ask = ask;
    request->self = self;
    DL_APPEND(r->requests, request);
    return request;
}

// May close the registry.
static void deliver(struct registry_http_request *request)
{
    struct fault f = request->trouble;
    if (request->known_id == 0) {
        finish(request, NULL, &f);
        return;
    }
    registry_on_id on_id = request->on_id;
    void *caller = request->self;
    int32_t id = request->known_id;
    free_request(request);
    on_id(caller, id, NULL);
}

// Calls back one request that was not sent; the next turn has the next one.
static void on_deliver(uv_timer_t *timer)
{
    struct registry_http *r = timer->data;
    struct registry_http_request *request = NULL;
    DL_FOREACH (r->requests, request) {
        if (request->state == REQUEST_KNOWN) {
            (void)uv_timer_start(r->deliver, on_deliver, 0, 0);
            deliver(request);
            return;
        }
    }
}

static void register_text(struct registry *registry, const char *subject, const char *text,
                          registry_on_id on_id, void *self)
{
    struct registry_http *r = CONTAINER_OF(registry, struct registry_http, registry);
    enum registry_ask ask = r->use_latest      ? REGISTRY_ASK_LATEST
                            : r->auto_register ? REGISTRY_ASK_REGISTER
                                               : REGISTRY_ASK_FIND;
    struct registry_http_request *request = new_request(r, ask, self);
    request->on_id = on_id;
    request->known_id = registry_known_find(&r->known, subject, text);
    if (request->known_id != 0) {
        call_back_later(request);
        return;
    }
    request->subject = memory_string(subject);
    request->text = memory_string(text);
    request->path = registry_ask_path(ask, subject, r->normalize);
    registry_ask_append_body(ask, text, &request->body);
    send_waiting(r);
}

static void lookup_schema(struct registry *registry, int32_t id, registry_on_schema on_schema, void *self)
{
    struct registry_http *r = CONTAINER_OF(registry, struct registry_http, registry);
    struct registry_http_request *request = new_request(r, REGISTRY_ASK_ID, self);
    request->path = registry_ask_id_path(id);
    request->on_schema = on_schema;
    send_waiting(r);
}

static void drop_request(struct registry_http_request *request)
{
    if (request->state == REQUEST_SENT) {
        request->owner->sent--;
        http_call_cancel(request->call);
    }
    free_request(request);
}

static void cancel_requests(struct registry *registry, const void *self)
{
    struct registry_http *r = CONTAINER_OF(registry, struct registry_http, registry);
    struct registry_http_request *request = NULL;
    struct registry_http_request *next = NULL;
    DL_FOREACH_SAFE (r->requests, request, next) {
        if (request->self == self) {
            drop_request(request);
        }
    }
    send_waiting(r);
}

static void explain(void *self, const struct admin_request *request)
{
    const struct registry_http *r = self;
    struct bytes text CLEANUP(bytes_clear) = {0};
    bytes_append_string(&text, "{\"error_code\":404,\"message\":");
    char *message CLEANUP(memory_free_pointer) =
        memory_format("this is not a registry: millrace.yaml names the one at %s", r->addresses.items[0].url);
    text_append_json(&text, slice_of(message));
    bytes_append_byte(&text, '}');
    admin_answer(request->reply, 404, "application/vnd.schemaregistry.v1+json", bytes_slice(&text));
}

static void serve_explanation(struct registry *registry, struct admin *admin, const char *prefix)
{
    struct registry_http *r = CONTAINER_OF(registry, struct registry_http, registry);
    admin_route_writable(admin, prefix, explain, r);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void close_registry(struct registry *registry)
{
    struct registry_http *r = CONTAINER_OF(registry, struct registry_http, registry);
    struct registry_http_request *request = NULL;
    struct registry_http_request *next = NULL;
    DL_FOREACH_SAFE (r->requests, request, next) {
        drop_request(request);
    }
    uv_close((uv_handle_t *)r->deliver, on_timer_closed);
    http_client_free(r->client);
    registry_known_clear(&r->known);
    registry_addresses_clear(&r->addresses);
    free(r->username);
    memory_free_secret(r->password);
    memory_free_secret(r->authorization);
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

// Adds an address after checking that requests to it can be made.
static bool add_url(struct registry_http *r, const char *url, struct fault *f)
{
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        return fault_set(f, FAULT_CONFIG, "registry: url: %.100s is not http:// or https://", url);
    }
    struct http_head *head = NULL;
    if (!make_head(r, "GET", url, &head, f)) {
        return fault_context(f, "registry: url");
    }
    http_head_free(head);
    registry_addresses_add(&r->addresses, url);
    return true;
}

static bool open_client(struct registry_http *r, uv_loop_t *loop, const struct settings *settings,
                        struct fault *f)
{
    const struct http_client_params params = {
        .connections_max = REGISTRY_HTTP_CONNECTIONS,
        .tls = {settings->registry.ca.text, settings->registry.certificate.text, settings->registry.key,
                NULL},
    };
    struct http_tls *tls = NULL;
    if (!http_tls_new(&params.tls, HTTP_VERSION_AUTO, &tls, f)) {
        return fault_context(f, "registry: tls");
    }
    http_tls_free(tls);
    bool is_good = add_url(r, settings->registry.url, f);
    for (size_t i = 0; is_good && i < settings->registry.urls.count; i++) {
        is_good = add_url(r, settings->registry.urls.items[i], f);
    }
    r->client = is_good ? http_client_new(loop, &params) : NULL;
    return is_good;
}

bool registry_http_open(uv_loop_t *loop, const struct settings *settings, struct registry **ret,
                        struct fault *f)
{
    struct registry_http *r = memory_zeroed(1, sizeof *r);
    r->registry.type = &REGISTRY_HTTP_TYPE;
    r->auto_register = settings->registry.auto_register;
    r->use_latest = settings->registry.use_latest;
    r->normalize = settings->registry.normalize;
    r->deliver = memory_zeroed(1, sizeof *r->deliver);
    (void)uv_timer_init(loop, r->deliver);
    r->deliver->data = r;
    if (settings->registry.username != NULL) {
        r->username = memory_string(settings->registry.username);
        r->password = memory_string(settings->registry.password != NULL ? settings->registry.password : "");
    }
    if (settings->registry.token != NULL) {
        r->authorization = memory_format("Bearer %s", settings->registry.token);
    }
    if (!open_client(r, loop, settings, f)) {
        close_registry(&r->registry);
        return false;
    }
    *ret = &r->registry;
    return true;
}

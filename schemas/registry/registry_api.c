// A request is matched against the routes, waits until the index is fresh enough, and is served from the
// index.
#include "schemas/registry/registry_api.h"

#include <utlist.h>

#include "core/base/memory.h"
#include "schemas/registry/registry_route.h"

#define REGISTRY_API_TYPE "application/vnd.schemaregistry.v1+json"

// A request that waits for the store.
struct registry_api_call {
    struct registry_api *api;
    struct admin_reply *reply;
    const struct registry_route *route;
    struct registry_query query;
    struct registry_api_call *prev;
    struct registry_api_call *next;
};

struct registry_api {
    struct schema_store *store;
    struct registry_api_call *calls;
};

static void free_call(struct registry_api_call *call)
{
    DL_DELETE(call->api->calls, call);
    registry_query_clear(&call->query);
    free(call);
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
    int status = f != NULL ? append_fault(&body, f)
                           : call->route->answer(&body, schema_store_index(call->api->store), &call->query);
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

static void on_change(void *self, const struct schema_change *change, const struct fault *f)
{
    struct registry_api_call *call = self;
    struct bytes body CLEANUP(bytes_clear) = {0};
    int status = f != NULL ? append_fault(&body, f) : registry_answer_change(&body, change);
    respond(call->reply, status, &body);
    free_call(call);
}

static void start_call(struct registry_api_call *call)
{
    struct schema_store *store = call->api->store;
    switch (call->route->wait) {
    case REGISTRY_WAIT_NOTHING:
    case REGISTRY_WAIT_FRESH:
        schema_store_refresh(store, on_fresh, call);
        return;
    case REGISTRY_WAIT_ID:
        schema_store_lookup(store, registry_query_number(call->query.id), on_schema, call);
        return;
    case REGISTRY_WAIT_CHANGE:
        schema_store_change(store, TAKE(call->query.change), on_change, call);
        return;
    }
}

// Reads parameters and body; false, with an error, when the request is wrong.
static bool read_request(struct registry_api_call *call, const struct admin_request *request,
                         struct bytes *body, int *ret_status)
{
    const struct registry_route *route = call->route;
    registry_query_read(&call->query, request);
    bool is_change = route->wait == REGISTRY_WAIT_CHANGE;
    if (!is_change && !route->has_schema) {
        return true;
    }
    enum schema_change_kind kind = is_change ? route->kind : SCHEMA_CHANGE_REGISTER;
    bool is_good =
        registry_query_read_change(&call->query, request, kind, route->has_schema, &call->query.change);
    if (!is_good) {
        *ret_status = registry_answer_change(body, call->query.change);
    } else if (is_change && kind == SCHEMA_CHANGE_DELETE_VERSION && call->query.change->version < 0) {
        *ret_status = registry_answer_error(body, REGISTRY_ERROR_INVALID_VERSION,
                                            "The specified version '%s' is not a valid version id. Allowed "
                                            "values are between [1, 2^31-1] and the string \"latest\"",
                                            call->query.version);
        is_good = false;
    }
    return is_good;
}

static void on_request(void *self, const struct admin_request *request)
{
    struct registry_api *api = self;
    struct registry_query query = {0};
    struct bytes body CLEANUP(bytes_clear) = {0};
    bool is_known = false;
    int status = 200;
    const struct registry_route *route =
        registry_route_find(request->method, request->path, &query, &is_known);
    if (route == NULL) {
        status = is_known ? registry_answer_error(&body, REGISTRY_ERROR_METHOD, "HTTP 405 Method Not Allowed")
                          : registry_answer_error(&body, REGISTRY_ERROR_NOT_FOUND, "HTTP 404 Not Found");
        respond(request->reply, status, &body);
        return;
    }
    if (route->wait == REGISTRY_WAIT_NOTHING) {
        bytes_append_string(&body, route->fixed);
        respond(request->reply, status, &body);
        registry_query_clear(&query);
        return;
    }
    struct registry_api_call *call = memory_zeroed(1, sizeof *call);
    *call = (struct registry_api_call){.api = api, .reply = request->reply, .route = route, .query = query};
    DL_APPEND(api->calls, call);
    if (read_request(call, request, &body, &status)) {
        start_call(call);
        return;
    }
    respond(call->reply, status, &body);
    free_call(call);
}

struct registry_api *registry_api_new(struct schema_store *store)
{
    struct registry_api *api = memory_zeroed(1, sizeof *api);
    api->store = store;
    return api;
}

void registry_api_serve(struct registry_api *api, struct admin *admin, const char *prefix)
{
    admin_route_writable(admin, prefix, on_request, api);
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

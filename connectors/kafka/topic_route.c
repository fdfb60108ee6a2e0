#include "connectors/kafka/topic_route.h"

#include <uthash.h>

#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum route_part { ROUTE_TOPIC = 1, ROUTE_KEY = 2, ROUTE_VALUE = 4 };

struct route {
    struct topic_route shown;  // first member: a topic_route pointer is a route pointer
    struct topic_routes *routes;
    char *identity;  // topic, NUL, key schema, NUL, value schema
    size_t identity_size;
    char *topic;
    char *key_schema;  // NULL: none
    char *value_schema;
    const struct text_pairs *config;  // NULL: params.config
    uint32_t missing;                 // enum route_part bits
    uint32_t requested;               // of these, those with a request in flight
    UT_hash_handle hh;
};

// A pending request to Kafka or the registry.
struct route_request {
    struct route *route;
    enum route_part part;
    struct route_request *previous;
    struct route_request *next;
};

struct topic_routes {
    struct topic_routes_params params;
    struct kafka_sink *sink;
    struct kafka_admin *admin;
    struct route *all;
    struct route_request *requests;
    struct backoff backoff;
    uv_timer_t *retry;
    bool is_retry_due;
};

static void request_missing(struct route *route);

static void on_retry(uv_timer_t *timer)
{
    struct topic_routes *r = timer->data;
    r->is_retry_due = false;
    struct route *route;
    struct route *next;
    HASH_ITER (hh, r->all, route, next) {
        if (route->shown.status == TOPIC_ROUTE_WAITING) {
            request_missing(route);
        }
    }
}

static void retry_later(struct topic_routes *r)
{
    if (!r->is_retry_due) {
        r->is_retry_due = true;
        uint64_t wait_ms = (uint64_t)(backoff_next_us(&r->backoff) / CLOCK_US_PER_MS);
        (void)uv_timer_start(r->retry, on_retry, wait_ms, 0);
    }
}

static struct route_request *new_request(struct route *route, enum route_part part)
{
    struct topic_routes *r = route->routes;
    struct route_request *request = memory_zeroed(1, sizeof(*request));
    request->route = route;
    request->part = part;
    request->next = r->requests;
    if (request->next != NULL) {
        request->next->previous = request;
    }
    r->requests = request;
    route->requested |= part;
    return request;
}

// Removes and frees the request; returns its route.
static struct route *end_request(struct route_request *request)
{
    struct route *route = request->route;
    if (request->previous == NULL) {
        route->routes->requests = request->next;
    } else {
        request->previous->next = request->next;
    }
    if (request->next != NULL) {
        request->next->previous = request->previous;
    }
    route->requested &= ~(uint32_t)request->part;
    free(request);
    return route;
}

/** Another route to the same topic, for another version of the table, with an outage; NULL: none. */
static const struct route *find_outage(const struct route *route, const char *text)
{
    const struct route *other;
    const struct route *next;
    HASH_ITER (hh, route->routes->all, other, next) {
        const struct outage *o = &other->shown.outage;
        if (other != route && strcmp(other->topic, route->topic) == 0 && o->is_on &&
            (text == NULL || strcmp(o->text, text) == 0)) {
            return other;
        }
    }
    return NULL;
}

// Of several routes to a topic that fail for the same reason, the one that was the first to do so logs it.
static bool is_told_by_another(const struct route *route)
{
    const struct outage *mine = &route->shown.outage;
    const struct route *other = find_outage(route, mine->text);
    return other != NULL && (other->shown.outage.since_us < mine->since_us ||
                             (other->shown.outage.since_us == mine->since_us && other < route));
}

static void note_failure(struct route *route, const char *why)
{
    struct outage *o = &route->shown.outage;
    if (!outage_failed(o, why) || is_told_by_another(route)) {
        return;
    }
    log_warn(
        route->routes->params.component, "topic_not_ready",
        LOG_WITH(LOG_TEXT("topic", route->topic), LOG_NUMBER("seconds", outage_age_us(o) / CLOCK_US_PER_S)),
        "%s", why);
}

static void note_ready(struct route *route)
{
    int64_t lasted_us;
    if (outage_ended(&route->shown.outage, &lasted_us) && find_outage(route, NULL) == NULL) {
        log_info(route->routes->params.component, "topic_ready", LOG_WITH(LOG_TEXT("topic", route->topic)),
                 "ready, after %ld s", lasted_us / CLOCK_US_PER_S);
    }
}

static void end_part(struct route *route, enum route_part part, const struct fault *f)
{
    struct topic_routes *r = route->routes;
    if (f != NULL && f->kind == FAULT_RETRY) {
        note_failure(route, f->text);
        retry_later(r);
        return;
    }
    if (f != NULL) {
        route->shown.status = TOPIC_ROUTE_FAILED;
        route->shown.fault = *f;
        r->params.on_change(r->params.self);
        return;
    }
    route->missing &= ~(uint32_t)part;
    if (route->missing == 0 && route->shown.status == TOPIC_ROUTE_WAITING) {
        backoff_reset(&r->backoff);
        route->shown.status = TOPIC_ROUTE_READY;
        note_ready(route);
        r->params.on_change(r->params.self);
    }
}

static void on_topic(void *self, const struct fault *f)
{
    struct route *route = end_request(self);
    // Not earlier: a broker may create a missing topic when the handle requests its metadata.
    if (f == NULL) {
        route->shown.topic = kafka_sink_topic(route->routes->sink, route->topic, RD_KAFKA_PARTITION_UA);
    }
    end_part(route, ROUTE_TOPIC, f);
}

static void on_key_id(void *self, int32_t id, const struct fault *f)
{
    struct route *route = end_request(self);
    route->shown.key_id = id;
    end_part(route, ROUTE_KEY, f);
}

static void on_value_id(void *self, int32_t id, const struct fault *f)
{
    struct route *route = end_request(self);
    route->shown.value_id = id;
    end_part(route, ROUTE_VALUE, f);
}

static void request_topic(struct route *route)
{
    const struct topic_routes_params *params = &route->routes->params;
    struct kafka_topic_spec spec = {
        .name = route->topic,
        .partitions = route->config == NULL || route->config == params->config ? params->partitions : 0,
        .replication = params->replication,
        .config = route->config == NULL ? params->config : route->config,
    };
    kafka_admin_ensure_topic(route->routes->admin, &spec, on_topic, new_request(route, ROUTE_TOPIC));
}

static void request_schema(struct route *route, enum route_part part)
{
    bool is_key = part == ROUTE_KEY;
    char *subject CLEANUP(memory_free_pointer) =
        memory_format("%s-%s", route->topic, is_key ? "key" : "value");
    registry_register(route->routes->params.registry, subject,
                      is_key ? route->key_schema : route->value_schema, is_key ? on_key_id : on_value_id,
                      new_request(route, part));
}

static void request_missing(struct route *route)
{
    uint32_t wanted = route->missing & ~route->requested;
    if ((wanted & ROUTE_TOPIC) != 0 && route->routes->admin != NULL) {
        request_topic(route);
    }
    if ((wanted & ROUTE_KEY) != 0) {
        request_schema(route, ROUTE_KEY);
    }
    if ((wanted & ROUTE_VALUE) != 0) {
        request_schema(route, ROUTE_VALUE);
    }
}

static void on_retry_closed(uv_handle_t *handle)
{
    free(handle);
}

struct topic_routes *topic_routes_new(const struct topic_routes_params *params)
{
    struct topic_routes *r = memory_zeroed(1, sizeof(*r));
    r->params = *params;
    r->backoff = backoff_make(200 * CLOCK_US_PER_MS, 30 * CLOCK_US_PER_S);
    r->retry = memory_zeroed(1, sizeof(*r->retry));
    r->retry->data = r;
    (void)uv_timer_init(params->loop, r->retry);
    return r;
}

// The admin client of a closed sink does not answer any more: drops its requests.
static void drop_admin(struct topic_routes *r)
{
    r->admin = NULL;
    struct route_request *next;
    for (struct route_request *request = r->requests; request != NULL; request = next) {
        next = request->next;
        if (request->part == ROUTE_TOPIC) {
            (void)end_request(request);
        }
    }
}

void topic_routes_attach(struct topic_routes *r, struct kafka_sink *sink)
{
    drop_admin(r);
    r->sink = sink;
    if (sink == NULL) {
        return;
    }
    r->admin = kafka_sink_admin(sink);
    struct route *route;
    struct route *next;
    HASH_ITER (hh, r->all, route, next) {
        route->shown.status = TOPIC_ROUTE_WAITING;
        route->missing |= ROUTE_TOPIC;
        request_missing(route);
    }
}

static struct route *add_route(struct topic_routes *r, struct bytes *identity, const char *topic)
{
    struct route *route = memory_zeroed(1, sizeof(*route));
    route->routes = r;
    route->identity_size = identity->size;
    route->identity = slice_to_string(bytes_slice(identity));
    route->topic = memory_string(topic);
    route->shown.name = route->topic;
    route->missing = ROUTE_TOPIC;
    HASH_ADD_KEYPTR(hh, r->all, route->identity, route->identity_size, route);
    return route;
}

static void append_identity(struct bytes *out, const struct table *t)
{
    bytes_append(out, t->topic, strlen(t->topic) + 1);
    if (t->key_schema != NULL) {
        bytes_append(out, t->key_schema, strlen(t->key_schema) + 1);
    }
    bytes_append(out, t->value_schema, strlen(t->value_schema) + 1);
}

struct topic_route *topic_routes_find(struct topic_routes *r, struct table *table)
{
    if (table->route != NULL) {
        return table->route;
    }
    struct bytes identity CLEANUP(bytes_clear) = {0};
    append_identity(&identity, table);
    struct route *route = NULL;
    HASH_FIND(hh, r->all, identity.data, identity.size, route);
    if (route == NULL) {
        route = add_route(r, &identity, table->topic);
        route->value_schema = memory_string(table->value_schema);
        route->missing |= ROUTE_VALUE;
        if (table->key_schema != NULL) {
            route->key_schema = memory_string(table->key_schema);
            route->missing |= ROUTE_KEY;
        }
        request_missing(route);
    }
    table->route = &route->shown;
    return &route->shown;
}

struct topic_route *topic_routes_find_schemaless(struct topic_routes *r, const char *topic,
                                                 const struct text_pairs *config)
{
    struct bytes identity CLEANUP(bytes_clear) = {0};
    bytes_append(&identity, topic, strlen(topic) + 1);
    struct route *route = NULL;
    HASH_FIND(hh, r->all, identity.data, identity.size, route);
    if (route == NULL) {
        route = add_route(r, &identity, topic);
        route->config = config;
        request_missing(route);
    }
    return &route->shown;
}

void topic_routes_free(struct topic_routes *r)
{
    if (r == NULL) {
        return;
    }
    drop_admin(r);
    while (r->requests != NULL) {  // of schemas
        registry_cancel(r->params.registry, r->requests);
        (void)end_request(r->requests);
    }
    struct route *route;
    struct route *next;
    HASH_ITER (hh, r->all, route, next) {
        HASH_DEL(r->all, route);
        free(route->identity);
        free(route->topic);
        free(route->key_schema);
        free(route->value_schema);
        free(route);
    }
    (void)uv_timer_stop(r->retry);
    uv_close((uv_handle_t *)r->retry, on_retry_closed);
    free(r);
}

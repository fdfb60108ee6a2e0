#include "connectors/kafka/topic_route.h"

#include <uthash.h>

#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum route_part { ROUTE_TOPIC = 1, ROUTE_KEY = 2, ROUTE_VALUE = 4 };

struct route {
    struct topic_route shown;  // first: a topic_route is a route
    struct topic_routes *routes;
    char *identity;  // topic, NUL, key schema, NUL, value schema
    size_t identity_size;
    char *topic;
    char *key_schema;  // NULL: none
    char *value_schema;
    const struct text_pairs *config;  // NULL: that of all routes
    uint32_t missing;                 // enum route_part bits not yet there
    uint32_t asked;                   // of those, the ones a question is out for
    UT_hash_handle hh;
};

// One question to Kafka or the registry. Outlives its route when the answer comes after topic_routes_free.
struct route_question {
    struct route *route;  // NULL: nobody wants to know any more
    enum route_part part;
    struct route_question *previous;
    struct route_question *next;
};

struct topic_routes {
    struct topic_routes_params params;
    struct kafka_sink *sink;
    struct kafka_admin *admin;
    struct route *all;
    struct route_question *questions;
    struct backoff backoff;
    uv_timer_t *retry;
    bool is_retry_due;
};

static void topic_routes_ask(struct route *route);

static void topic_routes_on_retry(uv_timer_t *timer)
{
    struct topic_routes *r = timer->data;
    r->is_retry_due = false;
    struct route *route;
    struct route *next;
    HASH_ITER (hh, r->all, route, next) {
        if (route->shown.status == TOPIC_ROUTE_WAITING) {
            topic_routes_ask(route);
        }
    }
}

static void topic_routes_retry_later(struct topic_routes *r)
{
    if (!r->is_retry_due) {
        r->is_retry_due = true;
        uint64_t wait_ms = (uint64_t)(backoff_next_us(&r->backoff) / CLOCK_US_PER_MS);
        (void)uv_timer_start(r->retry, topic_routes_on_retry, wait_ms, 0);
    }
}

static struct route_question *route_question_new(struct route *route, enum route_part part)
{
    struct topic_routes *r = route->routes;
    struct route_question *q = memory_zeroed(1, sizeof(*q));
    q->route = route;
    q->part = part;
    q->next = r->questions;
    if (q->next != NULL) {
        q->next->previous = q;
    }
    r->questions = q;
    route->asked |= part;
    return q;
}

// Takes the question off the list and frees it; NULL when nobody wants its answer any more.
static struct route *route_question_end(struct route_question *q)
{
    struct route *route = q->route;
    if (route != NULL) {
        if (q->previous == NULL) {
            route->routes->questions = q->next;
        } else {
            q->previous->next = q->next;
        }
        if (q->next != NULL) {
            q->next->previous = q->previous;
        }
        route->asked &= ~(uint32_t)q->part;
    }
    free(q);
    return route;
}

static void route_answered(struct route *route, enum route_part part, const struct fault *f)
{
    struct topic_routes *r = route->routes;
    if (f != NULL && f->kind == FAULT_RETRY) {
        log_warn(r->params.component, "topic_not_ready", LOG_WITH(LOG_TEXT("topic", route->topic)), "%s",
                 f->text);
        topic_routes_retry_later(r);
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
        r->params.on_change(r->params.self);
    }
}

static void topic_routes_on_topic(void *self, const struct fault *f)
{
    struct route *route = route_question_end(self);
    if (route != NULL) {
        // Not before: the handle asks the broker for the topic, and a broker may make what it is asked for.
        if (f == NULL) {
            route->shown.topic = kafka_sink_topic(route->routes->sink, route->topic, RD_KAFKA_PARTITION_UA);
        }
        route_answered(route, ROUTE_TOPIC, f);
    }
}

static void topic_routes_on_key_id(void *self, int32_t id, const struct fault *f)
{
    struct route *route = route_question_end(self);
    if (route != NULL) {
        route->shown.key_id = id;
        route_answered(route, ROUTE_KEY, f);
    }
}

static void topic_routes_on_value_id(void *self, int32_t id, const struct fault *f)
{
    struct route *route = route_question_end(self);
    if (route != NULL) {
        route->shown.value_id = id;
        route_answered(route, ROUTE_VALUE, f);
    }
}

static void topic_routes_ask_topic(struct route *route)
{
    const struct topic_routes_params *params = &route->routes->params;
    struct kafka_topic_spec spec = {
        .name = route->topic,
        .partitions = route->config == NULL || route->config == params->config ? params->partitions : 0,
        .replication = params->replication,
        .config = route->config == NULL ? params->config : route->config,
    };
    kafka_admin_ensure_topic(route->routes->admin, &spec, topic_routes_on_topic,
                             route_question_new(route, ROUTE_TOPIC));
}

static void topic_routes_ask_schema(struct route *route, enum route_part part)
{
    bool is_key = part == ROUTE_KEY;
    char *subject CLEANUP(memory_free_pointer) =
        memory_format("%s-%s", route->topic, is_key ? "key" : "value");
    registry_register(
        route->routes->params.registry, subject, is_key ? route->key_schema : route->value_schema,
        is_key ? topic_routes_on_key_id : topic_routes_on_value_id, route_question_new(route, part));
}

static void topic_routes_ask(struct route *route)
{
    uint32_t wanted = route->missing & ~route->asked;
    if ((wanted & ROUTE_TOPIC) != 0 && route->routes->admin != NULL) {
        topic_routes_ask_topic(route);
    }
    if ((wanted & ROUTE_KEY) != 0) {
        topic_routes_ask_schema(route, ROUTE_KEY);
    }
    if ((wanted & ROUTE_VALUE) != 0) {
        topic_routes_ask_schema(route, ROUTE_VALUE);
    }
}

static void topic_routes_on_retry_closed(uv_handle_t *handle)
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

// The admin of a sink that is closed answers nothing more: its questions go with it.
static void topic_routes_drop_admin(struct topic_routes *r)
{
    r->admin = NULL;
    struct route_question *next;
    for (struct route_question *q = r->questions; q != NULL; q = next) {
        next = q->next;
        if (q->part == ROUTE_TOPIC) {
            (void)route_question_end(q);
        }
    }
}

void topic_routes_attach(struct topic_routes *r, struct kafka_sink *sink)
{
    topic_routes_drop_admin(r);
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
        topic_routes_ask(route);
    }
}

static struct route *topic_routes_add(struct topic_routes *r, struct bytes *identity, const char *topic)
{
    struct route *route = memory_zeroed(1, sizeof(*route));
    route->routes = r;
    route->identity_size = identity->size;
    route->identity = slice_to_string(bytes_slice(identity));
    route->topic = memory_string(topic);
    route->missing = ROUTE_TOPIC;
    HASH_ADD_KEYPTR(hh, r->all, route->identity, route->identity_size, route);
    return route;
}

static void topic_routes_identify(struct bytes *out, const struct table *t)
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
    topic_routes_identify(&identity, table);
    struct route *route = NULL;
    HASH_FIND(hh, r->all, identity.data, identity.size, route);
    if (route == NULL) {
        route = topic_routes_add(r, &identity, table->topic);
        route->value_schema = memory_string(table->value_schema);
        route->missing |= ROUTE_VALUE;
        if (table->key_schema != NULL) {
            route->key_schema = memory_string(table->key_schema);
            route->missing |= ROUTE_KEY;
        }
        topic_routes_ask(route);
    }
    table->route = &route->shown;
    return &route->shown;
}

struct topic_route *topic_routes_find_bare(struct topic_routes *r, const char *topic,
                                           const struct text_pairs *config)
{
    struct bytes identity CLEANUP(bytes_clear) = {0};
    bytes_append(&identity, topic, strlen(topic) + 1);
    struct route *route = NULL;
    HASH_FIND(hh, r->all, identity.data, identity.size, route);
    if (route == NULL) {
        route = topic_routes_add(r, &identity, topic);
        route->config = config;
        topic_routes_ask(route);
    }
    return &route->shown;
}

void topic_routes_free(struct topic_routes *r)
{
    if (r == NULL) {
        return;
    }
    topic_routes_drop_admin(r);
    for (struct route_question *q = r->questions; q != NULL; q = q->next) {
        q->route = NULL;
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
    uv_close((uv_handle_t *)r->retry, topic_routes_on_retry_closed);
    free(r);
}

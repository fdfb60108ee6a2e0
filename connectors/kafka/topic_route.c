#include "connectors/kafka/topic_route.h"

#include <openssl/sha.h>
#include <uthash.h>
#include <utlist.h>

#include "connectors/kafka/route_needs.h"
#include "connectors/kafka/route_refusal.h"
#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "schemas/avro/avro_schema.h"

// At once: a request to Kafka makes a hundred topics, and both registries answer others meanwhile.
enum { TOPICS_IN_FLIGHT = 100, SCHEMAS_IN_FLIGHT = 200 };
enum { FORKS_MAX = 99 };
#define COUNT_WAIT_US (2 * CLOCK_US_PER_S)  // for the number of a topic's partitions, until it is told

// A topic, and what went wrong with it and with its schemas.
struct route_topic {
    struct need need;
    struct topic_routes *routes;
    char *name;
    const struct text_pairs *config;
    struct route *first;    // the routes that lead to it
    struct outage *outage;  // NULL: nothing has failed yet
    struct fault *fault;    // REFUSED: why
    int64_t uncounted_us;   // since when the number of its partitions is asked for; 0: it is not
    bool has_rows;          // records with schemas go there, or will
    bool has_events;        // records without
    UT_hash_handle hh;
};

struct schema_need {
    struct need need;
    struct route *route;
    int32_t *id;  // the result
    bool is_key;
};

struct route {
    struct topic_route shown;  // first member: a topic_route pointer is a route pointer
    uint8_t identity[SHA256_DIGEST_LENGTH];
    struct route_topic *topic;
    struct schema_need key;
    struct schema_need value;
    bool has_key;
    bool has_value;
    bool is_used;         // by a record
    unsigned fork;        // of the table's topic; 0: the topic itself
    struct table *table;  // retained until the schemas have their ids; NULL: not needed any more
    size_t users;         // table versions that point to it
    struct fault *fault;  // FAILED: why
    struct route *prev;
    struct route *next;
    UT_hash_handle hh;
};

struct topic_routes {
    struct topic_routes_params params;
    struct kafka_sink *sink;
    struct kafka_admin *admin;
    struct route_topic *topics;
    struct route *all;
    struct need_queue topic_needs;
    struct need_queue schema_needs;
    struct backoff backoff;
    uv_timer_t *retry;
    bool is_retry_due;
};

static void run(struct topic_routes *r)
{
    if (r->admin != NULL) {
        need_queue_run(&r->topic_needs);
    }
    need_queue_run(&r->schema_needs);
}

static void on_retry(uv_timer_t *timer)
{
    struct topic_routes *r = timer->data;
    r->is_retry_due = false;
    need_queue_retry(&r->topic_needs);
    need_queue_retry(&r->schema_needs);
    run(r);
}

static void retry_later(struct topic_routes *r)
{
    if (!r->is_retry_due) {
        r->is_retry_due = true;
        uint64_t wait_ms = (uint64_t)(backoff_next_us(&r->backoff) / CLOCK_US_PER_MS);
        (void)uv_timer_start(r->retry, on_retry, wait_ms, 0);
    }
}

// --- what became of them ---

static bool is_failing(const struct route_topic *t)
{
    const struct route *route;
    bool is = t->need.has_failed || t->uncounted_us != 0;
    DL_FOREACH (t->first, route) {
        is = is || route->key.need.has_failed || route->value.need.has_failed;
    }
    return is;
}

static void note_failure(struct route_topic *t, const char *why)
{
    struct route *route;
    if (t->outage == NULL) {
        t->outage = memory_zeroed(1, sizeof(*t->outage));
        DL_FOREACH (t->first, route) {
            route->shown.outage = t->outage;
        }
    }
    if (outage_failed(t->outage, why)) {
        log_warn(t->routes->params.component, "topic_not_ready",
                 LOG_WITH(LOG_TEXT("topic", t->name),
                          LOG_NUMBER("seconds", outage_age_us(t->outage) / CLOCK_US_PER_S)),
                 "%s", why);
    }
}

static void note_success(struct route_topic *t)
{
    int64_t lasted_us;
    if (t->outage != NULL && !is_failing(t) && outage_ended(t->outage, &lasted_us)) {
        log_info(t->routes->params.component, "topic_ready", LOG_WITH(LOG_TEXT("topic", t->name)),
                 "ready, after %ld s", lasted_us / CLOCK_US_PER_S);
    }
}

static void note_uncounted(struct route_topic *t)
{
    int64_t now_us = clock_now_us();
    char reason[320] = "its metadata do not come";
    t->uncounted_us = t->uncounted_us == 0 ? now_us : t->uncounted_us;
    if (now_us - t->uncounted_us >= COUNT_WAIT_US) {
        (void)kafka_sink_reason(t->routes->sink, reason, sizeof(reason));
        CLEANUP(memory_free_pointer)
        char *why = memory_format("Kafka does not say how many partitions topic %s has, by which partitions "
                                  "are chosen: %s; check that it exists and that its brokers answer",
                                  t->name, reason);
        note_failure(t, why);
    }
}

int32_t topic_route_partitions(const struct topic_route *route)
{
    struct route_topic *t = route->of;
    int32_t count = kafka_sink_partitions(route->topic);
    if (count == 0) {
        note_uncounted(t);
    } else if (t->uncounted_us != 0) {
        t->uncounted_us = 0;
        note_success(t);
    }
    return count;
}

static bool has_ids(const struct route *route)
{
    return (!route->has_key || route->key.need.state == NEED_MET) &&
           (!route->has_value || route->value.need.state == NEED_MET);
}

static void fail(struct route *route, const struct fault *f)
{
    route->shown.is_refused = route_refusal_of(f) != ROUTE_REFUSAL_ALL;
    if (route->fault == NULL) {
        route->fault = memory_zeroed(1, sizeof(*route->fault));
    }
    *route->fault = *f;
    route->shown.fault = route->fault;
    route->shown.status = TOPIC_ROUTE_FAILED;
}

// A handle costs memory, so it is made for a record; and not before the topic exists: a broker may create a
// missing topic when the handle requests its metadata.
static void make_handle(struct route *route)
{
    if (route->shown.status == TOPIC_ROUTE_READY && route->is_used && route->shown.topic == NULL) {
        route->shown.topic = kafka_sink_topic(route->topic->routes->sink, route->topic->name);
    }
}

/** True when the status has changed. */
static bool update(struct route *route)
{
    if (route->shown.status != TOPIC_ROUTE_WAITING) {
        return false;
    }
    if (route->has_value && route->topic->has_events) {
        struct fault mixed;
        (void)fault_set(&mixed, FAULT_CONFIG,
                        "its topic has events of the outbox; give it another by routes");
        fail(route, &mixed);
    } else if (route->topic->need.state == NEED_REFUSED) {
        fail(route, route->topic->fault);
    } else if (route->topic->need.state == NEED_MET && has_ids(route)) {
        route->shown.status = TOPIC_ROUTE_READY;
        backoff_reset(&route->topic->routes->backoff);
        make_handle(route);
    }
    return route->shown.status != TOPIC_ROUTE_WAITING;
}

// The need's new state after an answer; logs what it means for the topic.
static enum need_state judge(struct route_topic *t, const struct fault *f)
{
    if (f == NULL) {
        return NEED_MET;
    }
    if (route_refusal_of(f) == ROUTE_REFUSAL_PASSING) {
        note_failure(t, f->text);
        retry_later(t->routes);
        return NEED_FAILED;
    }
    return NEED_REFUSED;
}

static void on_topic(void *self, const struct fault *f)
{
    struct route_topic *t = self;
    struct topic_routes *r = t->routes;
    struct route *route;
    bool has_changed = false;
    enum need_state state = judge(t, f);
    if (state == NEED_REFUSED) {
        t->fault = t->fault == NULL ? memory_new(sizeof(*t->fault)) : t->fault;
        *t->fault = *f;
    }
    need_queue_answer(&r->topic_needs, &t->need, state);
    note_success(t);
    if (state == NEED_MET) {
        r->params.on_made(r->params.made, t->name);
    }
    DL_FOREACH (t->first, route) {
        has_changed = update(route) || has_changed;
    }
    run(r);
    if (has_changed || state == NEED_FAILED) {
        r->params.on_change(r->params.self);
    }
}

// The version is not needed any more once its schemas are registered.
static void release_table(struct route *route)
{
    if (route->table != NULL && has_ids(route)) {
        table_free(TAKE(route->table));
    }
}

static bool fork_route(struct route *route, const struct fault *f);

static void on_id(void *self, int32_t id, const struct fault *f)
{
    struct schema_need *n = self;
    struct route *route = n->route;
    struct topic_routes *r = route->topic->routes;
    enum need_state state = judge(route->topic, f);
    *n->id = id;
    need_queue_answer(&r->schema_needs, &n->need, state);
    if (state == NEED_REFUSED && fork_route(route, f)) {
        return;
    }
    if (state == NEED_REFUSED) {
        fail(route, f);
    }
    note_success(route->topic);
    bool has_changed = update(route) || state == NEED_REFUSED;
    release_table(route);  // may free the route
    run(r);
    if (has_changed) {
        r->params.on_change(r->params.self);
    }
}

static void request_topic(struct need *n)
{
    struct route_topic *t = CONTAINER_OF(n, struct route_topic, need);
    const struct topic_routes_params *params = &t->routes->params;
    struct kafka_topic_spec spec = {.name = t->name};
    params->on_settings(params->settings, &spec);
    if (t->config != NULL) {
        spec.partitions = 0;
        spec.config = t->config;
    }
    kafka_admin_ensure_topic(t->routes->admin, &spec, on_topic, t);
}

static void request_schema(struct need *n)
{
    struct schema_need *schema = CONTAINER_OF(n, struct schema_need, need);
    const struct route *route = schema->route;
    char *subject CLEANUP(memory_free_pointer) =
        memory_format("%s-%s", route->topic->name, schema->is_key ? "key" : "value");
    CLEANUP(bytes_clear) struct bytes made = {0};
    const char *text = schema->is_key ? route->table->key_schema : route->table->value_schema;
    if (text == NULL) {
        avro_schema_envelope(&made, route->table);
        text = bytes_text(&made);
    }
    registry_register(route->topic->routes->params.registry, subject, text, on_id, schema);
}

// --- topics and routes ---

static struct route_topic *find_topic(struct topic_routes *r, const char *name,
                                      const struct text_pairs *config)
{
    struct route_topic *t = NULL;
    HASH_FIND_STR(r->topics, name, t);
    if (t == NULL) {
        t = memory_zeroed(1, sizeof(*t));
        t->routes = r;
        t->name = memory_string(name);
        t->config = config;
        HASH_ADD_KEYPTR(hh, r->topics, t->name, strlen(t->name), t);
    }
    return t;
}

static void ask(struct route *route, bool is_first)
{
    struct topic_routes *r = route->topic->routes;
    need_queue_ask(&r->topic_needs, &route->topic->need, is_first);
    if (route->has_key) {
        need_queue_ask(&r->schema_needs, &route->key.need, is_first);
    }
    if (route->has_value) {
        need_queue_ask(&r->schema_needs, &route->value.need, is_first);
    }
    run(r);
    (void)update(route);
}

static struct route *add_route(struct topic_routes *r, const uint8_t *identity, struct route_topic *t)
{
    struct route *route = memory_zeroed(1, sizeof(*route));
    route->topic = t;
    route->shown.name = t->name;
    route->shown.of = t;
    route->shown.outage = t->outage;
    memcpy(route->identity, identity, sizeof(route->identity));
    route->key = (struct schema_need){.route = route, .id = &route->shown.key_id, .is_key = true};
    route->value = (struct schema_need){.route = route, .id = &route->shown.value_id};
    DL_APPEND(t->first, route);
    HASH_ADD(hh, r->all, identity, sizeof(route->identity), route);
    return route;
}

static void drop_schema(struct topic_routes *r, struct schema_need *n)
{
    if (n->need.state == NEED_IN_FLIGHT) {
        registry_cancel(r->params.registry, n);
    }
    need_queue_drop(&r->schema_needs, &n->need);
}

// Goes on with the next topic: TOPIC.v2, TOPIC.v3 … Which one a schema gets depends on the registry alone, so
// it is the same after a restart: the first whose subjects have the schema, or accept it.
static bool fork_route(struct route *route, const struct fault *f)
{
    struct topic_routes *r = route->topic->routes;
    if (!r->params.forks || route_refusal_of(f) != ROUTE_REFUSAL_INCOMPATIBLE || route->fork == FORKS_MAX) {
        return false;
    }
    route->fork++;
    CLEANUP(memory_free_pointer) char *name = memory_format("%s.v%u", route->table->topic, route->fork + 1);
    log_warn(r->params.component, "table_forked",
             LOG_WITH(LOG_TEXT("topic", route->topic->name), LOG_TEXT("to", name)),
             "records of %s.%s go to topic %s from this schema on: %s", route->table->schema,
             route->table->name, name, f->text);
    drop_schema(r, &route->key);
    drop_schema(r, &route->value);
    DL_DELETE(route->topic->first, route);
    route->topic = find_topic(r, name, route->topic->config);
    route->topic->has_rows = true;
    DL_APPEND(route->topic->first, route);
    route->shown.name = route->topic->name;
    route->shown.of = route->topic;
    route->shown.outage = route->topic->outage;
    route->shown.key_id = route->shown.value_id = 0;
    ask(route, route->is_used);
    return true;
}

// The topic stays: it is not made again for the next version.
static void free_route(struct route *route)
{
    struct topic_routes *r = route->topic->routes;
    drop_schema(r, &route->key);
    drop_schema(r, &route->value);
    DL_DELETE(route->topic->first, route);
    HASH_DEL(r->all, route);
    free(route->fault);
    free(route);
}

static void release_route(void *shown)
{
    struct route *route = shown;
    if (--route->users == 0) {
        free_route(route);
    }
}

// SHA-256 of topic and schemas, so that no copy of them needs to be kept.
static void identify(const char *topic, const struct table *table, uint8_t *ret)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    const char *parts[] = {topic, table == NULL ? NULL : table->key_schema,
                           table == NULL ? NULL : table->value_schema};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        bytes_append_byte(&text, parts[i] != NULL);
        bytes_append_string(&text, parts[i] == NULL ? "" : parts[i]);
        bytes_append_byte(&text, 0);
    }
    if (table != NULL) {
        bytes_append(&text, table->schemas_hash, sizeof(table->schemas_hash));
    }
    (void)SHA256(text.data, text.size, ret);
}

// The version's route, found or made.
static struct route *get_route(struct topic_routes *r, struct table *table)
{
    if (table->route != NULL) {
        return table->route;
    }
    uint8_t identity[SHA256_DIGEST_LENGTH];
    struct route *route = NULL;
    identify(table->topic, table, identity);
    HASH_FIND(hh, r->all, identity, sizeof(identity), route);
    if (route == NULL) {
        route = add_route(r, identity, find_topic(r, table->topic, NULL));
        route->has_key = table->key_schema != NULL;
        route->has_value = route->topic->has_rows = true;
        table_retain(table);
        route->table = table;
    }
    table->route = &route->shown;
    table->free_route = release_route;
    route->users++;
    return route;
}

static struct topic_route *use(struct route *route)
{
    route->is_used = true;
    if (route->shown.status == TOPIC_ROUTE_WAITING) {
        ask(route, true);
    }
    make_handle(route);
    return &route->shown;
}

struct topic_route *topic_routes_find(struct topic_routes *r, struct table *table)
{
    return use(get_route(r, table));
}

void topic_routes_prepare(struct topic_routes *r, struct table *table)
{
    ask(get_route(r, table), false);
}

void topic_routes_prepare_topic(struct topic_routes *r, const char *topic)
{
    struct route_topic *t = find_topic(r, topic, NULL);
    t->has_rows = true;
    need_queue_ask(&r->topic_needs, &t->need, false);
    run(r);
}

bool topic_routes_has_rows(const struct topic_routes *r, const char *topic)
{
    const struct route_topic *t = NULL;
    HASH_FIND_STR(r->topics, topic, t);
    return t != NULL && t->has_rows;
}

struct topic_route *topic_routes_find_schemaless(struct topic_routes *r, const char *topic,
                                                 const struct text_pairs *config)
{
    uint8_t identity[SHA256_DIGEST_LENGTH];
    struct route *route = NULL;
    identify(topic, NULL, identity);
    HASH_FIND(hh, r->all, identity, sizeof(identity), route);
    if (route == NULL) {
        route = add_route(r, identity, find_topic(r, topic, config));
        route->topic->has_events = true;
    }
    return use(route);
}

// --- lifecycle ---

// The admin client of a closed sink does not answer any more.
static void drop_sink(struct topic_routes *r)
{
    struct route_topic *t;
    struct route_topic *next_topic;
    struct route *route;
    struct route *next;
    r->admin = NULL;
    HASH_ITER (hh, r->topics, t, next_topic) {
        need_queue_drop(&r->topic_needs, &t->need);
        t->uncounted_us = 0;
    }
    HASH_ITER (hh, r->all, route, next) {
        route->shown.topic = NULL;
        route->shown.status = TOPIC_ROUTE_WAITING;
    }
}

static void ask_again(struct schema_need *n, struct need_queue *q)
{
    if (n->need.state == NEED_REFUSED) {
        need_queue_drop(q, &n->need);
        need_queue_ask(q, &n->need, false);
    }
}

void topic_routes_attach(struct topic_routes *r, struct kafka_sink *sink)
{
    struct route_topic *t;
    struct route_topic *next_topic;
    struct route *route;
    struct route *next;
    drop_sink(r);
    r->sink = sink;
    if (sink == NULL) {
        return;
    }
    r->admin = kafka_sink_admin(sink);
    HASH_ITER (hh, r->topics, t, next_topic) {
        need_queue_ask(&r->topic_needs, &t->need, false);
    }
    HASH_ITER (hh, r->all, route, next) {
        ask_again(&route->key, &r->schema_needs);
        ask_again(&route->value, &r->schema_needs);
    }
    run(r);
}

static void on_retry_closed(uv_handle_t *handle)
{
    free(handle);
}

struct topic_routes *topic_routes_new(const struct topic_routes_params *params)
{
    struct topic_routes *r = memory_zeroed(1, sizeof(*r));
    r->params = *params;
    r->topic_needs = (struct need_queue){.in_flight_max = TOPICS_IN_FLIGHT, .request = request_topic};
    r->schema_needs = (struct need_queue){.in_flight_max = SCHEMAS_IN_FLIGHT, .request = request_schema};
    r->backoff = backoff_make(200 * CLOCK_US_PER_MS, 30 * CLOCK_US_PER_S);
    r->retry = memory_zeroed(1, sizeof(*r->retry));
    r->retry->data = r;
    (void)uv_timer_init(params->loop, r->retry);
    return r;
}

static void free_topics(struct topic_routes *r)
{
    struct route_topic *t;
    struct route_topic *next;
    HASH_ITER (hh, r->topics, t, next) {
        HASH_DEL(r->topics, t);
        free(t->name);
        free(t->outage);
        free(t->fault);
        free(t);
    }
}

void topic_routes_free(struct topic_routes *r)
{
    if (r == NULL) {
        return;
    }
    struct route *route;
    struct route *next;
    drop_sink(r);
    HASH_ITER (hh, r->all, route, next) {
        route->users++;  // its table, which may be freed now, does not free it
        table_free(TAKE(route->table));
        free_route(route);
    }
    free_topics(r);
    (void)uv_timer_stop(r->retry);
    uv_close((uv_handle_t *)r->retry, on_retry_closed);
    free(r);
}

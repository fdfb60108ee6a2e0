// connectors/kafka/topic_route with a Kafka and a registry that answer as the test says: what the log tells
// of a topic that does not get ready.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "connectors/kafka/topic_route.h"
#include "core/base/clock.h"
#include "core/base/log.h"

static struct topic_routes *routes;
static uv_loop_t loop;
static int64_t now_us;
enum { MAX = 300 };

static struct {
    kafka_on_done on_done;
    void *self;
    char name[16];
} topics[MAX];
static int requests;
static registry_on_id on_schema[MAX];
static void *schema_self[MAX];
static const void *cancelled;
static int schema_count;
static char registered[8192];  // the last schema
static int warnings;
static int endings;
static char newest[400];
static int sink;

struct kafka_admin *kafka_sink_admin(struct kafka_sink *s)
{
    return (struct kafka_admin *)(void *)s;
}

struct kafka_sink_topic *kafka_sink_topic(struct kafka_sink *s, const char *name)
{
    (void)name;
    return (struct kafka_sink_topic *)(void *)s;
}

static int32_t partitions;

int32_t kafka_sink_partitions(struct kafka_sink_topic *topic)
{
    (void)topic;
    return partitions;
}

bool kafka_sink_reason(const struct kafka_sink *s, char *ret_text, size_t size)
{
    (void)s;
    (void)snprintf(ret_text, size, "topic t: Broker: Unknown topic or partition");
    return true;
}

void kafka_admin_ensure_topic(struct kafka_admin *a, const struct kafka_topic_spec *spec,
                              kafka_on_done on_done, void *self)
{
    (void)a;
    topics[requests].on_done = on_done;
    (void)snprintf(topics[requests].name, sizeof(topics[requests].name), "%s", spec->name);
    topics[requests++].self = self;
}

void registry_register(struct registry *r, const char *subject, const char *schema, registry_on_id on_id,
                       void *self)
{
    (void)r;
    (void)subject;
    (void)snprintf(registered, sizeof(registered), "%s", schema);
    on_schema[schema_count] = on_id;
    schema_self[schema_count++] = self;
}

void registry_cancel(struct registry *r, const void *self)
{
    (void)r;
    cancelled = self;
}

void log_write(enum log_level level, const char *component, const char *event, const struct log_value *values,
               const char *format, ...)
{
    (void)component;
    (void)values;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(newest, sizeof(newest), format, arguments);
    va_end(arguments);
    warnings += level == LOG_LEVEL_WARN && strcmp(event, "topic_not_ready") == 0;
    endings += level == LOG_LEVEL_INFO && strcmp(event, "topic_ready") == 0;
}

static void on_change(void *self)
{
    (void)self;
}

static void on_settings(void *settings, struct kafka_topic_spec *io)
{
    (void)settings;
    io->partitions = 3;
}

static void on_made(void *made, const char *topic)
{
    (void)made;
    (void)topic;
}

static int set_up(void **state)
{
    (void)state;
    (void)uv_loop_init(&loop);
    now_us = 0;
    clock_fake(0, 0);
    warnings = endings = schema_count = requests = 0;
    cancelled = NULL;
    struct topic_routes_params params = {.loop = &loop,
                                         .component = "connector/shop",
                                         .on_settings = on_settings,
                                         .on_made = on_made,
                                         .on_change = on_change};
    routes = topic_routes_new(&params);
    topic_routes_attach(routes, (struct kafka_sink *)(void *)&sink);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    topic_routes_free(routes);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    clock_fake(-1, 0);
    return 0;
}

static void answer_one(int at, const char *why)
{
    struct fault f;
    if (why != NULL) {
        (void)fault_set(&f, FAULT_RETRY, "%s", why);
    }
    topics[at].on_done(topics[at].self, why == NULL ? NULL : &f);
}

static void answer(const char *why)
{
    answer_one(requests - 1, why);
}

// One more attempt, some seconds after the last one.
static void attempt_after(int64_t seconds, const char *why)
{
    now_us += seconds * CLOCK_US_PER_S;
    clock_fake(now_us, now_us);
    requests = 0;
    topic_routes_attach(routes, (struct kafka_sink *)(void *)&sink);
    answer(why);
}

static void a_topic_that_does_not_get_ready_is_told_once_and_then_less_and_less_often(void **state)
{
    (void)state;
    (void)topic_routes_find_schemaless(routes, "t", NULL);
    answer("no answer");
    assert_int_equal(warnings, 1);
    for (int i = 0; i < 360; i++) {  // an hour, one attempt in ten seconds
        attempt_after(10, "no answer");
    }
    assert_in_range(warnings, 3, 8);
    assert_non_null(strstr(newest, "no answer"));
}

static void another_reason_is_told_too(void **state)
{
    (void)state;
    (void)topic_routes_find_schemaless(routes, "t", NULL);
    answer("no answer");
    attempt_after(40, "no leader");
    assert_int_equal(warnings, 2);
    assert_non_null(strstr(newest, "no leader"));
    for (int i = 0; i < 5; i++) {  // reasons that alternate are no news
        attempt_after(1, i % 2 == 0 ? "no answer" : "no leader");
    }
    assert_int_equal(warnings, 2);
}

static void that_it_is_ready_is_told_if_it_was_not(void **state)
{
    (void)state;
    struct topic_route *t = topic_routes_find_schemaless(routes, "t", NULL);
    answer("no answer");
    attempt_after(70, NULL);
    assert_int_equal(t->status, TOPIC_ROUTE_READY);
    assert_int_equal(endings, 1);
    (void)topic_routes_find_schemaless(routes, "u", NULL);
    answer(NULL);
    assert_int_equal(endings, 1);
}

static void what_a_topic_needs_twice_is_told_once(void **state)
{
    (void)state;
    static char topic[] = "t";
    static char schema[] = "{}";
    static struct table table = {.topic = topic, .key_schema = schema, .value_schema = schema};
    struct fault f;
    topic_routes_prepare_topic(routes, "t");
    answer(NULL);
    struct topic_route *t = topic_routes_find(routes, &table);
    assert_int_equal(requests, 1);  // the topic is there
    (void)fault_set(&f, FAULT_RETRY, "the registry does not answer");
    on_schema[0](schema_self[0], 0, &f);
    on_schema[1](schema_self[1], 0, &f);
    assert_int_equal(warnings, 1);
    assert_true(t->outage->is_on);
    assert_string_equal(t->outage->text, "the registry does not answer");
}

static void two_routes_of_a_topic_tell_it_once_and_again_later(void **state)
{
    (void)state;
    static char topic[] = "t";
    static char schema[] = "{}";
    static struct table table = {.topic = topic, .value_schema = schema};
    (void)topic_routes_find_schemaless(routes, "t", NULL);
    answer("no answer");
    now_us = CLOCK_US_PER_S;
    clock_fake(now_us, now_us);
    (void)topic_routes_find(routes, &table);
    assert_int_equal(requests, 1);
    assert_int_equal(warnings, 1);
    now_us = 100 * CLOCK_US_PER_S;
    attempt_after(0, "no answer");
    assert_int_equal(requests, 1);
    assert_int_equal(warnings, 2);
}

static void a_number_of_partitions_that_does_not_come_is_told(void **state)
{
    (void)state;
    partitions = 0;
    struct topic_route *t = topic_routes_find_schemaless(routes, "t", NULL);
    answer(NULL);
    for (int i = 1; i < 120; i++) {  // asked once a second
        now_us = i * CLOCK_US_PER_S;
        clock_fake(now_us, now_us);
        assert_int_equal(topic_route_partitions(t), 0);
        assert_int_equal(warnings, i < 3 ? 0 : i < 63 ? 1 : 2);
    }
    assert_true(t->outage->is_on);
    assert_non_null(strstr(t->outage->text, "how many partitions"));
    assert_non_null(strstr(t->outage->text, "Unknown topic or partition"));
    partitions = 3;
    assert_int_equal(topic_route_partitions(t), 3);
    assert_int_equal(endings, 1);
    assert_false(t->outage->is_on);
}

// --- many tables ---

static struct table *new_table(int number, const char *schema)
{
    struct table *t = memory_zeroed(1, sizeof(*t));
    t->topic = memory_format("t%d", number);
    t->value_schema = memory_string(schema);
    return t;
}

static void many_tables_are_requested_side_by_side_and_the_one_that_a_record_waits_for_is_next(void **state)
{
    (void)state;
    enum { TABLES = 120 };
    struct table *all[TABLES];
    for (int i = 0; i < TABLES; i++) {
        all[i] = new_table(i, "{}");
        topic_routes_prepare(routes, all[i]);
    }
    assert_int_equal(requests, 100);
    assert_int_equal(schema_count, TABLES);
    struct topic_route *last = topic_routes_find(routes, all[TABLES - 1]);
    answer_one(0, NULL);
    assert_int_equal(requests, 101);
    assert_string_equal(topics[100].name, "t119");
    answer_one(100, NULL);
    assert_string_equal(topics[101].name, "t100");
    assert_int_equal(last->status, TOPIC_ROUTE_WAITING);
    on_schema[TABLES - 1](schema_self[TABLES - 1], 7, NULL);
    assert_int_equal(last->status, TOPIC_ROUTE_READY);
    assert_int_equal(last->value_id, 7);
    assert_non_null(last->topic);
    on_schema[0](schema_self[0], 8, NULL);
    const struct topic_route *unused = all[0]->route;
    assert_int_equal(unused->status, TOPIC_ROUTE_READY);
    assert_null(unused->topic);  // a handle costs memory: it is made for a record
    assert_non_null(topic_routes_find(routes, all[0])->topic);
    for (int i = 0; i < TABLES; i++) {
        table_free(all[i]);
    }
}

static void a_schema_is_written_when_it_is_registered_and_not_kept(void **state)
{
    (void)state;
    struct table *versions[2];
    for (int i = 0; i < 2; i++) {
        versions[i] = new_table(1, "");
        free(TAKE(versions[i]->value_schema));
        versions[i]->prefix = memory_string("p");
        versions[i]->schema = memory_string("public");
        versions[i]->name = memory_string("items");
        versions[i]->schemas_hash[0] = (uint8_t)i;
        topic_routes_prepare(routes, versions[i]);
    }
    assert_int_equal(schema_count, 2);  // they differ
    assert_non_null(strstr(registered, "\"p.public.items.Envelope\""));
    assert_null(versions[1]->value_schema);
    for (int i = 0; i < 2; i++) {
        on_schema[i](schema_self[i], i + 1, NULL);
        table_free(versions[i]);
    }
}

static void equal_versions_share_a_route_which_goes_with_the_last_of_them(void **state)
{
    (void)state;
    struct table *old = new_table(1, "{}");
    struct table *same = new_table(1, "{}");
    struct table *other = new_table(1, "{\"x\":1}");
    struct topic_route *route = topic_routes_find(routes, old);
    assert_ptr_equal(topic_routes_find(routes, same), route);
    assert_int_equal(schema_count, 1);
    assert_ptr_not_equal(topic_routes_find(routes, other), route);
    assert_int_equal(requests, 1);
    answer(NULL);
    assert_int_equal(old->uses, 1);  // its text is needed until it has an id
    on_schema[0](schema_self[0], 5, NULL);
    assert_int_equal(route->status, TOPIC_ROUTE_READY);
    assert_int_equal(old->uses, 0);
    table_free(old);
    assert_ptr_equal(topic_routes_find(routes, same), route);
    table_free(same);
    same = new_table(1, "{}");
    assert_int_equal(schema_count, 2);
    (void)topic_routes_find(routes, same);
    assert_int_equal(schema_count, 3);  // the route had gone
    table_free(same);
    table_free(other);
    assert_null(cancelled);
}

// --- schemas that are refused ---

static void refuse(int at)
{
    struct fault f;
    (void)fault_from(&f, FAULT_CONFIG, "registry", 409, "field w has no default");
    on_schema[at](schema_self[at], 0, &f);
}

static void a_refused_schema_fails_its_table_alone_and_what_may_be_permitted_is_asked_again(void **state)
{
    (void)state;
    struct table *one = new_table(1, "{}");
    struct table *two = new_table(2, "{}");
    struct fault f;
    const struct topic_route *mine = topic_routes_find(routes, one);
    const struct topic_route *other = topic_routes_find(routes, two);
    refuse(0);
    assert_int_equal(mine->status, TOPIC_ROUTE_FAILED);
    assert_true(mine->is_refused);
    assert_string_equal(mine->fault->text, "field w has no default");
    (void)fault_from(&f, FAULT_CONFIG, "registry", 40101, "who are you?");
    on_schema[1](schema_self[1], 0, &f);
    assert_int_equal(other->status, TOPIC_ROUTE_WAITING);
    assert_string_equal(other->outage->text, "who are you?");
    assert_non_null(strstr(newest, "who are you?"));
    answer_one(1, NULL);
    (void)uv_run(&loop, UV_RUN_ONCE);  // until the retry is due
    assert_int_equal(schema_count, 3);
    on_schema[2](schema_self[2], 4, NULL);
    assert_int_equal(other->status, TOPIC_ROUTE_READY);
    table_free(one);
    table_free(two);
}

static void a_refused_schema_goes_to_the_next_topic_that_takes_it(void **state)
{
    (void)state;
    topic_routes_free(routes);
    struct topic_routes_params params = {.loop = &loop,
                                         .component = "connector/shop",
                                         .forks = true,
                                         .on_settings = on_settings,
                                         .on_made = on_made,
                                         .on_change = on_change};
    routes = topic_routes_new(&params);
    topic_routes_attach(routes, (struct kafka_sink *)(void *)&sink);
    struct table *t = new_table(1, "{}");
    t->schema = memory_string("public");
    t->name = memory_string("t");
    const struct topic_route *route = topic_routes_find(routes, t);
    refuse(0);
    assert_string_equal(topics[1].name, "t1.v2");
    refuse(1);
    assert_string_equal(topics[2].name, "t1.v3");
    assert_string_equal(route->name, "t1.v3");
    on_schema[2](schema_self[2], 9, NULL);
    assert_int_equal(route->status, TOPIC_ROUTE_WAITING);
    answer_one(0, NULL);
    assert_int_equal(route->status, TOPIC_ROUTE_WAITING);
    answer_one(2, NULL);
    assert_int_equal(route->status, TOPIC_ROUTE_READY);
    assert_int_equal(route->value_id, 9);
    assert_non_null(strstr(newest, "field w has no default"));
    table_free(t);
}

static void a_registry_that_refuses_all_schemas_makes_no_table_go_elsewhere(void **state)
{
    (void)state;
    topic_routes_free(routes);
    struct topic_routes_params params = {.loop = &loop,
                                         .component = "connector/shop",
                                         .forks = true,
                                         .on_settings = on_settings,
                                         .on_made = on_made,
                                         .on_change = on_change};
    routes = topic_routes_new(&params);
    topic_routes_attach(routes, (struct kafka_sink *)(void *)&sink);
    struct table *t = new_table(1, "{}");
    t->schema = memory_string("public");
    t->name = memory_string("t");
    struct fault f;
    const struct topic_route *route = topic_routes_find(routes, t);
    (void)fault_from(&f, FAULT_CONFIG, "registry", 42205, "Subject t1-value is in read-only mode");
    on_schema[0](schema_self[0], 0, &f);
    assert_string_equal(route->name, "t1");
    assert_int_equal(route->status, TOPIC_ROUTE_WAITING);
    table_free(t);
}

static void a_topic_of_events_is_no_table_s(void **state)
{
    (void)state;
    (void)topic_routes_find_schemaless(routes, "t1", NULL);
    assert_false(topic_routes_has_rows(routes, "t1"));
    struct table *late = new_table(1, "{}");
    const struct topic_route *route = topic_routes_find(routes, late);
    assert_int_equal(route->status, TOPIC_ROUTE_FAILED);
    assert_true(route->is_refused);
    topic_routes_attach(routes, (struct kafka_sink *)(void *)&sink);  // it stays so with another sink
    route = topic_routes_find(routes, late);
    assert_int_equal(route->status, TOPIC_ROUTE_FAILED);
    topic_routes_prepare_topic(routes, "t2");
    assert_true(topic_routes_has_rows(routes, "t2"));
    table_free(late);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown((name), set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_topic_that_does_not_get_ready_is_told_once_and_then_less_and_less_often),
        CASE(another_reason_is_told_too),
        CASE(that_it_is_ready_is_told_if_it_was_not),
        CASE(what_a_topic_needs_twice_is_told_once),
        CASE(two_routes_of_a_topic_tell_it_once_and_again_later),
        CASE(a_number_of_partitions_that_does_not_come_is_told),
        CASE(many_tables_are_requested_side_by_side_and_the_one_that_a_record_waits_for_is_next),
        CASE(a_schema_is_written_when_it_is_registered_and_not_kept),
        CASE(equal_versions_share_a_route_which_goes_with_the_last_of_them),
        CASE(a_refused_schema_fails_its_table_alone_and_what_may_be_permitted_is_asked_again),
        CASE(a_refused_schema_goes_to_the_next_topic_that_takes_it),
        CASE(a_registry_that_refuses_all_schemas_makes_no_table_go_elsewhere),
        CASE(a_topic_of_events_is_no_table_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "core/kafka/kafka_client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "tests/component/mock_kafka.h"

static struct mock_kafka kafka;

static int start(void **state)
{
    (void)state;
    mock_kafka_start(&kafka);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    mock_kafka_stop(&kafka);
    return 0;
}

static rd_kafka_t *open_producer(const struct settings *with)
{
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    struct fault f;
    assert_true(kafka_client_conf(with, KAFKA_PRODUCER, NULL, &conf, &f));
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
    assert_true(kafka_client_open(conf, KAFKA_PRODUCER, &rk, &f));
    return rk;
}

static void expect_property(const rd_kafka_conf_t *conf, const char *key, const char *expected)
{
    char value[128] = "";
    size_t size = sizeof(value);
    assert_int_equal(rd_kafka_conf_get(conf, key, value, &size), RD_KAFKA_CONF_OK);
    assert_string_equal(value, expected);
}

static void our_defaults_yield_to_the_user_and_the_promise_to_nobody(void **state)
{
    (void)state;
    struct settings mine = {0};
    struct fault f;
    rd_kafka_conf_t *conf;
    text_pairs_set(&mine.kafka, "linger.ms", "7");
    const char *const extra[] = {"client.id", "me", NULL};
    assert_true(kafka_client_conf(&mine, KAFKA_PRODUCER, extra, &conf, &f));
    expect_property(conf, "linger.ms", "7");
    expect_property(conf, "compression.type", "lz4");
    expect_property(conf, "enable.idempotence", "true");
    expect_property(conf, "client.id", "me");
    rd_kafka_conf_destroy(conf);
    assert_true(kafka_client_conf(&mine, KAFKA_CONSUMER, NULL, &conf, &f));
    expect_property(conf, "enable.auto.commit", "false");
    expect_property(conf, "partition.assignment.strategy", "cooperative-sticky");
    rd_kafka_conf_destroy(conf);
    text_pairs_clear(&mine.kafka);
}

static void the_largest_record_fits_the_producers_queue(void **state)
{
    (void)state;
    struct settings mine = {0};
    struct fault f;
    rd_kafka_conf_t *conf;
    assert_true(kafka_client_conf(&mine, KAFKA_PRODUCER, NULL, &conf, &f));
    expect_property(conf, "queue.buffering.max.kbytes", "4096");
    rd_kafka_conf_destroy(conf);
    text_pairs_set(&mine.kafka, "message.max.bytes", "10485760");
    assert_true(kafka_client_conf(&mine, KAFKA_PRODUCER, NULL, &conf, &f));
    expect_property(conf, "queue.buffering.max.kbytes", "20482");
    rd_kafka_conf_destroy(conf);
    text_pairs_set(&mine.kafka, "queue.buffering.max.kbytes", "65536");
    assert_true(kafka_client_conf(&mine, KAFKA_PRODUCER, NULL, &conf, &f));
    expect_property(conf, "queue.buffering.max.kbytes", "65536");
    rd_kafka_conf_destroy(conf);
    text_pairs_clear(&mine.kafka);
}

static void an_unknown_property_is_named_and_a_bad_value_is_not_shown(void **state)
{
    (void)state;
    struct settings bad = {0};
    struct fault f;
    rd_kafka_conf_t *conf;
    text_pairs_set(&bad.kafka, "boostrap.servers", "x");
    assert_false(kafka_client_conf(&bad, KAFKA_PRODUCER, NULL, &conf, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "boostrap.servers"));
    text_pairs_clear(&bad.kafka);
    text_pairs_set(&bad.kafka, "security.protocol", "hunter2");
    assert_false(kafka_client_conf(&bad, KAFKA_PRODUCER, NULL, &conf, &f));
    assert_null(strstr(f.text, "hunter2"));
    text_pairs_clear(&bad.kafka);
}

static void count_line(void *self, const char *facility, const char *text)
{
    (void)text;
    if (strcmp(facility, "TERMINATE") == 0) {
        atomic_fetch_add((atomic_int *)self, 1);
    }
}

/** Whether what a client says at its end is written, when a reader wants it and the user has this property.
 */
static bool is_line_written(const char *property, const char *value)
{
    struct settings mine = {0};
    struct fault f;
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    atomic_int count = 0;
    struct kafka_log_reader reader = {.on_line = count_line, .self = &count};
    text_pairs_set(&mine.kafka, property, value);
    assert_true(kafka_client_conf(&mine, KAFKA_PRODUCER, NULL, &conf, &f));
    kafka_client_read_log(conf, "generic", &reader);
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    (void)dup2(fileno(file), STDERR_FILENO);
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG);
    bool is_open = kafka_client_open(conf, KAFKA_PRODUCER, &rk, &f);
    if (is_open) {
        rd_kafka_destroy(rk);
    }
    log_finish();
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    (void)dup2(saved, STDERR_FILENO);
    close(saved);
    char text[1 << 16];
    rewind(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    (void)fclose(file);
    text_pairs_clear(&mine.kafka);
    assert_true(is_open);
    assert_true(atomic_load(&count) > 0);
    return strstr(text, "TERMINATE") != NULL;
}

static void a_line_for_a_reader_is_written_only_if_the_user_asked_for_it(void **state)
{
    (void)state;
    assert_false(is_line_written("client.id", "me"));
    assert_false(is_line_written("log_level", "3"));
    assert_true(is_line_written("debug", "generic"));
}

struct counter {
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    int wakes;
    int reports;
    int budget;  // events a turn; 0: all
};

static void drain(void *self)
{
    struct counter *c = self;
    c->wakes++;
    for (int i = 0; c->budget == 0 || i < c->budget; i++) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(c->queue, 0);
        if (event == NULL) {
            return;
        }
        c->reports += (int)rd_kafka_event_message_count(event);
        rd_kafka_event_destroy(event);
    }
    kafka_watch_again(c->watch);
}

static void produce(rd_kafka_t *rk, int count)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal(
            rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("t"), RD_KAFKA_V_VALUE("x", 1), RD_KAFKA_V_END), 0);
    }
}

static void a_queue_wakes_the_loop_each_time_it_fills_again(void **state)
{
    (void)state;
    rd_kafka_t *rk = open_producer(&kafka.settings);
    struct counter c = {.queue = rd_kafka_queue_get_main(rk)};
    c.watch = kafka_watch_start(&kafka.loop, c.queue, drain, &c);
    for (int round = 1; round <= 20; round++) {
        produce(rk, 1);
        while (c.reports < round) {
            (void)uv_run(&kafka.loop, UV_RUN_ONCE);
        }
    }
    kafka_watch_stop(c.watch);
    rd_kafka_queue_destroy(c.queue);
    rd_kafka_destroy(rk);
}

static void a_drain_that_stops_at_its_budget_goes_on_next_turn(void **state)
{
    (void)state;
    rd_kafka_t *rk = open_producer(&kafka.settings);
    struct counter c = {.queue = rd_kafka_queue_get_main(rk), .budget = 1};
    c.watch = kafka_watch_start(&kafka.loop, c.queue, drain, &c);
    produce(rk, 1000);
    while (c.reports < 1000) {
        (void)uv_run(&kafka.loop, UV_RUN_ONCE);
    }
    kafka_watch_stop(c.watch);
    rd_kafka_queue_destroy(c.queue);
    rd_kafka_destroy(rk);
}

struct made {
    int calls;
    struct fault fault;
};

static void on_made(void *self, const struct fault *f)
{
    struct made *m = self;
    m->calls++;
    m->fault = f == NULL ? (struct fault){0} : *f;
}

static void a_topic_is_made_where_create_topics_is_unknown(void **state)
{
    (void)state;
    rd_kafka_t *rk = open_producer(&kafka.settings);
    struct kafka_admin *a = kafka_admin_start(&kafka.loop, rk);
    struct made m = {0};
    kafka_admin_ensure_topic(a, &(struct kafka_topic_spec){.name = "made", .partitions = 1}, on_made, &m);
    assert_int_equal(m.calls, 0);
    while (m.calls == 0) {
        (void)uv_run(&kafka.loop, UV_RUN_ONCE);
    }
    assert_string_equal(m.fault.text, "");
    assert_int_equal(m.fault.kind, FAULT_NONE);
    kafka_admin_stop(a);
    rd_kafka_destroy(rk);
}

static void a_wish_that_makes_no_sense_is_refused_on_the_loop(void **state)
{
    (void)state;
    rd_kafka_t *rk = open_producer(&kafka.settings);
    struct kafka_admin *a = kafka_admin_start(&kafka.loop, rk);
    struct made m = {0};
    kafka_admin_ensure_topic(a, &(struct kafka_topic_spec){.name = "x", .partitions = 100001}, on_made, &m);
    assert_int_equal(m.calls, 0);
    while (m.calls == 0) {
        (void)uv_run(&kafka.loop, UV_RUN_ONCE);
    }
    assert_int_equal(m.fault.kind, FAULT_CONFIG);
    kafka_admin_stop(a);
    rd_kafka_destroy(rk);
}

static void stopping_drops_what_waits_for_an_absent_broker(void **state)
{
    (void)state;
    struct settings nowhere = {0};
    text_pairs_set(&nowhere.kafka, "bootstrap.servers", "127.0.0.1:1");
    rd_kafka_t *rk = open_producer(&nowhere);
    struct kafka_admin *a = kafka_admin_start(&kafka.loop, rk);
    struct made m = {0};
    kafka_admin_ensure_topic(a, &(struct kafka_topic_spec){.name = "x"}, on_made, &m);
    (void)uv_run(&kafka.loop, UV_RUN_NOWAIT);
    kafka_admin_stop(a);
    rd_kafka_destroy(rk);
    assert_int_equal(m.calls, 0);
    text_pairs_clear(&nowhere.kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_defaults_yield_to_the_user_and_the_promise_to_nobody),
        cmocka_unit_test(the_largest_record_fits_the_producers_queue),
        cmocka_unit_test(an_unknown_property_is_named_and_a_bad_value_is_not_shown),
        cmocka_unit_test(a_line_for_a_reader_is_written_only_if_the_user_asked_for_it),
        cmocka_unit_test(a_queue_wakes_the_loop_each_time_it_fills_again),
        cmocka_unit_test(a_drain_that_stops_at_its_budget_goes_on_next_turn),
        cmocka_unit_test(a_topic_is_made_where_create_topics_is_unknown),
        cmocka_unit_test(a_wish_that_makes_no_sense_is_refused_on_the_loop),
        cmocka_unit_test(stopping_drops_what_waits_for_an_absent_broker),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

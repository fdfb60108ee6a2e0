// connectors/kafka/kafka_probe against the mock broker.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "connectors/kafka/kafka_probe.h"

struct seen {
    struct kafka_probe *probe;
    int topics;
    int stops;
};

static void on_change(void *self, const char *why)
{
    (void)self;
    (void)why;
}

static void on_stopped(void *self)
{
    struct seen *s = self;
    s->stops++;
}

static void on_topic(void *self, const char *topic, int32_t partitions)
{
    struct seen *s = self;
    assert_string_equal(topic, "topic");
    assert_int_equal(partitions, 3);
    s->topics++;
    kafka_probe_stop(s->probe, on_stopped, s);
}

// As a session that ends at the change which waited for the number.
static void it_may_be_stopped_by_whom_it_tells_of_a_topic(void **state)
{
    (void)state;
    uv_loop_t loop;
    (void)uv_loop_init(&loop);
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(host, 1);
    assert_int_equal(rd_kafka_mock_topic_create(cluster, "topic", 3, 1), 0);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *servers = rd_kafka_mock_cluster_bootstraps(cluster);
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", servers, NULL, 0), RD_KAFKA_CONF_OK);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, "topic", NULL);
    struct seen seen = {0};
    seen.probe = kafka_probe_start(&loop, rk, on_change, on_topic, &seen);
    kafka_probe_ask(seen.probe);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(seen.topics, 1);
    assert_int_equal(seen.stops, 1);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_may_be_stopped_by_whom_it_tells_of_a_topic)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// connectors/kafka/kafka_push against the mock broker: with a linger.ms of ten minutes only a push lets a
// record go.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "connectors/kafka/kafka_push.h"
#include "core/base/memory.h"

struct fixture {
    uv_loop_t loop;
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *rk;
    rd_kafka_queue_t *reports;
    int done;
    bool is_stopped;
};

static int set_up(void **state)
{
    struct fixture *x = memory_zeroed(1, sizeof(*x));
    (void)uv_loop_init(&x->loop);
    x->host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
    x->cluster = rd_kafka_mock_cluster_new(x->host, 1);
    assert_int_equal(rd_kafka_mock_topic_create(x->cluster, "topic", 1, 1), 0);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *servers = rd_kafka_mock_cluster_bootstraps(x->cluster);
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", servers, NULL, 0), RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "linger.ms", "600000", NULL, 0), RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "message.timeout.ms", "0", NULL, 0), RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "enable.idempotence", "true", NULL, 0), RD_KAFKA_CONF_OK);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
    x->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    assert_non_null(x->rk);
    x->reports = rd_kafka_queue_get_main(x->rk);
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *x = *state;
    rd_kafka_queue_destroy(x->reports);
    (void)rd_kafka_purge(x->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(x->rk);
    rd_kafka_mock_cluster_destroy(x->cluster);
    rd_kafka_destroy(x->host);
    assert_int_equal(uv_loop_close(&x->loop), 0);
    free(x);
    return 0;
}

static void on_done(void *self)
{
    ((struct fixture *)self)->done++;
}

static void on_stopped(void *self)
{
    ((struct fixture *)self)->is_stopped = true;
}

static void produce(struct fixture *x)
{
    assert_int_equal(rd_kafka_producev(x->rk, RD_KAFKA_V_TOPIC("topic"), RD_KAFKA_V_PARTITION(0),
                                       RD_KAFKA_V_VALUE("value", 5), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
}

// Pushes until the record is acknowledged: the first ones meet a producer that is still connecting.
static bool is_acknowledged(struct fixture *x, struct kafka_push *push)
{
    for (int i = 0; i < 2000; i++) {
        kafka_push_now(push);
        (void)uv_run(&x->loop, UV_RUN_DEFAULT);
        rd_kafka_event_t *event = rd_kafka_queue_poll(x->reports, 10);
        bool is_report = rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR;
        rd_kafka_event_destroy(event);
        if (is_report) {
            return true;
        }
    }
    return false;
}

static void a_pushed_record_does_not_wait_for_linger(void **state)
{
    struct fixture *x = *state;
    struct kafka_push *push = kafka_push_start(&x->loop, x->rk, on_done, x);
    produce(x);
    assert_true(is_acknowledged(x, push));
    int done = x->done;
    produce(x);
    assert_true(is_acknowledged(x, push));
    assert_true(x->done > done);
    assert_false(kafka_push_is_running(push));
    kafka_push_stop(push, on_stopped, x);
    assert_true(x->is_stopped);
}

static void stopping_waits_for_the_call_that_runs(void **state)
{
    struct fixture *x = *state;
    struct kafka_push *push = kafka_push_start(&x->loop, x->rk, on_done, x);
    produce(x);
    kafka_push_now(push);
    kafka_push_now(push);
    kafka_push_stop(push, on_stopped, x);
    assert_false(x->is_stopped);
    assert_true(kafka_push_is_running(push));
    (void)uv_run(&x->loop, UV_RUN_DEFAULT);
    assert_true(x->is_stopped);
    assert_int_equal(x->done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pushed_record_does_not_wait_for_linger, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopping_waits_for_the_call_that_runs, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

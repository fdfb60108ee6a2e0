// Another member joins the group: what the function settles meanwhile is committed then, and comes once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/kafka/kafka_client.h"
#include "tests/component/bridge/bridge_case.h"

static struct stub_answer always_ok(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200};
}

static bool has_committed(struct bridge_case *c, int64_t n)
{
    return case_committed(c, "fn") == n;
}

/** Another member of the function's group. */
struct rival {
    struct bridge_case c;  // first: the loop's conditions are given the case
    rd_kafka_t *rk;
};

static int assignments;  // of the rival

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                         void *self)
{
    (void)self;
    bool is_assigned = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    assignments += is_assigned;
    rd_kafka_error_t *error =
        is_assigned ? rd_kafka_incremental_assign(rk, list) : rd_kafka_incremental_unassign(rk, list);
    assert_null(error);
}

static void rival_join(struct rival *r)
{
    struct fault f;
    rd_kafka_conf_t *conf;
    const char *const extra[] = {"group.id", "millrace.fn", NULL};
    assert_true(kafka_client_conf(&r->c.settings, KAFKA_CONSUMER, extra, &conf, &f));
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    assert_true(kafka_client_open(conf, KAFKA_CONSUMER, &r->rk, &f));
    (void)rd_kafka_poll_set_consumer(r->rk);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, CASE_TOPIC, RD_KAFKA_PARTITION_UA);
    assert_int_equal(rd_kafka_subscribe(r->rk, topics), 0);
    rd_kafka_topic_partition_list_destroy(topics);
}

static bool has_rival_joined(struct bridge_case *c, int64_t n)
{
    struct rival *r = (struct rival *)c;
    rd_kafka_message_t *message = rd_kafka_consumer_poll(r->rk, 0);
    if (message != NULL) {
        rd_kafka_message_destroy(message);
    }
    return assignments >= n;
}

static void rival_leave(struct rival *r)
{
    (void)rd_kafka_consumer_close(r->rk);
    rd_kafka_destroy(r->rk);
}

static void what_is_settled_while_another_member_joins_is_committed_then(void **state)
{
    (void)state;
    struct rival r = {.rk = NULL};
    struct bridge_case *c = &r.c;
    case_start(c, always_ok, NULL);
    text_pairs_set(&c->settings.kafka, "session.timeout.ms", "6000");
    text_pairs_set(&c->settings.kafka, "heartbeat.interval.ms", "200");
    case_apply(c, case_config(c, "fn"));
    case_change(c, 1, 'c', "x");
    case_run_until(c, has_committed, 1);
    rival_join(&r);
    // The broker holds its JoinGroup for 5 s, and that of the function, which comes after the next heartbeat.
    int64_t count = 1;
    while (!has_rival_joined(c, 1)) {
        case_change(c, ++count, 'c', "x");
        case_run_until(c, case_has_settled, count);
        case_run_ms(c, 100);
    }
    case_change(c, ++count, 'c', "x");
    case_run_until(c, has_committed, count);
    assert_int_equal(stub_function_count(c->stub), count);
    rival_leave(&r);
    case_stop(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_settled_while_another_member_joins_is_committed_then),
    };
    return case_run_part(tests, COUNT_OF(tests));
}

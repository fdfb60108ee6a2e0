// The embedded registry on librdkafka's mock broker.
#include <stdio.h>

#include "core/base/clock.h"
#include "schemas/registry/registry.h"
#include "schemas/registry/schema_identity.h"
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

static struct registry *open_store(void)
{
    struct registry *r = NULL;
    struct fault f;
    assert_true(registry_open(&kafka.loop, &kafka.settings, &r, &f));
    return r;
}

struct answer {
    int calls;
    int32_t id;
    char text[256];
    enum fault_kind fault;
    int code;
    char why[512];
};

static void on_id(void *self, int32_t id, const struct fault *f)
{
    struct answer *a = self;
    a->calls++;
    a->id = id;
    a->fault = f != NULL ? f->kind : FAULT_NONE;
    a->code = f != NULL ? f->origin_code : 0;
    (void)snprintf(a->why, sizeof a->why, "%s", f != NULL ? f->text : "");
}

static void on_schema(void *self, struct slice text, const struct fault *f)
{
    struct answer *a = self;
    a->calls++;
    a->fault = f != NULL ? f->kind : FAULT_NONE;
    (void)snprintf(a->text, sizeof a->text, "%.*s", (int)text.size, (const char *)text.data);
}

static void wait_for(const struct answer *a)
{
    while (a->calls == 0) {
        (void)uv_run(&kafka.loop, UV_RUN_ONCE);
    }
    assert_int_equal(a->calls, 1);
}

static int32_t register_schema(struct registry *r, const char *subject, const char *text)
{
    struct answer a = {0};
    registry_register(r, subject, text, on_id, &a);
    assert_int_equal(a.calls, 0);
    wait_for(&a);
    assert_int_equal(a.fault, FAULT_NONE);
    return a.id;
}

static struct answer look_up(struct registry *r, int32_t id)
{
    struct answer a = {0};
    registry_lookup(r, id, on_schema, &a);
    assert_int_equal(a.calls, 0);
    wait_for(&a);
    return a;
}

static void a_schema_gets_the_id_of_its_content_and_is_found_by_it(void **state)
{
    (void)state;
    struct registry *r = open_store();
    int32_t id = register_schema(r, "t-value", "{ \"type\" : \"string\" }");
    assert_int_equal(id, schema_identity_content_id("{\"type\":\"string\"}"));
    assert_string_equal(look_up(r, id).text, "{\"type\":\"string\"}");
    registry_close(r);
}

static void the_next_process_finds_what_was_registered(void **state)
{
    (void)state;
    struct registry *first = open_store();
    int32_t id = register_schema(first, "t-value", "\"long\"");
    registry_close(first);
    struct registry *second = open_store();
    assert_string_equal(look_up(second, id).text, "\"long\"");
    assert_int_equal(register_schema(second, "t-value", "\"long\""), id);
    assert_int_equal(register_schema(second, "other-value", "\"long\""), id);
    registry_close(second);
}

static void a_new_writer_waits_for_no_timer_of_the_client(void **state)
{
    (void)state;
    // With the timer each one takes a second; without it, one of them at the least is done before, also on a
    // machine that is busy with something else.
    bool is_before_timer = false;
    for (int i = 0; i < 20 && !is_before_timer; i++) {
        struct registry *r = open_store();
        char text[128];
        (void)snprintf(text, sizeof text, "{\"type\":\"fixed\",\"name\":\"timer\",\"size\":%d}", i + 1);
        int64_t began_us = clock_now_us();
        (void)register_schema(r, "timer-value", text);
        is_before_timer = clock_now_us() - began_us < 900 * CLOCK_US_PER_MS;
        registry_close(r);
    }
    assert_true(is_before_timer);
}

static void an_id_nobody_registered_is_rejected(void **state)
{
    (void)state;
    struct registry *r = open_store();
    assert_int_equal(look_up(r, 12345).fault, FAULT_REJECT);
    registry_close(r);
}

static void a_reader_sees_what_another_process_wrote_since(void **state)
{
    (void)state;
    struct registry *reader = open_store();
    assert_int_equal(look_up(reader, 1).fault, FAULT_REJECT);
    struct registry *writer = open_store();
    int32_t id = register_schema(writer, "t-value", "\"int\"");
    assert_string_equal(look_up(reader, id).text, "\"int\"");
    registry_close(writer);
    registry_close(reader);
}

static void many_registrations_at_once_all_get_answers(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    struct registry *r = open_store();
    static struct answer answers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        char subject[64];
        char text[128];
        (void)snprintf(subject, sizeof subject, "t%d-value", i / 2);
        (void)snprintf(text, sizeof text, "{\"type\":\"fixed\",\"name\":\"f\",\"size\":%d}", i % 300 + 1);
        answers[i] = (struct answer){0};
        registry_register(r, subject, text, on_id, &answers[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        wait_for(&answers[i]);
        assert_int_equal(answers[i].fault, FAULT_NONE);
        assert_true(answers[i].id > 0);
        assert_int_equal(answers[i].id, answers[i % 300].id);
    }
    registry_close(r);
}

static void a_schema_too_large_for_a_record_takes_no_other_along(void **state)
{
    (void)state;
    struct settings small = {0};
    text_pairs_set(&small.kafka, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(kafka.cluster));
    text_pairs_set(&small.kafka, "message.max.bytes", "2000");
    struct registry *r = NULL;
    struct fault f;
    assert_true(registry_open(&kafka.loop, &small, &r, &f));
    char name[2001];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    CLEANUP(memory_free_pointer)
    char *large = memory_format("{\"type\":\"fixed\",\"name\":\"%s\",\"size\":1}", name);
    struct answer answers[2] = {0};
    registry_register(r, "large-value", large, on_id, &answers[0]);
    registry_register(r, "small-value", "\"long\"", on_id, &answers[1]);
    wait_for(&answers[0]);
    wait_for(&answers[1]);
    assert_int_equal(answers[0].fault, FAULT_CONFIG);
    assert_non_null(strstr(answers[0].why, "the schema of large-value needs a record of 2"));
    assert_int_equal(answers[1].fault, FAULT_NONE);
    registry_close(r);
    text_pairs_clear(&small.kafka);
}

enum { ADD_PARTITIONS_TO_TXN = 24 };  // sent once in each transaction, before its records

/**
 * The broker's limit is lower than the client's: it refuses each transaction that has the second schema. The
 * halves of a refused one are tried, down to that schema alone.
 */
static void a_schema_that_the_broker_refuses_takes_no_other_along(void **state)
{
    (void)state;
    enum { COUNT = 4, REFUSED = 1, E = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE };
    struct registry *r = open_store();
    (void)register_schema(r, "first-value", "\"int\"");  // the topic exists, the writer has begun
    // The transactions:                    0-3 01 0  1-3 1  2  3
    static const rd_kafka_resp_err_t RESULTS[] = {E, E, 0, E, E, 0, 0};
    for (size_t i = 0; i < COUNT_OF(RESULTS); i++) {
        rd_kafka_mock_push_request_errors(kafka.cluster, ADD_PARTITIONS_TO_TXN, 1, RESULTS[i]);
    }
    struct answer answers[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) {
        char subject[32];
        (void)snprintf(subject, sizeof subject, "t%d-value", i);
        registry_register(r, subject, "\"long\"", on_id, &answers[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        wait_for(&answers[i]);
    }
    registry_close(r);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(answers[i].fault, i == REFUSED ? FAULT_CONFIG : FAULT_NONE);
    }
}

// The topic says what level a subject has; a schema that is refused names the field.
static void an_incompatible_schema_is_refused_with_the_reason(void **state)
{
    (void)state;
    struct registry *r = open_store();
    (void)register_schema(r, "t-value", "\"int\"");
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
    assert_int_equal(rd_kafka_brokers_add(producer, rd_kafka_mock_cluster_bootstraps(kafka.cluster)), 1);
    static char KEY[] = "{\"keytype\":\"CONFIG\",\"subject\":\"t-value\",\"magic\":0}";
    static char VALUE[] = "{\"compatibilityLevel\":\"BACKWARD\"}";
    assert_int_equal(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(REGISTRY_TOPIC), RD_KAFKA_V_PARTITION(0),
                                       RD_KAFKA_V_KEY(KEY, sizeof(KEY) - 1),
                                       RD_KAFKA_V_VALUE(VALUE, sizeof(VALUE) - 1), RD_KAFKA_V_END),
                     0);
    assert_int_equal(rd_kafka_flush(producer, 10000), 0);
    rd_kafka_destroy(producer);
    struct answer a = {0};
    registry_register(r, "t-value", "\"boolean\"", on_id, &a);
    wait_for(&a);
    assert_int_equal(a.fault, FAULT_CONFIG);
    assert_int_equal(a.code, 409);
    assert_non_null(strstr(a.why, "TYPE_MISMATCH"));
    assert_true(register_schema(r, "t-value", "\"long\"") > 0);
    registry_close(r);
}

static void two_writers_take_turns(void **state)
{
    (void)state;
    struct registry *a = open_store();
    struct registry *b = open_store();
    for (int i = 0; i < 3; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "{\"type\":\"fixed\",\"name\":\"f\",\"size\":%d}", i + 1);
        int32_t id = register_schema(i % 2 == 0 ? a : b, "s", text);
        assert_string_equal(look_up(i % 2 == 0 ? b : a, id).text, text);
    }
    registry_close(a);
    registry_close(b);
}

static void a_broker_that_fails_for_a_while_is_waited_for(void **state)
{
    (void)state;
    struct registry *r = open_store();
    rd_kafka_mock_push_request_errors(kafka.cluster, 22 /* InitProducerId */, 1,
                                      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
    assert_true(register_schema(r, "t-value", "\"double\"") > 0);
    registry_close(r);
}

static void closing_drops_what_is_pending(void **state)
{
    (void)state;
    struct answer a = {0};
    struct registry *r = open_store();
    registry_register(r, "t-value", "\"float\"", on_id, &a);
    registry_lookup(r, 77, on_schema, &a);
    for (int i = 0; i < 3; i++) {
        (void)uv_run(&kafka.loop, UV_RUN_ONCE);
    }
    registry_close(r);
    (void)uv_run(&kafka.loop, UV_RUN_DEFAULT);
    assert_int_equal(a.calls, 0);
    registry_close(NULL);
}

static void a_cancelled_request_is_never_answered(void **state)
{
    (void)state;
    struct answer cancelled = {0};
    struct answer other = {0};
    struct registry *r = open_store();
    registry_register(r, "t-value", "\"float\"", on_id, &cancelled);
    registry_register(r, "t-value", "\"double\"", on_id, &other);
    registry_cancel(r, &cancelled);
    wait_for(&other);
    assert_string_equal(look_up(r, schema_identity_content_id("\"float\"")).text, "\"float\"");
    assert_int_equal(cancelled.calls, 0);
    registry_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_schema_gets_the_id_of_its_content_and_is_found_by_it, start, stop),
        cmocka_unit_test_setup_teardown(the_next_process_finds_what_was_registered, start, stop),
        cmocka_unit_test_setup_teardown(a_new_writer_waits_for_no_timer_of_the_client, start, stop),
        cmocka_unit_test_setup_teardown(an_id_nobody_registered_is_rejected, start, stop),
        cmocka_unit_test_setup_teardown(a_reader_sees_what_another_process_wrote_since, start, stop),
        cmocka_unit_test_setup_teardown(many_registrations_at_once_all_get_answers, start, stop),
        cmocka_unit_test_setup_teardown(a_schema_too_large_for_a_record_takes_no_other_along, start, stop),
        cmocka_unit_test_setup_teardown(a_schema_that_the_broker_refuses_takes_no_other_along, start, stop),
        cmocka_unit_test_setup_teardown(an_incompatible_schema_is_refused_with_the_reason, start, stop),
        cmocka_unit_test_setup_teardown(two_writers_take_turns, start, stop),
        cmocka_unit_test_setup_teardown(a_broker_that_fails_for_a_while_is_waited_for, start, stop),
        cmocka_unit_test_setup_teardown(closing_drops_what_is_pending, start, stop),
        cmocka_unit_test_setup_teardown(a_cancelled_request_is_never_answered, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "core/kafka/kafka_client.h"
#include "core/kafka/state_topic.h"
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

static struct state_topic *open_state(void)
{
    struct state_topic *s = NULL;
    struct fault f;
    assert_true(state_topic_open(&kafka.loop, &kafka.settings, &s, &f));
    return s;
}

struct answer {
    int calls;
    char value[64];  // "-" for none
    enum fault_kind fault;
};

static void on_read(void *self, struct slice value, const struct fault *f)
{
    struct answer *a = self;
    a->calls++;
    a->fault = f == NULL ? FAULT_NONE : f->kind;
    size_t size = value.data == NULL ? 1 : value.size;
    memcpy(a->value, value.data == NULL ? (const uint8_t *)"-" : value.data, size);
    a->value[size] = '\0';
}

static void on_written(void *self, const struct fault *f)
{
    struct answer *a = self;
    a->calls++;
    a->fault = f == NULL ? FAULT_NONE : f->kind;
}

static void wait_for(const struct answer *a, int calls)
{
    while (a->calls < calls) {
        (void)uv_run(&kafka.loop, UV_RUN_ONCE);
    }
    assert_int_equal(a->fault, FAULT_NONE);
}

static void write_value(struct state_topic *s, const char *key, const char *value)
{
    struct answer a = {0};
    state_topic_write(s, key, value == NULL ? (struct slice){NULL, 0} : slice_of(value), on_written, &a);
    wait_for(&a, 1);
}

static void expect_answer(struct state_topic *s, const char *key, const char *expected)
{
    struct answer a = {0};
    state_topic_read(s, key, on_read, &a);
    assert_int_equal(a.calls, 0);
    wait_for(&a, 1);
    assert_string_equal(a.value, expected);
}

static void an_unknown_key_has_no_value(void **state)
{
    (void)state;
    struct state_topic *s = open_state();
    expect_answer(s, "connector/none", "-");
    state_topic_close(s);
}

static void what_was_written_is_read_by_the_next_process(void **state)
{
    (void)state;
    struct state_topic *s = open_state();
    write_value(s, "connector/a", "one");
    write_value(s, "connector/a", "two");
    write_value(s, "connector/b", "");
    expect_answer(s, "connector/a", "two");
    state_topic_close(s);
    s = open_state();
    expect_answer(s, "connector/a", "two");
    expect_answer(s, "connector/b", "");
    state_topic_close(s);
}

static void a_read_sees_what_another_process_wrote_since_the_last_one(void **state)
{
    (void)state;
    struct state_topic *mine = open_state();
    struct state_topic *other = open_state();
    expect_answer(mine, "connector/c", "-");
    write_value(other, "connector/c", "theirs");
    expect_answer(mine, "connector/c", "theirs");
    write_value(other, "connector/c", NULL);
    expect_answer(mine, "connector/c", "-");
    state_topic_close(mine);
    state_topic_close(other);
}

static void questions_asked_together_are_all_answered_once(void **state)
{
    (void)state;
    struct state_topic *s = open_state();
    write_value(s, "connector/d", "d");
    struct answer answers[20] = {0};
    for (int i = 0; i < 20; i++) {
        state_topic_read(s, "connector/d", on_read, &answers[i]);
        if (i % 5 == 0) {
            (void)uv_run(&kafka.loop, UV_RUN_NOWAIT);
        }
    }
    for (int i = 0; i < 20; i++) {
        wait_for(&answers[i], 1);
        assert_string_equal(answers[i].value, "d");
    }
    state_topic_close(s);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(answers[i].calls, 1);
    }
}

static struct state_topic *closed_by_callback;

enum { LARGE = 12, LARGE_SIZE = 600000 };

struct large_answer {
    int calls;
    size_t size;
    uint8_t first;
    uint8_t last;
};

static void on_read_large(void *self, struct slice value, const struct fault *f)
{
    struct large_answer *a = self;
    assert_null(f);
    a->calls++;
    a->size = value.size;
    a->first = value.size == 0 ? 0 : value.data[0];
    a->last = value.size == 0 ? 0 : value.data[value.size - 1];
}

static void expect_large(struct state_topic *s, int number, size_t size)
{
    CLEANUP(memory_free_pointer) char *key = memory_format("progress/large/%d", number);
    struct large_answer a = {0};
    state_topic_read(s, key, on_read_large, &a);
    while (a.calls == 0) {
        (void)uv_run(&kafka.loop, UV_RUN_ONCE);
    }
    assert_int_equal(a.size, size);
    assert_int_equal(a.first, size == 0 ? 0 : 'a' + number);
    assert_int_equal(a.last, a.first);
    assert_in_range(state_topic_large_bytes(s), 0, 4 << 20);
}

static void write_large(struct state_topic *s, int number, size_t size)
{
    CLEANUP(memory_free_pointer) char *key = memory_format("progress/large/%d", number);
    CLEANUP(memory_free_pointer) char *value = memory_zeroed(1, size + 1);
    memset(value, 'a' + number, size);
    write_value(s, key, size == 0 ? NULL : value);
}

/** Of 7 MB in large values at most 4 MB are in memory; each is read when it is asked for. */
static void large_values_take_little_memory_and_are_all_read(void **state)
{
    (void)state;
    struct state_topic *s = open_state();
    struct state_topic *other = open_state();
    write_value(s, "connector/small", "kept");
    for (int i = 0; i < LARGE; i++) {
        write_large(s, i, LARGE_SIZE);
    }
    write_large(s, 3, LARGE_SIZE / 2);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < LARGE; i++) {
            expect_large(s, i, i == 3 ? LARGE_SIZE / 2 : LARGE_SIZE);
        }
    }
    for (int i = 0; i < LARGE; i++) {
        write_large(other, i, i == 5 ? 0 : LARGE_SIZE + 1);
    }
    for (int i = 0; i < LARGE; i++) {
        expect_large(s, i, i == 5 ? 0 : LARGE_SIZE + 1);
        write_large(other, i, 0);
    }
    expect_answer(s, "connector/small", "kept");
    assert_int_equal(state_topic_large_bytes(s), 0);
    state_topic_close(s);
    state_topic_close(other);
}

static void on_read_close(void *self, struct slice value, const struct fault *f)
{
    (void)value;
    (void)f;
    *(bool *)self = true;
    state_topic_close(closed_by_callback);
}

static void a_callback_may_close_it(void **state)
{
    (void)state;
    bool is_closed = false;
    closed_by_callback = open_state();
    state_topic_read(closed_by_callback, "x", on_read_close, &is_closed);
    state_topic_read(closed_by_callback, "y", on_read_close, &is_closed);
    while (!is_closed) {
        (void)uv_run(&kafka.loop, UV_RUN_ONCE);
    }
}

static void a_broker_that_comes_back_answers_what_waited(void **state)
{
    (void)state;
    struct state_topic *s = open_state();
    write_value(s, "connector/e", "e");
    assert_int_equal(rd_kafka_mock_broker_set_down(kafka.cluster, 1), 0);
    struct answer read = {0};
    struct answer written = {0};
    state_topic_write(s, "connector/e", slice_of("later"), on_written, &written);
    state_topic_read(s, "connector/e", on_read, &read);
    (void)uv_run(&kafka.loop, UV_RUN_NOWAIT);
    assert_int_equal(rd_kafka_mock_broker_set_up(kafka.cluster, 1), 0);
    wait_for(&written, 1);
    wait_for(&read, 1);
    expect_answer(s, "connector/e", "later");
    state_topic_close(s);
}

static void a_broken_producer_is_replaced_and_nothing_written_is_lost(void **state)
{
    (void)state;
    enum { INIT_PRODUCER_ID = 22 };
    struct answer answers[2] = {0};
    rd_kafka_mock_push_request_errors(kafka.cluster, INIT_PRODUCER_ID, 1,
                                      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    struct state_topic *s = open_state();
    state_topic_write(s, "connector/f", slice_of("one"), on_written, &answers[0]);
    state_topic_write(s, "connector/f", slice_of("two"), on_written, &answers[1]);
    wait_for(&answers[0], 1);
    wait_for(&answers[1], 1);
    expect_answer(s, "connector/f", "two");
    state_topic_close(s);
}

static void replace_value(struct state_topic *s, const char *key, uint64_t version, const char *value)
{
    struct answer a = {0};
    state_topic_replace(s, key, version, slice_of(value), on_written, &a);
    wait_for(&a, 1);
}

static void of_replacements_of_one_value_the_first_counts_for_all(void **state)
{
    (void)state;
    struct state_topic *mine = open_state();
    struct state_topic *other = open_state();
    expect_answer(mine, "connector/r", "-");
    assert_int_equal(state_topic_version(mine, "connector/r"), 0);
    replace_value(other, "connector/r", 0, "theirs");
    replace_value(mine, "connector/r", 0, "mine");
    expect_answer(mine, "connector/r", "theirs");
    expect_answer(other, "connector/r", "theirs");
    replace_value(mine, "connector/r", state_topic_version(mine, "connector/r"), "next");
    replace_value(other, "connector/r", state_topic_version(other, "connector/r"), "late");
    expect_answer(mine, "connector/r", "next");
    write_value(other, "connector/r", "written");
    expect_answer(mine, "connector/r", "written");
    state_topic_close(mine);
    state_topic_close(other);
}

static void write_generation(const char *key, const char *value, const char *generation)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(kafka.cluster), NULL,
                            0);
    rd_kafka_t *writer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    (void)rd_kafka_header_add(headers, STATE_TOPIC_GENERATION, -1, generation, -1);
    assert_int_equal(rd_kafka_producev(writer, RD_KAFKA_V_TOPIC(STATE_TOPIC_NAME), RD_KAFKA_V_PARTITION(0),
                                       RD_KAFKA_V_KEY(key, strlen(key)),
                                       RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)),
                                       RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END),
                     0);
    assert_int_equal(rd_kafka_flush(writer, 30000), 0);
    rd_kafka_destroy(writer);
}

static void a_late_record_of_an_older_generation_is_ignored(void **state)
{
    (void)state;
    struct state_topic *s = open_state();
    write_value(s, "connector/b", "of an old version");
    write_generation("connector/b", "first", "7");
    write_generation("connector/b", "second", "1700000000000000");
    write_generation("connector/b", "third", "1700000000000000");
    write_generation("connector/b", "late", "7");
    write_generation("connector/c", "of another key", "3");
    expect_answer(s, "connector/b", "third");
    assert_int_equal(state_topic_generation(s, "connector/b"), 1700000000000000);
    expect_answer(s, "connector/c", "of another key");
    write_value(s, "connector/b", "by hand, or of an old version");
    expect_answer(s, "connector/b", "by hand, or of an old version");
    assert_int_equal(state_topic_generation(s, "connector/b"), 0);
    write_generation("connector/b", "no number", "7x");
    expect_answer(s, "connector/b", "no number");
    write_value(s, "connector/b", NULL);
    expect_answer(s, "connector/b", "-");
    state_topic_close(s);
}

static void an_overridden_promise_is_refused_at_the_door(void **state)
{
    (void)state;
    struct settings bad = {0};
    struct fault f;
    struct state_topic *s;
    text_pairs_set(&bad.kafka, "bootstrap.servers", "127.0.0.1:1");
    text_pairs_set(&bad.kafka, "acks", "1");
    assert_false(state_topic_open(&kafka.loop, &bad, &s, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "acks"));
    text_pairs_clear(&bad.kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_key_has_no_value),
        cmocka_unit_test(what_was_written_is_read_by_the_next_process),
        cmocka_unit_test(a_read_sees_what_another_process_wrote_since_the_last_one),
        cmocka_unit_test(questions_asked_together_are_all_answered_once),
        cmocka_unit_test(large_values_take_little_memory_and_are_all_read),
        cmocka_unit_test(a_callback_may_close_it),
        cmocka_unit_test(a_broker_that_comes_back_answers_what_waited),
        cmocka_unit_test(a_broken_producer_is_replaced_and_nothing_written_is_lost),
        cmocka_unit_test(of_replacements_of_one_value_the_first_counts_for_all),
        cmocka_unit_test(a_late_record_of_an_older_generation_is_ignored),
        cmocka_unit_test(an_overridden_promise_is_refused_at_the_door),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

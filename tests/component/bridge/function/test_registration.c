#include <pthread.h>

#include "bridge/function/registration.h"
#include "bridge/intake/start_offsets.h"
#include "core/kafka/kafka_client.h"
#include "core/kafka/kafka_query.h"
#include "tests/component/mock_kafka.h"

#define TOPIC "shop.public.orders"

static struct mock_kafka kafka;
static struct registration_client *client;
static pthread_barrier_t both_plan;
static int64_t next_end;
static int asked_count;

bool __wrap_start_offsets_find(rd_kafka_t *rk, const struct settings *settings,
                               const struct start_position *at, rd_kafka_topic_partition_list_t *list,
                               struct fault *f);

/** Neither of two processes claims before both have looked up the end, and each finds another one. */
bool __wrap_start_offsets_find(rd_kafka_t *rk, const struct settings *settings,
                               const struct start_position *at, rd_kafka_topic_partition_list_t *list,
                               struct fault *f)
{
    (void)rk;
    (void)settings;
    (void)f;
    assert_int_equal(at->kind, FUNCTION_START_LATEST);
    list->elems[0].offset = __atomic_fetch_add(&next_end, 5, __ATOMIC_SEQ_CST);
    (void)__atomic_add_fetch(&asked_count, 1, __ATOMIC_SEQ_CST);
    (void)pthread_barrier_wait(&both_plan);
    return true;
}

struct process {
    struct state_topic *state;
    bool is_done;
};

static void on_done(void *self, const struct registration_result *result, const struct fault *f)
{
    struct process *p = self;
    if (f != NULL) {
        fail_msg("%s", f->text);
    }
    assert_int_equal(result->partition_count, 1);
    assert_null(json_object_get(result->record, "offsets"));
    p->is_done = true;
}

static int64_t committed(const char *group)
{
    const char *extra[] = {"group.id", group, NULL};
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    struct fault f;
    assert_true(kafka_client_conf(&kafka.settings, KAFKA_CONSUMER, extra, &conf, &f));
    assert_true(kafka_client_open(conf, KAFKA_CONSUMER, &rk, &f));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, TOPIC, 0);
    assert_int_equal(rd_kafka_committed(rk, list, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return offset;
}

/** The offset in the first record that was ever written for the function. */
static int64_t first_claim(void)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(kafka.cluster), why,
                            sizeof(why));
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, STATE_TOPIC_NAME, NULL);
    assert_int_equal(rd_kafka_consume_start(topic, 0, RD_KAFKA_OFFSET_BEGINNING), 0);
    rd_kafka_message_t *m = rd_kafka_consume(topic, 0, 20000);
    assert_non_null(m);
    json_t *record = json_loadb(m->payload, m->len, 0, NULL);
    int64_t offset = registration_record_offset(record, TOPIC, 0);
    json_decref(record);
    rd_kafka_message_destroy(m);
    (void)rd_kafka_consume_stop(topic, 0);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return offset;
}

static void run_until_done(struct process *p, size_t count)
{
    size_t done = 0;
    while (done < count) {
        (void)uv_run(&kafka.loop, UV_RUN_ONCE);
        done = 0;
        for (size_t i = 0; i < count; i++) {
            done += p[i].is_done ? 1 : 0;
        }
    }
}

static void register_in(struct process *p, const struct function_config *config)
{
    struct fault f;
    p->is_done = false;
    assert_true(state_topic_open(&kafka.loop, &kafka.settings, &p->state, &f));
    assert_non_null(registration_start(&kafka.loop, &kafka.settings, client, p->state, config, on_done, p));
}

static void make_config(struct function_config *config)
{
    *config = (struct function_config){.name = memory_string("fn")};
    text_list_add(&config->source.topics, TOPIC);
}

static void of_two_processes_at_once_the_first_claim_counts(void **state)
{
    (void)state;
    mock_kafka_start(&kafka);
    client = registration_client_new(&kafka.loop, &kafka.settings);
    assert_int_equal(rd_kafka_mock_topic_create(kafka.cluster, TOPIC, 1, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    next_end = 100;
    asked_count = 0;
    assert_int_equal(pthread_barrier_init(&both_plan, NULL, 2), 0);
    struct function_config config;
    make_config(&config);
    struct process processes[2] = {0};
    register_in(&processes[0], &config);
    register_in(&processes[1], &config);
    run_until_done(processes, 2);
    assert_int_equal(asked_count, 2);
    assert_int_equal(committed("millrace.fn"), first_claim());
    state_topic_close(processes[0].state);
    state_topic_close(processes[1].state);
    function_config_clear(&config);
    (void)pthread_barrier_destroy(&both_plan);
    registration_client_free(client);
    mock_kafka_stop(&kafka);
}

static void on_written(void *self, const struct fault *f)
{
    assert_null(f);
    *(bool *)self = true;
}

/** The process that claimed 42 died before it committed. */
static void a_claim_that_was_not_committed_counts_at_the_next_start(void **state)
{
    (void)state;
    mock_kafka_start(&kafka);
    client = registration_client_new(&kafka.loop, &kafka.settings);
    assert_int_equal(rd_kafka_mock_topic_create(kafka.cluster, TOPIC, 1, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    asked_count = 0;
    struct function_config config;
    make_config(&config);
    struct process p = {0};
    struct fault f;
    assert_true(state_topic_open(&kafka.loop, &kafka.settings, &p.state, &f));
    bool is_written = false;
    state_topic_write(p.state, "function/fn",
                      slice_of("{\"topics\":[\"" TOPIC "\"],\"partitions\":{\"" TOPIC
                               "\":[0]},\"offsets\":{\"" TOPIC "\":{\"0\":42}}}"),
                      on_written, &is_written);
    while (!is_written) {
        (void)uv_run(&kafka.loop, UV_RUN_ONCE);
    }
    state_topic_close(p.state);
    register_in(&p, &config);
    run_until_done(&p, 1);
    assert_int_equal(asked_count, 0);
    assert_int_equal(committed("millrace.fn"), 42);
    state_topic_close(p.state);
    function_config_clear(&config);
    registration_client_free(client);
    mock_kafka_stop(&kafka);
}

static void registrations_share_a_client(void **state)
{
    (void)state;
    mock_kafka_start(&kafka);
    client = registration_client_new(&kafka.loop, &kafka.settings);
    struct fault f;
    rd_kafka_t *first = NULL;
    rd_kafka_t *second = NULL;
    assert_true(registration_client_acquire(client, "millrace.first", &first, &f));
    assert_true(registration_client_acquire(client, "millrace.second", &second, &f));
    assert_ptr_equal(first, second);
    registration_client_release(client);
    registration_client_release(client);
    assert_true(registration_client_acquire(client, "millrace.second", &second, &f));
    assert_ptr_equal(first, second);
    registration_client_release(client);
    registration_client_free(client);
    mock_kafka_stop(&kafka);
}

/** As after the start of a broker. librdkafka 2.0.2 crashes if the client has no group of its own. */
static void a_coordinator_that_has_moved_is_an_error(void **state)
{
    (void)state;
    mock_kafka_start(&kafka);
    assert_int_equal(rd_kafka_mock_topic_create(kafka.cluster, TOPIC, 1, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    client = registration_client_new(&kafka.loop, &kafka.settings);
    struct fault f;
    rd_kafka_t *rk = NULL;
    assert_true(registration_client_acquire(client, "millrace.first", &rk, &f));
    rd_kafka_mock_push_request_errors(kafka.cluster, 9 /* OffsetFetch */, 1,
                                      RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, TOPIC, 0);
    assert_int_equal(kafka_query_group_offsets(rk, "millrace.second", list),
                     RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
    assert_int_equal(kafka_query_group_offsets(rk, "millrace.second", list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    registration_client_release(client);
    registration_client_free(client);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registrations_share_a_client),
        cmocka_unit_test(a_coordinator_that_has_moved_is_an_error),
        cmocka_unit_test(of_two_processes_at_once_the_first_claim_counts),
        cmocka_unit_test(a_claim_that_was_not_committed_counts_at_the_next_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

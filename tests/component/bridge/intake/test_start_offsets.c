#include "bridge/intake/start_offsets.h"
#include "core/kafka/kafka_client.h"
#include "tests/component/mock_kafka.h"

#define TOPIC "shop.public.orders"

static struct mock_kafka kafka;
static rd_kafka_t *client;

static int start(void **state)
{
    (void)state;
    mock_kafka_start(&kafka);
    struct fault f;
    rd_kafka_conf_t *conf;
    const char *extra[] = {"group.id", "g", NULL};
    assert_true(kafka_client_conf(&kafka.settings, KAFKA_CONSUMER, extra, &conf, &f));
    assert_true(kafka_client_open(conf, KAFKA_CONSUMER, &client, &f));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    mock_kafka_stop(&kafka);
    return 0;
}

/** Writes records with these positions; a negative one: without the header. */
static void write_positions(const char *topic, const int *lsns, size_t count)
{
    char why[256];
    assert_int_equal(rd_kafka_mock_topic_create(kafka.cluster, topic, 1, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(kafka.cluster), why,
                            sizeof(why));
    rd_kafka_t *writer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    for (size_t i = 0; i < count; i++) {
        rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
        char position[32];
        (void)snprintf(position, sizeof(position), "%016X-%08X", (unsigned)lsns[i], 0U);
        if (lsns[i] >= 0) {
            (void)rd_kafka_header_add(headers, "millrace.position", -1, position, -1);
        }
        assert_int_equal(rd_kafka_producev(writer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                                           RD_KAFKA_V_VALUE("x", 1), RD_KAFKA_V_HEADERS(headers),
                                           RD_KAFKA_V_END),
                         RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    assert_int_equal(rd_kafka_flush(writer, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(writer);
}

static int64_t find(const char *topic, enum function_start kind, int64_t value)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0);
    const struct start_position at = {kind, value};
    struct fault f;
    if (!start_offsets_find(client, &kafka.settings, &at, list, &f)) {
        fail_msg("%s", f.text);
    }
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return offset;
}

static void an_lsn_is_found_among_rising_positions(void **state)
{
    (void)state;
    int lsns[200];
    for (int i = 0; i < 200; i++) {
        lsns[i] = 1000 + 10 * (i / 2);  // two records for each transaction
    }
    write_positions("rising", lsns, COUNT_OF(lsns));
    assert_int_equal(find("rising", FUNCTION_START_LSN, 1), 0);
    assert_int_equal(find("rising", FUNCTION_START_LSN, 1500), 100);
    assert_int_equal(find("rising", FUNCTION_START_LSN, 1501), 102);
    assert_int_equal(find("rising", FUNCTION_START_LSN, 1990), 198);
    assert_int_equal(find("rising", FUNCTION_START_LSN, 1991), 200);
    assert_int_equal(find("rising", FUNCTION_START_LATEST, 0), 200);
    assert_int_equal(find("rising", FUNCTION_START_EARLIEST, 0), 0);
    assert_int_equal(find("rising", FUNCTION_START_OFFSET, 17), 17);
}

/** The search meets the second stretch first; the record before both counts. */
static void a_stretch_that_was_published_again_hides_nothing(void **state)
{
    (void)state;
    static const int LSNS[] = {1, 2, 3, 4, 5, 6, 2, 3, 4, 5, 6, 7, 3, 4, 5, 6, 7, 8, 9, 10};
    write_positions("again", LSNS, COUNT_OF(LSNS));
    for (int lsn = 1; lsn <= 10; lsn++) {
        int64_t first = 0;
        while (LSNS[first] < lsn) {
            first++;
        }
        assert_int_equal(find("again", FUNCTION_START_LSN, lsn), first);
    }
}

static void records_without_a_position_are_passed_over(void **state)
{
    (void)state;
    static const int MIXED[] = {-1, 1, -1, -1, 2, -1, 3, -1};
    static const int NONE[] = {-1, -1, -1};
    write_positions("mixed", MIXED, COUNT_OF(MIXED));
    write_positions("none", NONE, COUNT_OF(NONE));
    assert_int_equal(find("mixed", FUNCTION_START_LSN, 2), 2);  // nothing before it has a later position
    assert_int_equal(find("none", FUNCTION_START_LSN, 2), 0);
    assert_int_equal(rd_kafka_mock_topic_create(kafka.cluster, "empty", 1, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(find("empty", FUNCTION_START_LSN, 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_lsn_is_found_among_rising_positions, start, stop),
        cmocka_unit_test_setup_teardown(a_stretch_that_was_published_again_hides_nothing, start, stop),
        cmocka_unit_test_setup_teardown(records_without_a_position_are_passed_over, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

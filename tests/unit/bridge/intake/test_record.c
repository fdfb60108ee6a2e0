// bridge/intake/record with a registry that has no schemas and counts the look-ups.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/record.h"
#include "core/base/clock.h"
#include "tests/unit/bridge/intake/cache_case.h"

static rd_kafka_headers_t *message_headers;  // what librdkafka has of a message that a test makes

rd_kafka_resp_err_t rd_kafka_message_detach_headers(rd_kafka_message_t *m, rd_kafka_headers_t **ret)
{
    (void)m;
    *ret = TAKE(message_headers);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

int64_t rd_kafka_message_timestamp(const rd_kafka_message_t *m, rd_kafka_timestamp_type_t *ret)
{
    (void)m;
    *ret = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    return -1;
}

/** Resolves a record that arrives now; returns its reason to be rejected, or NULL. */
static const char *resolve(struct slice key, struct slice value, const struct avro_type *value_type)
{
    struct record r = {
        .arrived_us = clock_now_us(), .has_key = true, .key = key, .value = value, .value_type = value_type};
    while (!record_resolve(&r, cache_case_cache)) {
        cache_case_answer_unknown();
    }
    assert_null(r.key_type);
    free(r.reject_message);
    return r.reject_reason;
}

/** As Java's LongSerializer writes them: the registry would be asked by each of them. */
static void a_key_of_another_producer_asks_the_registry_once_a_minute(void **state)
{
    (void)state;
    static const uint8_t LONG[] = {0, 0, 0, 7, 0, 0, 0, 1};
    const struct slice key = slice_make(LONG, sizeof(LONG));
    const struct avro_type *known = (const struct avro_type *)(uintptr_t)&LONG;  // is not looked into
    for (int64_t i = 0; i < 1000; i++) {
        clock_fake(CLOCK_US_PER_S + i, 0);
        assert_null(resolve(key, slice_of("value"), known));
    }
    assert_int_equal(cache_case_asked, 1);
    clock_fake(62 * CLOCK_US_PER_S, 0);
    assert_null(resolve(key, slice_of("value"), known));
    assert_int_equal(cache_case_asked, 2);
}

static void a_value_of_an_unknown_schema_asks_for_it_each_time(void **state)
{
    (void)state;
    static const uint8_t VALUE[] = {0, 0, 0, 0, 7, 'x'};
    for (int64_t i = 0; i < 3; i++) {
        clock_fake(CLOCK_US_PER_S + i, 0);
        assert_string_equal(resolve(slice_of("key"), slice_make(VALUE, sizeof(VALUE)), NULL),
                            "unknown_schema");
    }
    assert_int_equal(cache_case_asked, 3);
}

static const char *resolve_typed(const char *content_type, const char *value, bool *ret_is_json)
{
    struct record r = {
        .arrived_us = clock_now_us(), .headers = rd_kafka_headers_new(1), .value = slice_of(value)};
    if (content_type != NULL) {
        assert_int_equal(rd_kafka_header_add(r.headers, "content-type", -1, content_type, -1), 0);
    }
    assert_true(record_resolve(&r, cache_case_cache));
    *ret_is_json = r.is_json;
    rd_kafka_headers_destroy(r.headers);
    free(r.reject_message);
    return r.reject_reason;
}

static void a_value_is_json_if_its_header_says_so_and_it_is(void **state)
{
    (void)state;
    static const char *const JSON[] = {"application/json", "Application/JSON; charset=utf-8",
                                       "application/cloudevents+json", "application/vnd.shop+json;v=1"};
    bool is_json;
    for (size_t i = 0; i < COUNT_OF(JSON); i++) {
        assert_null(resolve_typed(JSON[i], "{\"a\": 1}", &is_json));
        assert_true(is_json);
        assert_string_equal(resolve_typed(JSON[i], "{\"a\": 1", &is_json), "undecodable");
        assert_false(is_json);
    }
    assert_string_equal(resolve_typed("text/plain", "{}", &is_json), "undecodable");
    assert_string_equal(resolve_typed("json", "{}", &is_json), "undecodable");
    assert_string_equal(resolve_typed(NULL, "{}", &is_json), "undecodable");
}

/** Else a few thousand small records with large headers would take gigabytes. */
static void headers_count_in_the_memory_that_a_record_takes(void **state)
{
    (void)state;
    static const char LARGE[100000];
    message_headers = rd_kafka_headers_new(1);
    assert_int_equal(rd_kafka_header_add(message_headers, "h", -1, LARGE, sizeof(LARGE)), 0);
    struct record *r = record_new("t", &(rd_kafka_message_t){0}, 0);
    assert_true(record_bytes(r) > sizeof(LARGE));
    assert_true(record_bytes(r) < sizeof(LARGE) + 1000);
    record_release(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_of_another_producer_asks_the_registry_once_a_minute,
                                        cache_case_start, cache_case_stop),
        cmocka_unit_test_setup_teardown(a_value_is_json_if_its_header_says_so_and_it_is, cache_case_start,
                                        cache_case_stop),
        cmocka_unit_test(headers_count_in_the_memory_that_a_record_takes),
        cmocka_unit_test_setup_teardown(a_value_of_an_unknown_schema_asks_for_it_each_time, cache_case_start,
                                        cache_case_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

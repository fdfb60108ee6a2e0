// bridge/payload/lambda_kafka, groups: AWS Lambda's event for Kafka.
#include "payload_sample.h"

#include <stdio.h>

#include "bridge/jobs/letter.h"
#include "schemas/avro/framing.h"

static struct payload_options kafka_options(enum function_kafka_encoding encoding,
                                            enum function_kafka_format format)
{
    struct payload_options options = options_of(FUNCTION_PAYLOAD_LAMBDA_KAFKA);
    options.is_batch = true;
    options.bootstrap_servers = "kafka-1:9092,kafka-2:9092";
    options.kafka_encoding = encoding;
    options.kafka_format = format;
    return options;
}

static void make(struct sample *s)
{
    sample_init(s, 'c', "x");
    s->record.partition = 3;
    s->record.offset = 15;
    s->record.timestamp_ms = 1704164645678;
}

#define START                                                                                                \
    "{\"eventSource\":\"SelfManagedKafka\",\"bootstrapServers\":\"kafka-1:9092,kafka-2:9092\",\"records\":{" \
    "\"shop.public.orders-3\":[{\"topic\":\"shop.public.orders\",\"partition\":3,\"offset\":15,"             \
    "\"timestamp\":1704164645678,\"timestampType\":\"CREATE_TIME\","

static void base64_has_the_bytes_that_are_on_kafka(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = kafka_options(FUNCTION_KAFKA_BASE64, FUNCTION_KAFKA_RAW);
    make(&s);
    s.record.value = slice_make("\0\0\0\0\2abc", 8);
    s.record.value_type = NULL;
    s.record.is_json = true;  // any bytes; they are not looked at
    s.record.headers = rd_kafka_headers_new(2);
    (void)rd_kafka_header_add(s.record.headers, "a\"", -1, "\x01\xff", 2);
    (void)rd_kafka_header_add(s.record.headers, "none", -1, NULL, 0);
    CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
    assert_string_equal(body, START "\"key\":\"AAAAAAEO\",\"value\":\"AAAAAAJhYmM=\","
                                    "\"headers\":[{\"a\\\"\":[1,255]},{\"none\":[]}]}]}}");
    rd_kafka_headers_destroy(s.record.headers);
    payload_clear(&p);
    sample_clear(&s);
}

/** Handlers remember events by topic, partition and offset. */
static void a_redriven_event_has_the_place_of_its_origin(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = kafka_options(FUNCTION_KAFKA_PLAIN, FUNCTION_KAFKA_RAW);
    make(&s);
    s.record.topic = "millrace.dlq.f";
    s.record.partition = 0;
    s.record.offset = 1;
    s.record.timestamp_ms = 1704164649999;
    s.record.headers = rd_kafka_headers_new(8);
    static const char *const HEADERS[][2] = {{"reason", "rejected"},
                                             {"topic", "shop.public.orders"},
                                             {"partition", "3"},
                                             {"offset", "15"},
                                             {"timestamp", "1704164645678"}};
    for (size_t i = 0; i < COUNT_OF(HEADERS); i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "millrace.dlq.%s", HEADERS[i][0]);
        (void)rd_kafka_header_add(s.record.headers, name, -1, HEADERS[i][1], -1);
    }
    letter_unwrap(&s.record);
    CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
    assert_memory_equal(body, START, strlen(START));
    s.record.origin_offset = -1;  // of a letter whose headers somebody has changed
    CLEANUP(memory_free_pointer) char *unknown = body_of(&p, &options, &s);
    assert_non_null(strstr(unknown, "{\"topic\":\"millrace.dlq.f\",\"partition\":0,\"offset\":1,"));
    free(s.record.origin_topic);
    rd_kafka_headers_destroy(s.record.headers);
    payload_clear(&p);
    sample_clear(&s);
}

static void a_decoded_record_names_its_schemas(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = kafka_options(FUNCTION_KAFKA_PLAIN, FUNCTION_KAFKA_RAW);
    make(&s);
    CLEANUP(memory_free_pointer) char *plain = body_of(&p, &options, &s);
    static const char *const PLAIN_START =
        START "\"key\":{\"id\":7},\"value\":{\"before\":null,\"after\":{\"id\":7,\"note\":\"x\"},"
              "\"source\":{\"version\":\"0\",";
    static const char *const PLAIN_END =
        "},\"headers\":[],\"keySchemaMetadata\":{\"dataFormat\":\"JSON\",\"schemaId\":\"1\"},"
        "\"valueSchemaMetadata\":{\"dataFormat\":\"JSON\",\"schemaId\":\"2\"}}]}}";
    assert_memory_equal(plain, PLAIN_START, strlen(PLAIN_START));
    assert_string_equal(plain + strlen(plain) - strlen(PLAIN_END), PLAIN_END);
    options = kafka_options(FUNCTION_KAFKA_BASE64, FUNCTION_KAFKA_JSON);
    CLEANUP(memory_free_pointer) char *json = body_of(&p, &options, &s);
    // {"id":7} and {"before":null,
    static const char *const JSON_START = START "\"key\":\"eyJpZCI6N30=\",\"value\":\"eyJiZWZvcmUiOm51bGws";
    assert_memory_equal(json, JSON_START, strlen(JSON_START));
    assert_string_equal(json + strlen(json) - strlen(PLAIN_END) + 1, PLAIN_END + 1);
    options = kafka_options(FUNCTION_KAFKA_BASE64, FUNCTION_KAFKA_SOURCE);
    s.record.key = bytes_slice(&s.key);
    CLEANUP(memory_free_pointer) char *source = body_of(&p, &options, &s);
    static const char *const SOURCE_START = START "\"key\":\"Dg==\",\"value\":\"AAI";  // after the frame
    assert_memory_equal(source, SOURCE_START, strlen(SOURCE_START));
    static const char *const SOURCE_END =
        "\",\"headers\":[],\"keySchemaMetadata\":{\"dataFormat\":\"AVRO\",\"schemaId\":\"1\"},"
        "\"valueSchemaMetadata\":{\"dataFormat\":\"AVRO\",\"schemaId\":\"2\"}}]}}";
    assert_string_equal(source + strlen(source) - strlen(SOURCE_END), SOURCE_END);
    payload_clear(&p);
    sample_clear(&s);
}

static void keys_may_be_absent_or_no_avro(void **state)
{
    (void)state;
    static const char *const KEYS[] = {
        "\"value\":", "\"key\":\"a2V5\",\"value\":", "\"key\":\"key\",\"value\":"};
    struct sample s;
    struct payload p = {0};
    make(&s);
    s.record.key_type = NULL;
    s.record.key = slice_of("key");
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        struct payload_options options =
            kafka_options(i < 2 ? FUNCTION_KAFKA_BASE64 : FUNCTION_KAFKA_PLAIN, FUNCTION_KAFKA_JSON);
        s.record.has_key = i > 0;
        CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
        assert_memory_equal(body + strlen(START), KEYS[i], strlen(KEYS[i]));
        assert_null(strstr(body, "keySchemaMetadata"));
    }
    payload_clear(&p);
    sample_clear(&s);
}

static void the_time_says_whose_it_is(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = kafka_options(FUNCTION_KAFKA_BASE64, FUNCTION_KAFKA_RAW);
    make(&s);
    s.record.is_append_time = true;
    CLEANUP(memory_free_pointer) char *append = body_of(&p, &options, &s);
    assert_non_null(strstr(append, "\"timestamp\":1704164645678,\"timestampType\":\"LOG_APPEND_TIME\","));
    s.record.timestamp_ms = -1;
    CLEANUP(memory_free_pointer) char *none = body_of(&p, &options, &s);
    assert_non_null(strstr(none, "\"timestamp\":-1,\"timestampType\":\"NO_TIMESTAMP_TYPE\","));
    payload_clear(&p);
    sample_clear(&s);
}

/** Topic, partition and offset of each event of a body, as `a-0:1,2;b-1:7;`. */
static void outline(const char *body, struct bytes *out)
{
    bytes_reset(out);
    const char *at = strstr(body, "\"records\":{");
    const char *group;
    while ((group = strstr(at, "\":[{\"topic\"")) != NULL) {
        const char *name = group;
        while (name[-1] != '"') {
            name--;
        }
        bytes_append(out, name, (size_t)(group - name));
        bytes_append_byte(out, ':');
        const char *end = strstr(group, "\":[{\"topic\"") + 1;
        const char *next = strstr(end, "\":[{\"topic\"");
        for (const char *e = strstr(group, "\"offset\":"); e != NULL && (next == NULL || e < next);
             e = strstr(e + 1, "\"offset\":")) {
            bytes_format(out, "%ld,", strtol(e + 9, NULL, 10));
        }
        bytes_append_byte(out, ';');
        at = end;
    }
}

static void add(struct payload *p, struct sample *s, const char *topic, int32_t partition, int64_t offset)
{
    struct fault f;
    s->record.topic = topic;
    s->record.partition = partition;
    s->record.offset = offset;
    assert_int_equal(payload_add(p, &s->record, &f), PAYLOAD_ADDED);
}

static void a_batch_is_grouped_by_partition_and_ordered_by_offset(void **state)
{
    (void)state;
    static const struct {
        const char *places;  // topic, partition and offset of each event
        const char *outline;
    } CASES[] = {
        {"a01", "a-0:1,;"},
        {"a01 a02 a13", "a-0:1,2,;a-1:3,;"},
        {"a01 a15 a02 b07 a16 b18 a03 b08", "a-0:1,2,3,;a-1:5,6,;b-0:7,8,;b-1:8,;"},
        {"a02 a01", "a-0:1,2,;"},
        {"a05 a09 a01 a17 a07 b02 a16 a03 b01", "a-0:1,3,5,7,9,;a-1:6,7,;b-0:1,2,;"},  // of lanes, one by one
    };
    struct sample s;
    struct payload p = {0};
    struct payload_options options = kafka_options(FUNCTION_KAFKA_BASE64, FUNCTION_KAFKA_RAW);
    CLEANUP(bytes_clear) struct bytes got = {0};
    make(&s);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        payload_begin(&p, &options);
        for (const char *at = CASES[i].places; *at != '\0'; at += at[3] == ' ' ? 4 : 3) {
            add(&p, &s, at[0] == 'a' ? "a" : "b", at[1] - '0', at[2] - '0');
        }
        payload_finish(&p);
        outline(bytes_text(&p.body), &got);
        assert_string_equal(bytes_text(&got), CASES[i].outline);
        assert_memory_equal(p.body.data + p.body.size - 4, "}]}}", 4);
    }
    payload_clear(&p);
    sample_clear(&s);
}

/** The event that does not fit would have begun a group, or stood in the wrong place. */
static void an_event_that_does_not_fit_leaves_the_groups_as_they_were(void **state)
{
    (void)state;
    struct sample s;
    struct sample large;
    struct payload p = {0};
    struct payload alone = {0};
    struct payload_options options = kafka_options(FUNCTION_KAFKA_BASE64, FUNCTION_KAFKA_RAW);
    char note[4001] = {0};
    memset(note, 'x', sizeof(note) - 1);
    make(&s);
    sample_init(&large, 'c', note);
    options.bytes_max = 4000;
    for (int32_t partition = 0; partition < 3; partition++) {
        struct fault f;
        payload_begin(&p, &options);
        payload_begin(&alone, &options);
        add(&p, &s, "a", 0, 1);
        add(&alone, &s, "a", 0, 1);
        add(&p, &s, "a", 1, 2);
        add(&alone, &s, "a", 1, 2);
        large.record.topic = "a";
        large.record.partition = partition;
        assert_int_equal(payload_add(&p, &large.record, &f), PAYLOAD_FULL);
        add(&p, &s, "a", 0, 3);
        add(&alone, &s, "a", 0, 3);
        add(&p, &s, "a", 1, 4);
        add(&alone, &s, "a", 1, 4);
        payload_finish(&p);
        payload_finish(&alone);
        assert_true(slice_equal(bytes_slice(&p.body), bytes_slice(&alone.body)));
    }
    payload_clear(&alone);
    payload_clear(&p);
    sample_clear(&large);
    sample_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_has_the_bytes_that_are_on_kafka),
        cmocka_unit_test(a_redriven_event_has_the_place_of_its_origin),
        cmocka_unit_test(a_decoded_record_names_its_schemas),
        cmocka_unit_test(keys_may_be_absent_or_no_avro),
        cmocka_unit_test(the_time_says_whose_it_is),
        cmocka_unit_test(a_batch_is_grouped_by_partition_and_ordered_by_offset),
        cmocka_unit_test(an_event_that_does_not_fit_leaves_the_groups_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

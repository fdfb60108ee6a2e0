// bridge/payload: the request of each kind; invalid bytes are never sent.
#include "connectors/postgres/values/pg_string.h"
#include "payload_sample.h"
#include "schemas/avro/framing.h"
#include "schemas/json/json_check.h"

static void cloudevents_has_attributes_in_headers_and_data_as_body(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_CLOUDEVENTS);
    sample_init(&s, 'u', "hello");
    CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
    static const char *const START =
        "{\"op\":\"u\",\"before\":null,\"after\":{\"id\":7,\"note\":\"hello\"},\"source\":{";
    assert_memory_equal(body, START, strlen(START));
    assert_string_equal(
        bytes_text(&p.lines),
        "ce-specversion: 1.0\r\nce-id: 0000000000000010-00000001\r\nce-source: /millrace/shop\r\n"
        "ce-type: millrace.change.update\r\nce-subject: public.orders\r\n"
        "ce-time: 2024-01-02T03:04:05.678901Z\r\nce-partitionkey: {%22id%22:7}\r\n"
        "ce-sequence: 0000000000000010-00000001");
    payload_clear(&p);
    sample_clear(&s);
}

static void names_are_escaped_once_for_where_they_stand(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_CLOUDEVENTS);
    char *name = orders.name;
    orders.name = (char *)"a\"b\\c\td%\xc3\xa9";
    sample_init(&s, 'c', "x");
    orders.name = name;
    CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
    static const char *const IN_JSON = "a\\\"b\\\\c\\td%\xc3\xa9\"";
    assert_non_null(strstr(body, IN_JSON));
    assert_non_null(strstr(bytes_text(&p.lines), "\r\nce-subject: public.a%22b\\c%09d%25%C3%A9\r\n"));
    options.kind = FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED;
    CLEANUP(memory_free_pointer) char *structured = body_of(&p, &options, &s);
    CLEANUP(memory_free_pointer) char *subject = memory_format("\"subject\":\"public.%s", IN_JSON);
    assert_non_null(strstr(structured, subject));
    payload_clear(&p);
    sample_clear(&s);
}

static void structured_and_batched_cloudevents_are_json_objects(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED);
    sample_init(&s, 'c', "x");
    static const char *const START =
        "{\"specversion\":\"1.0\",\"id\":\"0000000000000010-00000001\",\"source\":\"/millrace/shop\","
        "\"type\":\"millrace.change.create\",\"subject\":\"public.orders\","
        "\"time\":\"2024-01-02T03:04:05.678901Z\",\"datacontenttype\":\"application/json\","
        "\"partitionkey\":\"{\\\"id\\\":7}\",\"sequence\":\"0000000000000010-00000001\",\"data\":{\"op\":"
        "\"c\",";
    CLEANUP(memory_free_pointer) char *one = body_of(&p, &options, &s);
    assert_memory_equal(one, START, strlen(START));
    options.kind = FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH;
    options.is_batch = true;
    CLEANUP(memory_free_pointer) char *array = body_of(&p, &options, &s);
    assert_int_equal(array[0], '[');
    assert_memory_equal(array + 1, one, strlen(one));
    assert_string_equal(array + 1 + strlen(one), "]");
    payload_clear(&p);
    sample_clear(&s);
}

static void a_row_is_what_it_is_after_or_was_before_its_delete(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_ROW);
    sample_init(&s, 'c', "x");
    CLEANUP(memory_free_pointer) char *created = body_of(&p, &options, &s);
    assert_string_equal(created, "{\"id\":7,\"note\":\"x\"}");
    sample_clear(&s);
    sample_init(&s, 'd', "y");
    CLEANUP(memory_free_pointer) char *deleted = body_of(&p, &options, &s);
    assert_string_equal(deleted, "{\"id\":7,\"note\":\"y\"}");
    assert_string_equal(bytes_text(&p.lines),
                        "millrace-operation: delete\r\nmillrace-table: public.orders\r\n"
                        "millrace-id: 0000000000000010-00000001");
    options.is_batch = true;
    CLEANUP(memory_free_pointer) char *array = body_of(&p, &options, &s);
    assert_string_equal(array,
                        "[{\"op\":\"d\",\"table\":\"public.orders\",\"id\":\"0000000000000010-00000001\","
                        "\"row\":{\"id\":7,\"note\":\"y\"}}]");
    payload_clear(&p);
    sample_clear(&s);
}

/** All of the envelope, with json columns and decimals as JsonConverter writes them. */
static void debezium_is_the_whole_envelope(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_DEBEZIUM);
    orders.columns[1].type.ops = &PG_STRING_JSON;
    sample_init(&s, 'u', "{\"a\":1}");
    orders.columns[1].type.ops = &PG_STRING_TEXT;
    CLEANUP(memory_free_pointer) char *one = body_of(&p, &options, &s);
    static const char *const START =
        "{\"before\":null,\"after\":{\"id\":7,\"note\":\"{\\\"a\\\":1}\"},\"source\":{\"version\":\"0\",";
    static const char *const END = "\"transaction\":null,\"op\":\"u\",\"ts_ms\":0,\"ts_us\":0,\"ts_ns\":0}";
    assert_memory_equal(one, START, strlen(START));
    assert_string_equal(one + strlen(one) - strlen(END), END);
    assert_string_equal(bytes_text(&p.lines),
                        "millrace-operation: update\r\nmillrace-table: public.orders\r\n"
                        "millrace-id: 0000000000000010-00000001");
    options.is_batch = true;
    CLEANUP(memory_free_pointer) char *array = body_of(&p, &options, &s);
    assert_int_equal(p.lines.size, 0);
    assert_memory_equal(array + 1, one, strlen(one));
    assert_int_equal(strlen(array), strlen(one) + 2);
    payload_clear(&p);
    sample_clear(&s);
}

static void an_unwanted_operation_is_filtered(void **state)
{
    (void)state;
    struct sample s;
    struct fault f;
    struct payload p = {0};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_ROW);
    options.operations = FUNCTION_DELETE;
    sample_init(&s, 'u', "x");
    payload_begin(&p, &options);
    assert_int_equal(payload_add(&p, &s.record, &f), PAYLOAD_FILTERED);
    assert_int_equal(p.event_count, 0);
    payload_clear(&p);
    sample_clear(&s);
}

static void a_full_body_leaves_the_next_event_out_and_refuses_one_that_never_fits(void **state)
{
    (void)state;
    struct sample s;
    struct fault f;
    struct payload p = {0};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_ROW);
    options.is_batch = true;
    sample_init(&s, 'c', "x");
    CLEANUP(memory_free_pointer) char *one = body_of(&p, &options, &s);
    size_t element = strlen(one) - 2;  // without its brackets
    options.bytes_max = 2 * element + 10;
    payload_begin(&p, &options);
    assert_int_equal(payload_add(&p, &s.record, &f), PAYLOAD_ADDED);
    assert_int_equal(payload_add(&p, &s.record, &f), PAYLOAD_ADDED);
    assert_int_equal(payload_add(&p, &s.record, &f), PAYLOAD_FULL);
    payload_finish(&p);
    assert_int_equal(p.body.size, 2 * element + 3);
    CLEANUP(memory_free_pointer) char *body = slice_to_string(bytes_slice(&p.body));
    assert_memory_equal(body, one, element + 1);
    assert_memory_equal(body + element + 2, one + 1, element + 1);
    options.bytes_max = 10;
    payload_begin(&p, &options);
    assert_int_equal(payload_add(&p, &s.record, &f), PAYLOAD_REJECTED);
    assert_string_equal(p.reject_reason, "oversize");
    assert_non_null(strstr(f.text, "over the limit of 10: batch.bytes"));
    options.is_endpoint_limit = true;
    assert_int_equal(payload_add(&p, &s.record, &f), PAYLOAD_REJECTED);
    assert_non_null(strstr(f.text, "over the limit of 10: its endpoint takes no more"));
    payload_clear(&p);
    sample_clear(&s);
}

static void a_single_row_is_measured_by_itself(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_ROW);
    options.bytes_max = 45;  // less than the event, more than the row
    sample_init(&s, 'c', "x");
    CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
    assert_string_equal(body, "{\"id\":7,\"note\":\"x\"}");
    payload_clear(&p);
    sample_clear(&s);
}

static void a_body_may_be_as_large_as_the_limit_to_the_byte(void **state)
{
    (void)state;
    static const struct {
        enum function_payload kind;
        bool is_batch;
    } KINDS[] = {
        {FUNCTION_PAYLOAD_CLOUDEVENTS, false},
        {FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED, false},
        {FUNCTION_PAYLOAD_ROW, false},
        {FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH, true},
        {FUNCTION_PAYLOAD_ROW, true},
        {FUNCTION_PAYLOAD_LAMBDA_KAFKA, true},
        {FUNCTION_PAYLOAD_DYNAMODB_STREAM, true},
        {FUNCTION_PAYLOAD_DEBEZIUM, false},
        {FUNCTION_PAYLOAD_DEBEZIUM, true},
    };
    struct sample s;
    sample_init(&s, 'u', "hello");
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        struct fault f;
        struct payload p = {0};
        struct payload_options options = options_of(KINDS[i].kind);
        options.is_batch = KINDS[i].is_batch;
        CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
        options.bytes_max = strlen(body);
        CLEANUP(memory_free_pointer) char *again = body_of(&p, &options, &s);
        assert_string_equal(again, body);
        options.bytes_max--;
        payload_begin(&p, &options);
        assert_int_equal(payload_add(&p, &s.record, &f), PAYLOAD_REJECTED);
        payload_clear(&p);
    }
    sample_clear(&s);
}

static void a_refused_event_leaves_nothing_to_the_next(void **state)
{
    (void)state;
    static const enum function_payload KINDS[] = {
        FUNCTION_PAYLOAD_CLOUDEVENTS,  FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED, FUNCTION_PAYLOAD_ROW,
        FUNCTION_PAYLOAD_LAMBDA_KAFKA, FUNCTION_PAYLOAD_DYNAMODB_STREAM,        FUNCTION_PAYLOAD_DEBEZIUM};
    char note[2001] = {0};
    memset(note, 'x', sizeof(note) - 1);
    struct sample large, small;
    sample_init(&large, 'u', note);
    sample_init(&small, 'c', "y");
    small.record.id = slice_of("0000000000000010-00000002");
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        struct fault f;
        struct payload alone = {0}, p = {0};
        struct payload_options options = options_of(KINDS[i]);
        options.bytes_max = 1500;
        CLEANUP(memory_free_pointer) char *wanted = body_of(&alone, &options, &small);
        payload_begin(&p, &options);
        assert_int_equal(payload_add(&p, &large.record, &f), PAYLOAD_REJECTED);
        assert_int_equal(p.lines.size, 0);
        assert_int_equal(p.body.size, 0);
        assert_int_equal(payload_add(&p, &small.record, &f), PAYLOAD_ADDED);
        payload_finish(&p);
        CLEANUP(memory_free_pointer) char *body = slice_to_string(bytes_slice(&p.body));
        assert_string_equal(body, wanted);
        assert_true(slice_equal(bytes_slice(&p.lines), bytes_slice(&alone.lines)));
        payload_clear(&alone);
        payload_clear(&p);
    }
    sample_clear(&large);
    sample_clear(&small);
}

/** Its parts are found; writing them fails in the middle. */
static void an_event_that_can_t_be_written_leaves_the_batch_as_it_was(void **state)
{
    (void)state;
    static const enum function_payload KINDS[] = {FUNCTION_PAYLOAD_ROW, FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH,
                                                  FUNCTION_PAYLOAD_DYNAMODB_STREAM,
                                                  FUNCTION_PAYLOAD_DEBEZIUM};
    struct sample s;
    sample_init(&s, 'u', "hello");
    struct avro_type *type = NULL;
    struct fault f;
    assert_true(avro_type_parse(slice_of("{\"type\":\"record\",\"name\":\"r\",\"fields\":["
                                         "{\"name\":\"a\",\"type\":\"long\"},"
                                         "{\"name\":\"b\",\"type\":\"boolean\"}]}"),
                                &type, &f));
    struct record bad = s.record;
    bad.value_type = type;
    bad.value = slice_make("\0\0\0\0\3\x0e\2", 7);  // a boolean of 2
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        struct payload p = {0};
        struct payload_options options = options_of(KINDS[i]);
        options.is_batch = true;
        CLEANUP(memory_free_pointer) char *wanted = body_of(&p, &options, &s);
        payload_begin(&p, &options);
        assert_int_equal(payload_add(&p, &bad, &f), PAYLOAD_REJECTED);
        assert_string_equal(p.reject_reason, "undecodable");
        assert_string_equal(f.text, "value: Avro data: a boolean that is neither 0 nor 1");
        assert_int_equal(payload_add(&p, &s.record, &f), PAYLOAD_ADDED);
        assert_int_equal(payload_add(&p, &bad, &f), PAYLOAD_REJECTED);
        payload_finish(&p);
        CLEANUP(memory_free_pointer) char *body = slice_to_string(bytes_slice(&p.body));
        assert_string_equal(body, wanted);
        payload_clear(&p);
    }
    avro_type_free(type);
    sample_clear(&s);
}

static void every_truncation_of_a_record_is_undecodable(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_CLOUDEVENTS);
    sample_init(&s, 'u', "hello");
    struct slice whole = s.record.value;
    for (size_t size = FRAMING_SIZE; size < whole.size; size++) {
        struct fault f;
        CLEANUP(memory_free_pointer) uint8_t *exact = memory_new(size);
        memcpy(exact, whole.data, size);
        s.record.value = slice_make(exact, size);
        payload_begin(&p, &options);
        assert_int_equal(payload_add(&p, &s.record, &f), PAYLOAD_REJECTED);
        assert_string_equal(p.reject_reason, "undecodable");
        assert_int_equal(p.lines.size, 0);
    }
    payload_clear(&p);
    sample_clear(&s);
}

static void a_key_that_does_not_decode_is_a_string(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_CLOUDEVENTS);
    sample_init(&s, 'u', "hello");
    s.record.key = slice_make("\0\0\0\0\1\x80", 6);  // a truncated number
    CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
    assert_non_null(strstr(body, "\"note\":\"hello\""));
    assert_non_null(strstr(bytes_text(&p.lines),
                           "\r\nce-partitionkey: %22\\u0000\\u0000\\u0000\\u0000\\u0001%EF%BF%BD%22\r\n"));
    payload_clear(&p);
    sample_clear(&s);
}

static const char TRACEPARENT[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

static void add_header(rd_kafka_headers_t *headers, const char *name, const char *value)
{
    assert_int_equal(rd_kafka_header_add(headers, name, -1, value, -1), 0);
}

static void an_event_links_its_schema_and_the_trace_of_its_change(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_CLOUDEVENTS);
    options.schemas_url = "https://r.example/schemas/ids/";
    sample_init(&s, 'c', "x");
    s.record.headers = rd_kafka_headers_new(2);
    add_header(s.record.headers, "traceparent", TRACEPARENT);
    add_header(s.record.headers, "tracestate", "a=1,b=2");
    CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
    CLEANUP(memory_free_pointer)
    char *lines = memory_format("\r\nce-dataschema: https://r.example/schemas/ids/2\r\nce-traceparent: %s\r\n"
                                "ce-tracestate: a=1,b=2",
                                TRACEPARENT);
    assert_non_null(strstr(bytes_text(&p.lines), lines));
    options.kind = FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED;
    CLEANUP(memory_free_pointer) char *structured = body_of(&p, &options, &s);
    CLEANUP(memory_free_pointer)
    char *members =
        memory_format(",\"dataschema\":\"https://r.example/schemas/ids/2\",\"traceparent\":\"%s\","
                      "\"tracestate\":\"a=1,b=2\",\"data\":{",
                      TRACEPARENT);
    assert_non_null(strstr(structured, members));
    rd_kafka_headers_destroy(s.record.headers);
    payload_clear(&p);
    sample_clear(&s);
}

static void a_traceparent_that_is_none_is_left_out(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",
                                      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
                                      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                                      "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                                      "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nx: y"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct sample s;
        struct payload p = {0};
        struct payload_options options = options_of(FUNCTION_PAYLOAD_CLOUDEVENTS);
        sample_init(&s, 'c', "x");
        s.record.headers = rd_kafka_headers_new(2);
        add_header(s.record.headers, "traceparent", BAD[i]);
        add_header(s.record.headers, "tracestate", "a=1");
        CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
        assert_null(strstr(bytes_text(&p.lines), "trace"));
        rd_kafka_headers_destroy(s.record.headers);
        payload_clear(&p);
        sample_clear(&s);
    }
}

/** `source` is a URI reference, whatever the prefix is. */
static void a_prefix_is_percent_encoded_in_the_source(void **state)
{
    (void)state;
    struct sample s;
    struct payload p = {0};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_CLOUDEVENTS);
    char *prefix = orders.prefix;
    orders.prefix = (char *)"a b/c?d#e%f:\xc3\xa9";
    sample_init(&s, 'c', "x");
    orders.prefix = prefix;
    CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
    assert_non_null(strstr(bytes_text(&p.lines),
                           "\r\nce-source: /millrace/a%2520b%252Fc%253Fd%2523e%2525f:%25C3%25A9\r\n"));
    options.kind = FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED;
    CLEANUP(memory_free_pointer) char *structured = body_of(&p, &options, &s);
    assert_non_null(strstr(structured, ",\"source\":\"/millrace/a%20b%2Fc%3Fd%23e%25f:%C3%A9\","));
    payload_clear(&p);
    sample_clear(&s);
}

/** A JSON record with the headers of a CloudEvent, as functions leave in a topic of replies. */
static struct record reply_record(void)
{
    struct record r = {
        .topic = "orders.replies",
        .id = slice_of("id-1"),
        .value = slice_of("{\"n\": 1.10}"),
        .headers = rd_kafka_headers_new(8),
        .is_json = true,
        .is_cloud_event = true,
    };
    static const char *const HEADERS[][2] = {{"ce_specversion", "1.0"},
                                             {"ce_id", "id-1"},
                                             {"ce_source", "/old"},
                                             {"ce_type", "reserved"},
                                             {"ce_source", "/shop\xc3\xa9"},
                                             {"ce_bad-name", "x"},
                                             {"ce_empty", ""},
                                             {"ce_broken", "\xff"},
                                             {"content-type", "application/json"}};
    for (size_t i = 0; i < COUNT_OF(HEADERS); i++) {
        add_header(r.headers, HEADERS[i][0], HEADERS[i][1]);
    }
    return r;
}

static void a_cloudevent_on_kafka_is_forwarded_as_it_is(void **state)
{
    (void)state;
    struct fault f;
    struct payload p = {0};
    struct record r = reply_record();
    struct payload_options options = options_of(FUNCTION_PAYLOAD_CLOUDEVENTS);
    payload_begin(&p, &options);
    assert_int_equal(payload_add(&p, &r, &f), PAYLOAD_ADDED);
    assert_string_equal(bytes_text(&p.lines), "ce-specversion: 1.0\r\nce-id: id-1\r\nce-type: reserved\r\n"
                                              "ce-source: /shop%C3%A9");
    assert_string_equal(bytes_text(&p.body), "{\"n\": 1.10}");
    options.kind = FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED;
    payload_begin(&p, &options);
    assert_int_equal(payload_add(&p, &r, &f), PAYLOAD_ADDED);
    assert_string_equal(bytes_text(&p.body),
                        "{\"specversion\":\"1.0\",\"id\":\"id-1\",\"datacontenttype\":\"application/json\","
                        "\"type\":\"reserved\",\"source\":\"/shop\xc3\xa9\",\"data\":{\"n\": 1.10}}");
    rd_kafka_headers_destroy(r.headers);
    payload_clear(&p);
}

/** Without the attributes of a CloudEvent it is a row that was created. */
static void a_json_record_is_a_create(void **state)
{
    (void)state;
    struct fault f;
    struct payload p = {0};
    struct record r = {.topic = "t", .id = slice_of("t-0-1"), .value = slice_of("[1]"), .is_json = true};
    struct payload_options options = options_of(FUNCTION_PAYLOAD_CLOUDEVENTS);
    payload_begin(&p, &options);
    assert_int_equal(payload_add(&p, &r, &f), PAYLOAD_ADDED);
    assert_string_equal(bytes_text(&p.body), "{\"op\":\"c\",\"before\":null,\"after\":[1],\"source\":null}");
    assert_non_null(strstr(bytes_text(&p.lines), "\r\nce-type: millrace.change.create\r\nce-subject: t"));
    options.kind = FUNCTION_PAYLOAD_ROW;
    payload_begin(&p, &options);
    assert_int_equal(payload_add(&p, &r, &f), PAYLOAD_ADDED);
    assert_string_equal(bytes_text(&p.body), "[1]");
    payload_clear(&p);
}

static void expect_json(enum function_payload kind, enum function_kafka_encoding encoding, struct record *r)
{
    struct fault f;
    struct payload p = {0};
    struct payload_options options = options_of(kind);
    options.is_batch = payload_type_of(kind)->is_always_batch;
    options.kafka_encoding = encoding;
    payload_begin(&p, &options);
    assert_int_equal(payload_add(&p, r, &f), PAYLOAD_ADDED);
    payload_finish(&p);
    assert_true(json_check_value(bytes_slice(&p.body)));
    payload_clear(&p);
}

static void every_payload_takes_records_of_json(void **state)
{
    (void)state;
    static const enum function_payload KINDS[] = {
        FUNCTION_PAYLOAD_CLOUDEVENTS,       FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED,
        FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH, FUNCTION_PAYLOAD_ROW,
        FUNCTION_PAYLOAD_LAMBDA_KAFKA,      FUNCTION_PAYLOAD_DYNAMODB_STREAM,
        FUNCTION_PAYLOAD_DEBEZIUM,
    };
    struct record r = reply_record();
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        for (int cloud = 0; cloud < 2; cloud++) {
            r.is_cloud_event = cloud == 1;
            expect_json(KINDS[i], FUNCTION_KAFKA_BASE64, &r);
            expect_json(KINDS[i], FUNCTION_KAFKA_PLAIN, &r);
        }
    }
    rd_kafka_headers_destroy(r.headers);
}

/** CloudEvents HTTP binding 1.0.2, 3.1.3.2: exactly these characters are percent-encoded. */
static void only_what_must_be_is_percent_encoded(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        CLEANUP(bytes_clear) struct bytes out = {0};
        char text[2] = {(char)byte, '\0'};
        bool is_encoded = byte <= 0x20 || byte >= 0x7f || byte == '"' || byte == '%';
        payload_append_header_value(&out, slice_make(text, 1));
        assert_int_equal(out.size, is_encoded ? 3 : 1);
        assert_int_equal(out.data[0], is_encoded ? '%' : byte);
    }
}

static void header_values_are_percent_encoded(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes out = {0};
    payload_append_header_value(&out, slice_of("a b\"%\r\nX: y\xe2\x82\xac~"));
    assert_string_equal(bytes_text(&out), "a%20b%22%25%0D%0AX:%20y%E2%82%AC~");
}

static void header_values_are_percent_encoded_at_all_places(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes out = {0};
    for (size_t size = 1; size <= 24; size++) {
        for (size_t at = 0; at < size; at++) {
            char text[24];
            memset(text, 'a', sizeof(text));
            text[at] = '%';
            bytes_clear(&out);
            payload_append_header_value(&out, slice_make(text, size));
            assert_int_equal(out.size, size + 2);
            assert_memory_equal(out.data + at, "%25", 3);
            assert_int_equal(strspn(bytes_text(&out), "a"), at);
            assert_int_equal(strspn(bytes_text(&out) + at + 3, "a"), size - at - 1);
        }
    }
}

static void times_are_rfc_3339_in_utc(void **state)
{
    (void)state;
    CLEANUP(bytes_clear) struct bytes out = {0};
    payload_append_time(&out, 0);
    payload_append_time(&out, -1);
    payload_append_time(&out, INT64_C(1709164799000001));
    assert_string_equal(bytes_text(&out),
                        "1970-01-01T00:00:00.000000Z1969-12-31T23:59:59.999999Z2024-02-28T23:59:59.000001Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cloudevents_has_attributes_in_headers_and_data_as_body),
        cmocka_unit_test(names_are_escaped_once_for_where_they_stand),
        cmocka_unit_test(structured_and_batched_cloudevents_are_json_objects),
        cmocka_unit_test(a_row_is_what_it_is_after_or_was_before_its_delete),
        cmocka_unit_test(debezium_is_the_whole_envelope),
        cmocka_unit_test(an_unwanted_operation_is_filtered),
        cmocka_unit_test(a_full_body_leaves_the_next_event_out_and_refuses_one_that_never_fits),
        cmocka_unit_test(a_single_row_is_measured_by_itself),
        cmocka_unit_test(a_body_may_be_as_large_as_the_limit_to_the_byte),
        cmocka_unit_test(a_refused_event_leaves_nothing_to_the_next),
        cmocka_unit_test(an_event_that_can_t_be_written_leaves_the_batch_as_it_was),
        cmocka_unit_test(every_truncation_of_a_record_is_undecodable),
        cmocka_unit_test(a_key_that_does_not_decode_is_a_string),
        cmocka_unit_test(an_event_links_its_schema_and_the_trace_of_its_change),
        cmocka_unit_test(a_traceparent_that_is_none_is_left_out),
        cmocka_unit_test(a_prefix_is_percent_encoded_in_the_source),
        cmocka_unit_test(a_cloudevent_on_kafka_is_forwarded_as_it_is),
        cmocka_unit_test(a_json_record_is_a_create),
        cmocka_unit_test(every_payload_takes_records_of_json),
        cmocka_unit_test(only_what_must_be_is_percent_encoded),
        cmocka_unit_test(header_values_are_percent_encoded),
        cmocka_unit_test(header_values_are_percent_encoded_at_all_places),
        cmocka_unit_test(times_are_rfc_3339_in_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

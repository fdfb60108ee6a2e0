// bridge/reply: what of a response is an event, in each mode; what is not valid is refused with the reason.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/reply/reply.h"
#include "bridge/reply/reply_headers.h"
#include "core/base/memory.h"

enum { FIELDS_MAX = 12 };

/** A response and the memory it borrows. */
struct sample {
    struct response r;
    struct http_field fields[FIELDS_MAX];
    struct replies replies;
    struct fault f;
};

/** Reads a response with these headers, "name: value" each. */
static enum reply_kind read_sample(struct sample *s, const char *body, const char *const headers[])
{
    *s = (struct sample){.r = {.status = 200, .body = slice_of(body)}};
    s->r.fields = s->fields;
    for (size_t i = 0; headers[i] != NULL; i++) {
        const char *colon = strstr(headers[i], ": ");
        assert_true(colon != NULL && i < FIELDS_MAX);
        s->fields[i] =
            (struct http_field){slice_make(headers[i], (size_t)(colon - headers[i])), slice_of(colon + 2)};
        s->r.field_count++;
    }
    return reply_read(&s->r, &s->replies, &s->f);
}

#define HEADERS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void assert_slice(struct slice actual, const char *expected)
{
    CLEANUP(memory_free_pointer) char *text = slice_to_string(actual);
    assert_string_equal(text, expected);
}

static void binary_values_are_decoded(void **state)
{
    (void)state;
    struct sample s;
    assert_int_equal(
        read_sample(&s, "[1]",
                    HEADERS("CE-SpecVersion: 1.0", "ce-ID: a b%20%C3%A9%2", "ce-source: \"q\\\"%41\"",
                            "ce-type: t", "ce-empty: ", "Content-Type: application/json;x=y")),
        REPLY_PRESENT);
    assert_int_equal(s.replies.count, 1);
    const struct reply *reply = &s.replies.items[0];
    assert_int_equal(reply->attribute_count, 3);
    assert_slice(reply_attribute_of(reply, "id"), "a b \xc3\xa9%2");
    assert_slice(reply_attribute_of(reply, "source"), "q\"A");
    assert_slice(reply->content_type, "application/json;x=y");
    assert_slice(reply->data, "[1]");
    replies_clear(&s.replies);
}

static void a_binary_event_without_a_body_has_null_for_data(void **state)
{
    (void)state;
    struct sample s;
    assert_int_equal(
        read_sample(&s, "", HEADERS("ce-specversion: 1.0", "ce-id: a", "ce-source: s", "ce-type: t")),
        REPLY_PRESENT);
    assert_slice(s.replies.items[0].data, "null");
    assert_slice(s.replies.items[0].content_type, "application/json");
    replies_clear(&s.replies);
}

#define JSON_EVENT "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\""

static void data_of_structured_events_keeps_its_text(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        const char *data;
        const char *content_type;
    } KNOWN[] = {
        {"\"data\":{\"n\": 1.10}", "{\"n\": 1.10}", "application/json"},
        {"\"data\":12345678901234567890", "12345678901234567890", "application/json"},
        {"\"data\":\"a\\u00e9\"", "\"a\\u00e9\"", "application/json"},
        {"\"data\":\"a\\u00e9\",\"datacontenttype\":\"text/plain\"", "a\xc3\xa9", "text/plain"},
        {"\"data_base64\":\"YWI=\",\"datacontenttype\":\"text/plain\"", "ab", "text/plain"},
        {"\"data_base64\":\"\"", "", "application/json"},
        {"\"data\":null,\"subject\":null", "null", "application/json"},
        {"\"n\":-7,\"b\":true", "null", "application/json"},
    };
    for (size_t i = 0; i < COUNT_OF(KNOWN); i++) {
        struct sample s;
        CLEANUP(memory_free_pointer) char *body = memory_format("{" JSON_EVENT ",%s}", KNOWN[i].members);
        assert_int_equal(
            read_sample(&s, body, HEADERS("content-type: application/cloudevents+json; charset=utf-8")),
            REPLY_PRESENT);
        assert_slice(s.replies.items[0].data, KNOWN[i].data);
        assert_slice(s.replies.items[0].content_type, KNOWN[i].content_type);
        replies_clear(&s.replies);
    }
}

static void invalid_events_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const char STRUCTURED[] = "content-type: application/cloudevents+json";
    static const char BATCH[] = "content-type: application/cloudevents-batch+json";
    static const struct {
        const char *header;
        const char *body;
        const char *why;
    } BAD[] = {
        {STRUCTURED, "{", "the response's body: 1:2: "},
        {STRUCTURED, "[]", "no JSON object"},
        {STRUCTURED, "{\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}", "it has no specversion"},
        {STRUCTURED, "{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}",
         "specversion is \"0.3\""},
        {STRUCTURED, "{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"s\",\"type\":\"t\"}", "it has no id"},
        {STRUCTURED, "{" JSON_EVENT ",\"my-name\":1}", "\"my-name\" is no name"},
        {STRUCTURED, "{" JSON_EVENT ",\"a\":{}}", "the attribute a is neither text"},
        {STRUCTURED, "{" JSON_EVENT ",\"a\":\"x\\ny\"}", "the attribute a has control characters"},
        {STRUCTURED, "{" JSON_EVENT ",\"type\":\"u\"}", "the attribute type is there twice"},
        {STRUCTURED, "{" JSON_EVENT ",\"data\":1,\"data_base64\":\"YQ==\"}", "data and data_base64"},
        {STRUCTURED, "{" JSON_EVENT ",\"data_base64\":\"YQ=\"}", "no base64"},
        {STRUCTURED, "{" JSON_EVENT ",\"data_base64\":\"Y=Q=\"}", "no base64"},
        {STRUCTURED, "{" JSON_EVENT ",\"data\":1,\"datacontenttype\":\"text/plain\"}",
         "datacontenttype is not"},
        {BATCH, "{" JSON_EVENT "}", "no JSON array"},
        {BATCH, "[{" JSON_EVENT "},7]", "no JSON object"},
        {"content-type: application/json", "nope", "the response's body: 1:1: "},
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct sample s;
        assert_int_equal(read_sample(&s, BAD[i].body, HEADERS(BAD[i].header)), REPLY_INVALID);
        if (strstr(s.f.text, BAD[i].why) == NULL) {
            fail_msg("%s: %s", BAD[i].body, s.f.text);
        }
        replies_clear(&s.replies);
    }
    struct sample s;
    assert_int_equal(read_sample(&s, "x",
                                 HEADERS("ce-specversion: 1.0", "ce-id: 1", "ce-source: s", "ce-type: t",
                                         "content-type: application/json")),
                     REPLY_INVALID);
    replies_clear(&s.replies);
    assert_int_equal(
        read_sample(&s, "{}", HEADERS("content-encoding: gzip", "content-type: application/json")),
        REPLY_INVALID);
    replies_clear(&s.replies);
}

static void what_is_no_reply(void **state)
{
    (void)state;
    struct sample s;
    const char *const json[] = {"content-type: application/json", NULL};
    assert_int_equal(read_sample(&s, " \r\n", json), REPLY_ABSENT);
    assert_int_equal(read_sample(&s, "null", json), REPLY_ABSENT);
    replies_clear(&s.replies);
    assert_int_equal(read_sample(&s, "[]", HEADERS("content-type: application/cloudevents-batch+json")),
                     REPLY_ABSENT);
    replies_clear(&s.replies);
    assert_int_equal(read_sample(&s, "OK", HEADERS("content-type: text/html")), REPLY_FOREIGN);
    assert_int_equal(read_sample(&s, "{}", HEADERS("server: x")), REPLY_FOREIGN);
    static const int STATUSES[] = {202, 204, 205, 301, 409};
    for (size_t i = 0; i < COUNT_OF(STATUSES); i++) {
        s.r = (struct response){.status = STATUSES[i], .body = slice_of("{}")};
        assert_int_equal(reply_read(&s.r, &s.replies, &s.f), REPLY_ABSENT);
    }
}

/** As Lambda and local processes respond. */
static void a_response_without_headers_is_json_or_a_cloudevent(void **state)
{
    (void)state;
    struct sample s = {.r = {.status = 200, .body = slice_of("{\"specversion\":\"1.0\",\"id\":\"1\"}")}};
    assert_int_equal(reply_read(&s.r, &s.replies, &s.f), REPLY_PRESENT);
    assert_false(s.replies.items[0].is_cloud_event);
    replies_clear(&s.replies);
    s.r.body = slice_of("{" JSON_EVENT ",\"data\":[]}");
    assert_int_equal(reply_read(&s.r, &s.replies, &s.f), REPLY_PRESENT);
    assert_true(s.replies.items[0].is_cloud_event);
    assert_slice(s.replies.items[0].data, "[]");
    replies_clear(&s.replies);
}

/** Reading must never reach beyond the body, and every cut is refused. */
static void every_truncation_is_refused(void **state)
{
    (void)state;
    static const char BODY[] = "{" JSON_EVENT ",\"a\":\"\\u00e9\",\"data_base64\":\"YWI=\"}";
    for (size_t size = 1; size < sizeof(BODY) - 1; size++) {
        struct sample s = {0};
        CLEANUP(memory_free_pointer) char *copy = memory_new(size);
        memcpy(copy, BODY, size);
        static const struct http_field FIELD = {{(const uint8_t *)"content-type", 12},
                                                {(const uint8_t *)"application/cloudevents+json", 28}};
        s.r = (struct response){
            .status = 200, .body = slice_make(copy, size), .fields = &FIELD, .field_count = 1};
        assert_int_equal(reply_read(&s.r, &s.replies, &s.f), REPLY_INVALID);
        replies_clear(&s.replies);
    }
}

static void an_id_depends_on_function_topic_event_and_index(void **state)
{
    (void)state;
    struct record r = {.topic = "shop.public.orders", .id = slice_of("0000000000000010-00000001")};
    struct reply_place place = {.function = "reserve", .source = &r};
    char id[REPLY_ID_SIZE + 1];
    reply_id_write(&place, id);
    // Of Python's uuid.uuid5.
    assert_string_equal(id, "a695421c-34c0-5e41-8b86-9e654c0237f8");
    char *topic = (char *)"shop.public.orders";
    struct record letter = {.topic = "millrace.dlq.reserve", .origin_topic = topic, .id = r.id};
    char again[REPLY_ID_SIZE + 1];
    reply_id_write(&(struct reply_place){.function = "reserve", .source = &letter}, again);
    assert_string_equal(again, id);
    place.index = 1;
    reply_id_write(&place, again);
    assert_string_not_equal(again, id);
}

static void check_header(const rd_kafka_headers_t *headers, const char *name, const char *expected)
{
    const void *value = NULL;
    size_t size = 0;
    bool is_there = rd_kafka_header_get(headers, 0, name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
    assert_int_equal(is_there, expected != NULL);
    assert_true(expected == NULL || slice_equal(slice_make(value, size), slice_of(expected)));
}

/** What is done because of the reply belongs to the call, and without spans to what made the change. */
static void a_reply_carries_on_the_trace_of_its_call(void **state)
{
    (void)state;
    static const char OF_CHANGE[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    static const char OF_CALL[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-0102030405060708-01";
    struct record r = {
        .topic = "shop.public.orders", .id = slice_of("1"), .headers = rd_kafka_headers_new(2)};
    const struct reply reply = {0};
    struct trace_context call;
    struct reply_place place = {.function = "reserve", .source = &r};
    assert_true(trace_context_read(slice_of(OF_CALL), &call));
    rd_kafka_headers_t *headers = reply_headers_new(&reply, &place);
    check_header(headers, "traceparent", NULL);
    rd_kafka_headers_destroy(headers);
    assert_int_equal(rd_kafka_header_add(r.headers, "traceparent", -1, OF_CHANGE, -1), 0);
    assert_int_equal(rd_kafka_header_add(r.headers, "tracestate", -1, "a=1", -1), 0);
    headers = reply_headers_new(&reply, &place);
    check_header(headers, "traceparent", OF_CHANGE);
    check_header(headers, "tracestate", "a=1");
    rd_kafka_headers_destroy(headers);
    place.call = &call;
    headers = reply_headers_new(&reply, &place);
    check_header(headers, "traceparent", OF_CALL);
    check_header(headers, "tracestate", "a=1");
    rd_kafka_headers_destroy(headers);
    rd_kafka_headers_destroy(r.headers);
}

static void assert_header(const rd_kafka_headers_t *headers, const char *name, const char *expected)
{
    const void *value = NULL;
    size_t size = 0;
    assert_int_equal(rd_kafka_header_get_last(headers, name, &value, &size), 0);
    assert_slice(slice_make(value, size), expected);
}

/** It is what the function was given, and what other systems know the event by. */
static void a_reply_names_the_id_of_a_forwarded_cloud_event(void **state)
{
    (void)state;
    const struct reply reply = {.data = slice_of("1")};
    struct record source = {
        .topic = "orders", .id = slice_of("orders-0-7"), .headers = rd_kafka_headers_new(1)};
    const struct reply_place place = {.function = "f", .source = &source};
    assert_int_equal(rd_kafka_header_add(source.headers, "ce_id", -1, "order-7", -1), 0);
    for (int i = 0; i < 2; i++) {
        source.is_cloud_event = i == 1;
        rd_kafka_headers_t *headers = reply_headers_new(&reply, &place);
        assert_header(headers, "ce_causationid", i == 1 ? "order-7" : "orders-0-7");
        assert_header(headers, "ce_correlationid", i == 1 ? "order-7" : "orders-0-7");
        rd_kafka_headers_destroy(headers);
    }
    rd_kafka_headers_destroy(source.headers);
}

static void hops_are_counted_and_nonsense_is_more_than_any_limit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t hops;
    } KNOWN[] = {{"0", 0},          {"8", 8},           {"", 0},
                 {"x", UINT32_MAX}, {"-1", UINT32_MAX}, {"99999999999999", UINT32_MAX}};
    for (size_t i = 0; i < COUNT_OF(KNOWN); i++) {
        struct record r = {.headers = rd_kafka_headers_new(1)};
        assert_int_equal(rd_kafka_header_add(r.headers, "millrace-hop", -1, KNOWN[i].text, -1), 0);
        assert_int_equal(reply_hops(&r), KNOWN[i].hops);
        rd_kafka_headers_destroy(r.headers);
    }
    assert_int_equal(reply_hops(&(struct record){0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_values_are_decoded),
        cmocka_unit_test(a_binary_event_without_a_body_has_null_for_data),
        cmocka_unit_test(data_of_structured_events_keeps_its_text),
        cmocka_unit_test(invalid_events_are_refused_with_the_reason),
        cmocka_unit_test(what_is_no_reply),
        cmocka_unit_test(a_response_without_headers_is_json_or_a_cloudevent),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(an_id_depends_on_function_topic_event_and_index),
        cmocka_unit_test(a_reply_carries_on_the_trace_of_its_call),
        cmocka_unit_test(a_reply_names_the_id_of_a_forwarded_cloud_event),
        cmocka_unit_test(hops_are_counted_and_nonsense_is_more_than_any_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

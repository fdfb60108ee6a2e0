// bridge/delivery/item_failures: which events a response names as failed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "bridge/delivery/item_failures.h"
#include "lane_case.h"

enum { EVENTS = 4 };

/** Events "e0" to "e3" with the offsets 100 to 103 of t-0, as a list. */
struct call {
    struct work_item *items[EVENTS];
    char ids[EVENTS][8];
};

static void call_init(struct call *c)
{
    for (size_t i = 0; i < EVENTS; i++) {
        (void)snprintf(c->ids[i], sizeof(c->ids[i]), "e%zu", i);
        c->items[i] = make(&first, "k", 100 + (int64_t)i);
        c->items[i]->record->id = slice_of(c->ids[i]);
    }
    for (size_t i = 0; i + 1 < EVENTS; i++) {
        c->items[i]->next = c->items[i + 1];
    }
}

static void call_clear(struct call *c)
{
    for (size_t i = 0; i < EVENTS; i++) {
        work_item_free(c->items[i]);
    }
}

/** What is made of a body; a bit for each event that it names. */
static enum item_failures judge(struct slice body, unsigned *ret_reported, struct fault *f)
{
    struct call c;
    call_init(&c);
    for (size_t i = 0; i < EVENTS; i++) {
        c.items[i]->retry.is_reported = true;  // of an earlier call
    }
    enum item_failures found = item_failures_read(body, c.items[0], EVENTS, f);
    *ret_reported = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        *ret_reported |= c.items[i]->retry.is_reported ? 1u << i : 0;
    }
    call_clear(&c);
    return found;
}

static void bodies_that_name_no_event_are_success(void **state)
{
    (void)state;
    static const char *const BODIES[] = {
        "",
        " \r\n",
        "{}",
        "null",
        "[]",
        "{\"batchItemFailures\":[]}",
        "{\"batchItemFailures\":null}",
        "{\"statusCode\":200}",
    };
    for (size_t i = 0; i < COUNT_OF(BODIES); i++) {
        unsigned reported;
        struct fault f;
        assert_int_equal(judge(slice_of(BODIES[i]), &reported, &f), ITEM_FAILURES_NONE);
        assert_int_equal(reported, 0);
    }
}

#define ITEMS(list) "{\"batchItemFailures\":[" list "]}"

static void known_identifiers_are_what_failed(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        unsigned reported;
    } CASES[] = {
        {ITEMS("{\"itemIdentifier\":\"e1\"}"), 2},
        {ITEMS("{\"itemIdentifier\":\"e3\"},{\"itemIdentifier\":\"e0\"},{\"itemIdentifier\":\"e3\"}"), 9},
        {ITEMS("{\"itemIdentifier\":\"\\u0065\\u0032\",\"reason\":\"x\"}"), 4},
        {ITEMS("{\"itemIdentifier\":{\"partition\":\"t-0\",\"offset\":102}}"), 4},
        {ITEMS("{\"itemIdentifier\":{\"partition\":\"t-0\",\"offset\":100}},{\"itemIdentifier\":\"e3\"}"), 9},
        {ITEMS("{\"itemIdentifier\":\"e0\"},{\"itemIdentifier\":\"e1\"},{\"itemIdentifier\":\"e2\"},"
               "{\"itemIdentifier\":\"e3\"}"),
         15},
        {"{\"batchItemFailures\":[],\"batchItemFailures\":[{\"itemIdentifier\":\"e1\"}]}", 2},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        unsigned reported;
        struct fault f;
        assert_int_equal(judge(slice_of(CASES[i].body), &reported, &f), ITEM_FAILURES_SOME);
        assert_int_equal(reported, CASES[i].reported);
    }
}

static void all_else_is_invalid_and_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *text;
    } CASES[] = {
        {ITEMS("{\"itemIdentifier\":\"\"}"), "1:41: itemIdentifier is not an event's id"},
        {ITEMS("{\"itemIdentifier\":null}"), "1:41: itemIdentifier is not an event's id"},
        {ITEMS("{\"itemIdentifier\":7}"), "1:41: itemIdentifier is not an event's id"},
        {ITEMS("{\"itemIdentifier\":\"e4\"}"), "1:41: no event of the call has this itemIdentifier"},
        {ITEMS("{\"itemIdentifier\":\"e0\"},\n{\"itemIdentifier\":\"x\"}"),
         "2:19: no event of the call has this itemIdentifier"},
        {ITEMS("{\"itemId\":\"e0\"}"), "1:23: an item of batchItemFailures has no itemIdentifier"},
        {ITEMS("\"e0\""), "1:23: an item of batchItemFailures has no itemIdentifier"},
        {ITEMS("{\"itemIdentifier\":{\"partition\":\"t-1\",\"offset\":100}}"),
         "1:41: no event of the call has this itemIdentifier (partition, offset)"},
        {ITEMS("{\"itemIdentifier\":{\"partition\":\"t-0\",\"offset\":104}}"),
         "1:41: no event of the call has this itemIdentifier (partition, offset)"},
        {ITEMS("{\"itemIdentifier\":{\"partition\":\"t-0\",\"offset\":\"100\"}}"),
         "1:41: no event of the call has this itemIdentifier (partition, offset)"},
        {ITEMS("{\"itemIdentifier\":{\"partition\":\"t-0x\",\"offset\":100}}"),
         "1:41: no event of the call has this itemIdentifier (partition, offset)"},
        {ITEMS("{\"itemIdentifier\":{\"partition\":\"\",\"offset\":1e2}}"),
         "1:41: no event of the call has this itemIdentifier (partition, offset)"},
        {ITEMS("{\"itemIdentifier\":{}}"), "1:41: no event of the call has this itemIdentifier"
                                           " (partition, offset)"},
        {"{\"batchItemFailures\":\"e0\"}", "1:22: batchItemFailures is not a list"},
        {"[1]", "1:1: the body is not an object with batchItemFailures"},
        {"\"ok\"", "1:1: the body is not an object with batchItemFailures"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        unsigned reported;
        struct fault f;
        assert_int_equal(judge(slice_of(CASES[i].body), &reported, &f), ITEM_FAILURES_INVALID);
        assert_string_equal(f.text, CASES[i].text);
    }
}

static void hostile_bodies_are_invalid(void **state)
{
    (void)state;
    static const char *const BODIES[] = {"<html>",          "{", "{}{}", "{\"batchItemFailures\":[}", "ok",
                                         "{\"a\":\"\xff\"}"};
    unsigned reported;
    struct fault f;
    for (size_t i = 0; i < COUNT_OF(BODIES); i++) {
        assert_int_equal(judge(slice_of(BODIES[i]), &reported, &f), ITEM_FAILURES_INVALID);
        assert_non_null(strchr(f.text, ':'));
    }
    assert_int_equal(judge(slice_make("{}\0", 3), &reported, &f), ITEM_FAILURES_INVALID);
    size_t max = item_failures_body_max(EVENTS);
    struct bytes deep = {0};
    memset(bytes_reserve(&deep, max), '[', max);
    deep.size = max;
    assert_int_equal(judge(bytes_slice(&deep), &reported, &f), ITEM_FAILURES_INVALID);
    bytes_reset(&deep);
    memset(bytes_reserve(&deep, max + 1), ' ', max + 1);
    deep.size = max + 1;
    memcpy(deep.data, "{}", 2);
    assert_int_equal(judge(slice_make(deep.data, max), &reported, &f), ITEM_FAILURES_NONE);
    assert_int_equal(judge(bytes_slice(&deep), &reported, &f), ITEM_FAILURES_INVALID);
    assert_non_null(strstr(f.text, "longer than"));
    memset(deep.data, ' ', 2);  // what follows may name events: it was not kept
    assert_int_equal(judge(slice_make(deep.data, max), &reported, &f), ITEM_FAILURES_NONE);
    assert_int_equal(judge(bytes_slice(&deep), &reported, &f), ITEM_FAILURES_INVALID);
    bytes_clear(&deep);
}

/** A change that was published twice is two events with one id. */
static void one_id_names_every_event_that_has_it(void **state)
{
    (void)state;
    struct call c;
    struct fault f;
    call_init(&c);
    c.items[2]->record->id = slice_of("e0");
    assert_int_equal(
        item_failures_read(slice_of(ITEMS("{\"itemIdentifier\":\"e0\"}")), c.items[0], EVENTS, &f),
        ITEM_FAILURES_SOME);
    assert_true(c.items[0]->retry.is_reported && c.items[2]->retry.is_reported);
    assert_false(c.items[1]->retry.is_reported || c.items[3]->retry.is_reported);
    call_clear(&c);
}

/** As the payload shows it. */
static void a_redriven_event_is_named_by_its_origin(void **state)
{
    (void)state;
    struct fault f;
    struct call c;
    char topic[] = "shop-x";
    call_init(&c);
    c.items[1]->record->origin_topic = topic;
    c.items[1]->record->origin_partition = 7;
    c.items[1]->record->origin_offset = 9;
    static const char BODY[] = ITEMS("{\"itemIdentifier\":{\"partition\":\"shop-x-7\",\"offset\":9}}");
    assert_int_equal(item_failures_read(slice_of(BODY), c.items[0], EVENTS, &f), ITEM_FAILURES_SOME);
    for (size_t i = 0; i < EVENTS; i++) {
        assert_int_equal(c.items[i]->retry.is_reported, i == 1);
    }
    c.items[1]->record->origin_topic = NULL;
    call_clear(&c);
}

static void all_of_a_full_batch_fit_into_a_body(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    static char ids[MANY][32];
    struct work_item *list = NULL;
    struct bytes body = {0};
    bytes_append_string(&body, "{\"batchItemFailures\": [");
    for (int i = MANY - 1; i >= 0; i--) {
        (void)snprintf(ids[i], sizeof(ids[i]), "%016X-%08X", (unsigned)i * 7919, (unsigned)i);
        struct work_item *item = make(&first, "k", i);
        item->record->id = slice_of(ids[i]);
        item->next = list;
        list = item;
        bytes_format(&body, "%s{\"itemIdentifier\": \"%s\"}", i == MANY - 1 ? "" : ", ", ids[i]);
    }
    bytes_append_string(&body, "]}");
    struct fault f;
    assert_true(body.size <= item_failures_body_max(MANY));
    assert_int_equal(item_failures_read(bytes_slice(&body), list, MANY, &f), ITEM_FAILURES_SOME);
    for (const struct work_item *item = list; item != NULL; item = item->next) {
        assert_true(item->retry.is_reported);
    }
    assert_int_equal(free_list(list), MANY);
    bytes_clear(&body);
}

/** As a handler of DynamoDB Streams names them: it may have stopped there. */
static void a_sequence_number_names_its_event_and_those_behind_it(void **state)
{
    (void)state;
    static const char *const IDS[EVENTS] = {"0000000000000010-00000001", "0000000000000010-00000002",
                                            "t-0-102", "0000000000000010-00000001"};
    static const struct {
        const char *body;
        enum item_failures found;
        unsigned reported;
        unsigned behind;
    } CASES[] = {
        {ITEMS("{\"itemIdentifier\":\"000000000000000000160000000002\"}"), ITEM_FAILURES_SOME, 14, 12},
        {ITEMS("{\"itemIdentifier\":\"000000000000000000160000000001\"}"), ITEM_FAILURES_SOME, 15, 6},
        {ITEMS("{\"itemIdentifier\":\"1062079395159565036300000000000000000102\"},"
               "{\"itemIdentifier\":\"000000000000000000160000000002\"}"),
         ITEM_FAILURES_SOME, 14, 8},
        {ITEMS("{\"itemIdentifier\":\"0000000000000010-00000002\"}"), ITEM_FAILURES_SOME, 2, 0},
        {ITEMS("{\"itemIdentifier\":\"000000000000000000160000000003\"}"), ITEM_FAILURES_INVALID, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct call c;
        struct fault f;
        call_init(&c);
        for (size_t n = 0; n < EVENTS; n++) {
            c.items[n]->record->id = slice_of(IDS[n]);
        }
        assert_int_equal(item_failures_read(slice_of(CASES[i].body), c.items[0], EVENTS, &f), CASES[i].found);
        for (size_t n = 0; n < EVENTS; n++) {
            assert_int_equal(c.items[n]->retry.is_reported, CASES[i].reported >> n & 1);
            assert_int_equal(c.items[n]->retry.is_behind, CASES[i].behind >> n & 1);
        }
        call_clear(&c);
    }
}

/** Payloads carry the id that its producer gave it; templates and dynamodb-stream that of the record. */
static void a_forwarded_cloud_event_is_named_by_either_id(void **state)
{
    (void)state;
    static const char *const BODIES[] = {
        ITEMS("{\"itemIdentifier\":\"order-7\"}"),
        ITEMS("{\"itemIdentifier\":\"e1\"}"),
        ITEMS("{\"itemIdentifier\":\"order-7\"},{\"itemIdentifier\":\"e1\"}"),
    };
    for (size_t i = 0; i < COUNT_OF(BODIES); i++) {
        struct call c;
        struct fault f;
        call_init(&c);
        struct record *forwarded = c.items[1]->record;
        forwarded->headers = rd_kafka_headers_new(1);
        assert_int_equal(rd_kafka_header_add(forwarded->headers, "ce_id", -1, "order-7", -1), 0);
        forwarded->is_cloud_event = true;
        assert_int_equal(item_failures_read(slice_of(BODIES[i]), c.items[0], EVENTS, &f), ITEM_FAILURES_SOME);
        for (size_t n = 0; n < EVENTS; n++) {
            assert_int_equal(c.items[n]->retry.is_reported, n == 1);
        }
        call_clear(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_that_name_no_event_are_success),
        cmocka_unit_test(a_sequence_number_names_its_event_and_those_behind_it),
        cmocka_unit_test(known_identifiers_are_what_failed),
        cmocka_unit_test(a_forwarded_cloud_event_is_named_by_either_id),
        cmocka_unit_test(all_else_is_invalid_and_says_where),
        cmocka_unit_test(hostile_bodies_are_invalid),
        cmocka_unit_test(one_id_names_every_event_that_has_it),
        cmocka_unit_test(a_redriven_event_is_named_by_its_origin),
        cmocka_unit_test(all_of_a_full_batch_fit_into_a_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// bridge/payload: templates of bodies, URLs and headers, with the values of events; which columns are sent.
#include "template_sample.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "schemas/json/json_check.h"

/** The body that a template makes of an order. */
static void check_body(const char *content_type, const char *body, const char *expected)
{
    struct template_function t;
    CLEANUP(memory_free_pointer)
    char *text = memory_format("payload: template\ntemplate:\n  content_type: %s\n  body: |-\n    %s\n",
                               content_type, body);
    struct order order = order_of(slice_of("Zo\xc3\xab \"Z\"\n\xf0\x9f\x98\x80"));
    template_function_init(&t, text);
    CLEANUP(memory_free_pointer) char *got = template_function_body(&t, &order);
    assert_string_equal(got, expected);
    assert_string_equal(payload_content_type(&t.options), content_type);
    template_function_clear(&t);
}

static void values_have_their_types_in_json(void **state)
{
    (void)state;
    static const char *const ROWS[][2] = {
        {"[${after.id},${after.name},${after.price},${after.at}]",
         "[7,\"Zo\xc3\xab \\\"Z\\\"\\n\xf0\x9f\x98\x80\",\"12.34\",\"2024-01-02T03:04:05.678901Z\"]"},
        {"[${after.data},${after.blob},${after.is_paid},${after.tags},${after.place}]",
         "[{\"a\": {\"b\": [1, \"x\"]}},\"AQL/\",true,[\"new\"],{\"city\":\"Bonn\",\"zip\":53111}]"},
        {"[${after.data.a.b},${after.place.zip},${after.data.c},${after.nothing},${after.id.x}]",
         "[[1, \"x\"],53111,null,null,null]"},
        {"[${after.nothing:-0},${after.nothing:-none},${after.id:-0}]", "[0,\"none\",7]"},
        {"[${key},${key.id},${op},${operation},${id}]",
         "[{\"id\":7},7,\"u\",\"update\",\"0000000000000010-00000001\"]"},
        {"[${topic},${partition},${offset},${time},${source.table}]",
         "[\"shop.public.orders\",3,41,\"2024-01-02T03:04:05.678901Z\",\"orders\"]"},
        {"[${headers.tenant},${headers.none}]", "[\"a\\\"b\",null]"},
        {"[${before.id},${row.id}]", "[7,7]"},
        {"{\"hello ${after.name}\":\"${after.id} ${after.place} ${after.nothing} ${after.nothing:-\"}\"}",
         "{\"hello Zo\xc3\xab \\\"Z\\\"\\n\xf0\x9f\x98\x80\":\"7 "
         "{\\\"city\\\":\\\"Bonn\\\",\\\"zip\\\":53111}  "
         "\\\"\"}"},
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        check_body("application/json", ROWS[i][0], ROWS[i][1]);
    }
    check_body("application/vnd.a+json; charset=utf-8", "\"${after.id}\"", "\"7\"");
}

static void other_bodies_are_text_or_a_form(void **state)
{
    (void)state;
    check_body("text/plain", "${after.id} ${after.name} ${after.price} ${after.place} ${after.nothing}.",
               "7 Zo\xc3\xab \"Z\"\n\xf0\x9f\x98\x80 12.34 {\"city\":\"Bonn\",\"zip\":53111} .");
    check_body("application/x-www-form-urlencoded", "id=${after.id}&name=${after.name}",
               "id=7&name=Zo%C3%AB%20%22Z%22%0A%F0%9F%98%80");
}

static const char ROUTED[] =
    "payload: row\n"
    "endpoint:\n"
    "  http:\n"
    "    url: https://fn.example/v1/${after.name}/x?n=${after.name}&p=${after.nothing}\n"
    "    headers: {x-name: \"n=${after.name}\", x-none: \"${after.nothing}\", x-a: b}\n";

/** What hostile values may never do. */
static void check_request(const struct template_function *t)
{
    const char *target = payload_target(&t->payload);
    assert_non_null(target);
    assert_memory_equal(target, "/v1/", 4);
    size_t slashes = 0;
    for (const char *c = target; *c != 0; c++) {
        assert_true(*c > ' ' && *c < 0x7f && *c != '#');
        slashes += *c == '/' ? 1 : 0;
    }
    assert_int_equal(slashes, 3);
    assert_null(strstr(target, "/../"));
    struct slice lines = bytes_slice(&t->payload.lines);
    size_t count = 1;
    for (size_t i = 0; i < lines.size; i++) {
        count += lines.data[i] == '\n' ? 1 : 0;
        assert_true(lines.data[i] >= ' ' || lines.data[i] == '\r' || lines.data[i] == '\n');
        assert_true(lines.data[i] < 0x7f);
    }
    assert_int_equal(count, 4);  // three of payload row, and x-name
    assert_true(json_check_value(bytes_slice(&t->payload.body)));
}

static void hostile_values_stay_where_they_stand(void **state)
{
    (void)state;
    CLEANUP(memory_free_pointer) char *large = memory_new(1 << 20);
    memset(large, '"', 1 << 20);
    const struct slice NAMES[] = {
        slice_of("a\r\nx-evil: 1\r\n\r\n"),
        slice_make("a\0b", 3),
        slice_of("%2e%2e%2f"),
        slice_of("a/b"),
        slice_of("\xf0\x9f\x98\x80"),
        slice_of("\xff\xfe"),
        slice_of("\"\\\""),
        slice_of("?a=b#c"),
        slice_of("..."),
        slice_of(" "),
        slice_of("a..b"),
    };
    struct template_function t;
    template_function_init(&t, ROUTED);
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        struct order order = order_of(NAMES[i]);
        CLEANUP(memory_free_pointer) char *body = template_function_body(&t, &order);
        check_request(&t);
    }
    struct order order = order_of(slice_of("a\r\nb \xc3\xab%\xff"));
    CLEANUP(memory_free_pointer) char *body = template_function_body(&t, &order);
    assert_string_equal(payload_target(&t.payload),
                        "/v1/a%0D%0Ab%20%C3%AB%25%EF%BF%BD/x?n=a%0D%0Ab%20%C3%AB%25%EF%BF%BD&p=");
    assert_non_null(strstr(bytes_text(&t.payload.lines), "\r\nx-name: n=a%0D%0Ab %C3%AB%25%EF%BF%BD"));
    struct order huge = order_of(slice_make(large, 1 << 20));
    CLEANUP(memory_free_pointer) char *refused = template_function_body(&t, &huge);
    assert_non_null(strstr(refused, "unrenderable: the URL's path and query would have "));
    template_function_clear(&t);
    template_function_init(&t, "payload: template\ntemplate: {body: '\"${after.name}\"'}\n");
    CLEANUP(memory_free_pointer) char *quotes = template_function_body(&t, &huge);
    assert_int_equal(strlen(quotes), (2 << 20) + 2);
    assert_true(json_check_value(slice_of(quotes)));
    template_function_clear(&t);
}

static void what_can_not_be_in_a_path_is_refused(void **state)
{
    (void)state;
    static const char *const ROWS[][2] = {
        {"",
         "unrenderable: ${after.name} can't stand in the URL's path: it is absent, null or empty; give it a "
         "default, as ${NAME:-none}"},
        {"..", "unrenderable: ${after.name} can't stand in the URL's path: it has a segment . or .."},
        {"../admin", "unrenderable: ${after.name} can't stand in the URL's path: it has a segment . or .."},
        {"a\\..", "unrenderable: ${after.name} can't stand in the URL's path: it has a segment . or .."},
    };
    struct template_function t;
    template_function_init(&t, ROUTED);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct order order = order_of(slice_of(ROWS[i][0]));
        order.has_name = i > 0;
        CLEANUP(memory_free_pointer) char *got = template_function_body(&t, &order);
        assert_string_equal(got, ROWS[i][1]);
        assert_int_equal(t.payload.body.size, 0);
        assert_int_equal(t.payload.lines.size, 0);
    }
    template_function_clear(&t);
    template_function_init(&t, "endpoint: {http: {url: 'http://x/a/.${after.name}?b'}}\npayload: row\n");
    struct order dot = order_of(slice_of(".."));
    struct order one = order_of(slice_of("a"));
    dot.name.size = 1;
    CLEANUP(memory_free_pointer) char *refused = template_function_body(&t, &dot);
    assert_string_equal(refused,
                        "unrenderable: ${after.name} can't stand in the URL's path: it has a segment . "
                        "or ..");
    CLEANUP(memory_free_pointer) char *good = template_function_body(&t, &one);
    assert_string_equal(payload_target(&t.payload), "/a/.a?b");
    template_function_clear(&t);
    template_function_init(&t, "endpoint: {http: {url: 'http://x?b=${after.nothing}'}}\npayload: row\n");
    CLEANUP(memory_free_pointer) char *query = template_function_body(&t, &dot);
    assert_string_equal(payload_target(&t.payload), "/?b=");
    template_function_clear(&t);
    template_function_init(&t, "endpoint: {http: {url: 'http://x/${after.nothing:-n/a}'}}\npayload: row\n");
    CLEANUP(memory_free_pointer) char *otherwise = template_function_body(&t, &dot);
    assert_string_equal(payload_target(&t.payload), "/n%2Fa");
    template_function_clear(&t);
}

static enum payload_step add(struct template_function *t, char op, const char *name)
{
    struct fault f;
    struct order_record r;
    struct order order = order_of(slice_of(name));
    order_record_init(&r, op, &order);
    enum payload_step step = payload_add(&t->payload, &r.record, &f);
    order_record_clear(&r);
    return step;
}

static void only_events_that_go_to_the_same_place_share_a_request(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "payload: row\ndelivery: {batch: {events: 9}}\nendpoint: {http: {url: 'http://x/${after.name}'}}\n",
        "payload: template\ntemplate: {body: '${after.name}'}\ndelivery: {batch: {events: 9}}\n"
        "endpoint: {http: {url: http://x, headers: {a: '${after.name}'}}}\n",
    };
    for (size_t i = 0; i < 2; i++) {
        struct template_function t;
        template_function_init(&t, TEXTS[i]);
        assert_int_equal(add(&t, 'c', "a"), PAYLOAD_ADDED);
        assert_int_equal(add(&t, 'c', "a"), PAYLOAD_ADDED);
        assert_int_equal(add(&t, 'c', "b"), PAYLOAD_FULL);
        assert_int_equal(add(&t, 'c', "a"), PAYLOAD_ADDED);
        assert_int_equal(t.payload.event_count, 3);
        payload_finish(&t.payload);
        assert_true(json_check_value(bytes_slice(&t.payload.body)));
        assert_string_equal(i == 0 ? payload_target(&t.payload) : bytes_text(&t.payload.lines),
                            i == 0 ? "/a" : "a: a");
        if (i == 1) {
            assert_string_equal(bytes_text(&t.payload.body), "[\"a\",\"a\",\"a\"]");
        }
        payload_begin(&t.payload, &t.options);
        assert_int_equal(add(&t, 'c', "b"), PAYLOAD_ADDED);
        template_function_clear(&t);
    }
}

static void columns_are_left_out_of_every_payload(void **state)
{
    (void)state;
    static const char *const ROWS[][2] = {
        {"columns: {include: [id, n*]}\npayload: row\n", "{\"id\":7,\"name\":\"x\"}"},
        {"columns: {include: [id, n*], exclude: [name]}\npayload: row\n", "{\"id\":7}"},
        {"columns: {exclude: ['*']}\npayload: row\n", "{}"},
        {"columns: {include: [id, is_paid]}\npayload: cloudevents\n",
         "{\"op\":\"u\",\"before\":{\"id\":7,\"is_paid\":true},\"after\":{\"id\":7,\"is_paid\":true},"
         "\"source\":{"
         "\"name\":\"shop\",\"schema\":\"public\",\"table\":\"orders\",\"ts_us\":1704164645678901}}"},
        {"columns: {include: [id]}\npayload: template\ntemplate: {body: '[${after},${after.name}]'}\n",
         "[{\"id\":7},\"x\"]"},
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct template_function t;
        struct order order = order_of(slice_of("x"));
        template_function_init(&t, ROWS[i][0]);
        CLEANUP(memory_free_pointer) char *got = template_function_body(&t, &order);
        assert_string_equal(got, ROWS[i][1]);
        template_function_clear(&t);
    }
    struct template_function t;
    struct order order = order_of(slice_of("x"));
    template_function_init(
        &t, "columns: {include: [name]}\npayload: lambda-kafka\nlambda_kafka: {encoding: json}\n");
    CLEANUP(memory_free_pointer) char *got = template_function_body(&t, &order);
    assert_non_null(strstr(got,
                           "\"value\":{\"before\":{\"name\":\"x\"},\"after\":{\"name\":\"x\"},\"source\":{"
                           "\"name\":\"shop\",\"schema\":\"public\",\"table\":\"orders\",\"ts_us\":"
                           "1704164645678901},\"op\":\"u\",\"ts_ms\":1704164645999}"));
    assert_non_null(strstr(got, "\"key\":{\"id\":7}"));
    template_function_clear(&t);
}

/** An event that is read from its dead letter has the place that it had at first. */
static void a_redriven_event_has_the_place_of_its_origin(void **state)
{
    (void)state;
    struct fault f;
    struct template_function t;
    struct order_record r;
    char topic[] = "shop.public.orders";
    const struct order order = order_of(slice_of("x"));
    template_function_init(&t, "payload: template\ntemplate: {body: '[${topic},${partition},${offset}]'}\n");
    order_record_init(&r, 'c', &order);
    r.record.topic = "millrace.dlq.f";
    r.record.origin_topic = topic;
    r.record.origin_partition = 4;
    r.record.origin_offset = 99;
    assert_int_equal(payload_add(&t.payload, &r.record, &f), PAYLOAD_ADDED);
    payload_finish(&t.payload);
    assert_string_equal(bytes_text(&t.payload.body), "[\"shop.public.orders\",4,99]");
    order_record_clear(&r);
    template_function_clear(&t);
}

/** Renders the order twice with log lines going into `ret_log`. */
static void render_logged(const char *text, char *ret_log, size_t size)
{
    struct fault f;
    struct template_function t;
    struct order_record r;
    const struct order order = order_of(slice_of("x"));
    template_function_init(&t, text);
    payload_options_clear(&t.options);
    t.options = payload_options_of(&t.config, "function/f");
    order_record_init(&r, 'c', &order);
    clock_fake(0, INT64_C(1700000000000000));
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
    int log = memfd_create("log", MFD_CLOEXEC);
    int saved = dup(STDERR_FILENO);
    assert_true(log >= 0 && saved >= 0 && dup2(log, STDERR_FILENO) >= 0);
    enum payload_step steps[2];
    for (int i = 0; i < 2; i++) {
        payload_begin(&t.payload, &t.options);
        steps[i] = payload_add(&t.payload, &r.record, &f);
    }
    (void)dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t got = pread(log, ret_log, size - 1, 0);
    close(log);
    clock_fake(-1, -1);
    ret_log[got < 0 ? 0 : got] = '\0';
    order_record_clear(&r);
    template_function_clear(&t);
    assert_int_equal(steps[0], PAYLOAD_ADDED);
    assert_int_equal(steps[1], PAYLOAD_ADDED);
}

#define COLUMN(name)                                                                                         \
    "2023-11-14T22:13:20.000Z warn  column_missing function/f: columns names a column that this table does " \
    "not have column=" name " schema=shop.public.orders.Value\n"

/** A misspelt name is no error, because another version of the table may have it. */
static void names_that_a_table_does_not_have_are_logged_once(void **state)
{
    (void)state;
    char log[2048];
    render_logged("columns: {include: [id, nmae, x*], exclude: [secret]}\npayload: row\n", log, sizeof(log));
    assert_string_equal(log, COLUMN("nmae") COLUMN("x*") COLUMN("secret"));
    render_logged("payload: template\ntemplate: {body: '[${after.id},${after.nmae},${headers.none}]'}\n", log,
                  sizeof(log));
    assert_string_equal(
        log,
        "2023-11-14T22:13:20.000Z warn  template_field_missing function/f: a template refers to a field that "
        "this schema does not have: it counts as absent field=nmae schema=shop.public.orders.Value\n");
}

static void a_whole_record_has_the_chosen_columns_whatever_images_it_has(void **state)
{
    (void)state;
    static const struct {
        char op;
        const char *images;
    } ROWS[] = {
        {'c', "{\"before\":null,\"after\":{\"name\":\"x\"},\"source\":{"},
        {'d', "{\"before\":{\"name\":\"x\"},\"after\":null,\"source\":{"},
        {'u', "{\"before\":{\"name\":\"x\"},\"after\":{\"name\":\"x\"},\"source\":{"},
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct template_function t;  // what it keeps of a record's type ends with the record here
        template_function_init(&t, "columns: {include: [name]}\npayload: debezium\n");
        payload_begin(&t.payload, &t.options);
        assert_int_equal(add(&t, ROWS[i].op, "x"), PAYLOAD_ADDED);
        assert_memory_equal(t.payload.body.data, ROWS[i].images, strlen(ROWS[i].images));
        assert_true(json_check_value(bytes_slice(&t.payload.body)));
        assert_non_null(strstr(bytes_text(&t.payload.body), ",\"ts_ms\":1704164645999}"));
        template_function_clear(&t);
    }
}

/** The request may be small and the row large. */
static void buffers_of_large_rows_are_freed(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "columns: {exclude: [name]}\npayload: row\n",
        "payload: row\nendpoint: {http: {url: http://x, headers: {x-name: '${after.name}'}}}\n",
    };
    enum { KEPT = 1 << 16 };
    CLEANUP(bytes_clear) struct bytes name = {0};
    memset(bytes_reserve(&name, KEPT), 'x', KEPT);
    name.size = KEPT;
    struct order large = order_of(bytes_slice(&name));
    struct order small = order_of(slice_of("x"));
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        struct template_function t;
        template_function_init(&t, TEXTS[i]);
        free(template_function_body(&t, &small));
        payload_trim(&t.payload, KEPT);
        assert_true(t.payload.body.capacity > 0);  // used again
        free(template_function_body(&t, &large));
        payload_trim(&t.payload, KEPT);
        assert_int_equal(t.payload.body.capacity + t.payload.columns.capacity +
                             t.payload.buffers.json.capacity + t.payload.route.lines.capacity,
                         0);
        template_function_clear(&t);
    }
}

static void bytes_that_do_not_match_are_undecodable(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "payload: template\ntemplate: {body: '${after.name}'}\n",
        "payload: row\ncolumns: {exclude: [name]}\n",
    };
    struct order order = order_of(slice_of("x"));
    for (size_t i = 0; i < 2; i++) {
        struct template_function t;
        struct order_record r;
        order_record_init(&r, 'c', &order);
        template_function_init(&t, TEXTS[i]);
        for (size_t size = 5; size < r.value.size; size++) {
            struct fault f;
            r.record.value.size = size;
            payload_begin(&t.payload, &t.options);
            assert_int_equal(payload_add(&t.payload, &r.record, &f), PAYLOAD_REJECTED);
            assert_string_equal(t.payload.reject_reason, "undecodable");
        }
        template_function_clear(&t);
        order_record_clear(&r);
    }
}

static void a_json_record_is_a_row(void **state)
{
    (void)state;
    struct template_function t;
    struct fault f;
    struct record r = {.topic = "a",
                       .is_json = true,
                       .timestamp_ms = -1,
                       .id = slice_of("a-0-1"),
                       .value = slice_of(" {\"id\" : 1, \"n\\u0061me\" : {\"b\": [2, \"}\"]} , \"x\":null}")};
    template_function_init(
        &t, "payload: template\ncolumns: {exclude: [id]}\n"
            "template: {body: '[${row.id},${row.name.b},${row.x:-3},${row},${key},${time}]'}\n");
    assert_int_equal(payload_add(&t.payload, &r, &f), PAYLOAD_ADDED);
    assert_string_equal(bytes_text(&t.payload.body),
                        "[1,[2, \"}\"],3,{\"n\\u0061me\":{\"b\": [2, \"}\"]},\"x\":null},null,null]");
    template_function_clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_their_types_in_json),
        cmocka_unit_test(other_bodies_are_text_or_a_form),
        cmocka_unit_test(hostile_values_stay_where_they_stand),
        cmocka_unit_test(what_can_not_be_in_a_path_is_refused),
        cmocka_unit_test(only_events_that_go_to_the_same_place_share_a_request),
        cmocka_unit_test(columns_are_left_out_of_every_payload),
        cmocka_unit_test(a_redriven_event_has_the_place_of_its_origin),
        cmocka_unit_test(names_that_a_table_does_not_have_are_logged_once),
        cmocka_unit_test(a_whole_record_has_the_chosen_columns_whatever_images_it_has),
        cmocka_unit_test(buffers_of_large_rows_are_freed),
        cmocka_unit_test(bytes_that_do_not_match_are_undecodable),
        cmocka_unit_test(a_json_record_is_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

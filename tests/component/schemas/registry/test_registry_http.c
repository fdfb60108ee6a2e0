// The client of an external registry, with scripted responses and with the embedded registry's API.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// The mock cluster needs the client first.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <stdio.h>

#include "core/base/memory.h"
#include "core/http/admin.h"
#include "schemas/registry/registry.h"

static uv_loop_t loop;
static struct admin *server;
static struct settings settings;
static struct registry *client;

static struct {
    int status;
    const char *answer;
    int calls;
    char seen[512];  // method, path, authorization, body
} script;

static void on_request(void *self, const struct admin_request *request)
{
    (void)self;
    script.calls++;
    (void)snprintf(script.seen, sizeof script.seen, "%s %s|%s|%.*s", request->method, request->path,
                   request->authorization != NULL ? request->authorization : "", (int)request->body.size,
                   (const char *)request->body.data);
    admin_answer(request->reply, script.status, "application/json", slice_of(script.answer));
}

static int start(void **state)
{
    (void)state;
    struct fault f;
    (void)uv_loop_init(&loop);
    const struct admin_params params = {&loop, "127.0.0.1", 0, "admin.listen", NULL};
    assert_true(admin_start(&params, &server, &f));
    settings.registry.url = memory_format("http://127.0.0.1:%d/registry/", admin_port(server));
    settings.registry.username = memory_string("user");
    settings.registry.password = memory_string("secret");
    settings.registry.auto_register = true;
    assert_true(registry_open(&loop, &settings, &client, &f));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    admin_stop(server);
    registry_close(client);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    free(settings.registry.url);
    free(settings.registry.username);
    free(settings.registry.password);
    return 0;
}

struct answer {
    int calls;
    int32_t id;
    char text[128];
    struct fault fault;
};

static void on_id(void *self, int32_t id, const struct fault *f)
{
    struct answer *a = self;
    a->calls++;
    a->id = id;
    a->fault = f != NULL ? *f : (struct fault){0};
}

static void on_schema(void *self, struct slice text, const struct fault *f)
{
    struct answer *a = self;
    a->calls++;
    a->fault = f != NULL ? *f : (struct fault){0};
    (void)snprintf(a->text, sizeof a->text, "%.*s", (int)text.size, (const char *)text.data);
}

static void wait_for(const struct answer *a)
{
    assert_int_equal(a->calls, 0);
    while (a->calls == 0) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
}

static struct answer register_schema(int status, const char *answer)
{
    struct answer a = {0};
    script.status = status;
    script.answer = answer;
    registry_register(client, "t t-value", "{\"type\":\"string\"}", on_id, &a);
    wait_for(&a);
    return a;
}

static struct answer look_up(int status, const char *answer)
{
    struct answer a = {0};
    script.status = status;
    script.answer = answer;
    registry_lookup(client, 7, on_schema, &a);
    wait_for(&a);
    return a;
}

static void a_schema_is_posted_and_its_id_read(void **state)
{
    (void)state;
    admin_route_writable(server, "/registry", on_request, NULL);
    struct answer a = register_schema(200, "{\"id\":42,\"version\":1}");
    assert_int_equal(a.fault.kind, FAULT_NONE);
    assert_int_equal(a.id, 42);
    assert_string_equal(script.seen, "POST /subjects/t t-value/versions|Basic dXNlcjpzZWNyZXQ=|"
                                     "{\"schema\":\"{\\\"type\\\":\\\"string\\\"}\"}");
}

static void an_id_is_looked_up(void **state)
{
    (void)state;
    admin_route_writable(server, "/registry", on_request, NULL);
    struct answer a = look_up(200, "{\"schema\":\"\\\"int\\\"\"}");
    assert_int_equal(a.fault.kind, FAULT_NONE);
    assert_string_equal(a.text, "\"int\"");
    assert_string_equal(script.seen, "GET /schemas/ids/7|Basic dXNlcjpzZWNyZXQ=|");
}

static void only_an_id_that_the_registry_denies_is_a_bad_record(void **state)
{
    (void)state;
    admin_route_writable(server, "/registry", on_request, NULL);
    assert_int_equal(look_up(404, "{\"error_code\":40403,\"message\":\"Schema 7 not found\"}").fault.kind,
                     FAULT_REJECT);
    assert_int_equal(look_up(404, "not found").fault.kind, FAULT_CONFIG);
    assert_int_equal(look_up(404, "{\"error_code\":404,\"message\":\"no such page\"}").fault.kind,
                     FAULT_CONFIG);
}

static void trouble_is_told_from_refusal(void **state)
{
    (void)state;
    admin_route_writable(server, "/registry", on_request, NULL);
    static const int RETRIED[] = {408, 429, 500, 502, 503};
    static const int REFUSED[] = {401, 403, 409, 422};
    for (size_t i = 0; i < COUNT_OF(RETRIED); i++) {
        assert_int_equal(register_schema(RETRIED[i], "").fault.kind, FAULT_RETRY);
    }
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        struct answer a =
            register_schema(REFUSED[i], "{\"error_code\":409,\"message\":\"incompatible, says the server\"}");
        assert_int_equal(a.fault.kind, FAULT_CONFIG);
        assert_non_null(strstr(a.fault.text, "incompatible, says the server"));
    }
    assert_int_equal(register_schema(200, "<html>a login page</html>").fault.kind, FAULT_RETRY);
    assert_int_equal(look_up(200, "{\"schema\":5}").fault.kind, FAULT_RETRY);
}

static void a_registry_that_is_away_is_asked_again_later(void **state)
{
    (void)state;
    struct settings away = {.registry.url = "http://127.0.0.1:1"};
    struct registry *r = NULL;
    struct fault f;
    struct answer a = {0};
    assert_true(registry_open(&loop, &away, &r, &f));
    registry_register(r, "s", "\"int\"", on_id, &a);
    wait_for(&a);
    assert_int_equal(a.fault.kind, FAULT_RETRY);
    registry_close(r);
}

// Opens another client of the scripted registry, behind one that is away.
static struct registry *open_with(struct settings *s)
{
    struct registry *r = NULL;
    struct fault f;
    s->registry.url = memory_string("http://127.0.0.1:1");
    text_list_add(&s->registry.urls, settings.registry.url);
    assert_true(registry_open(&loop, s, &r, &f));
    admin_route_writable(server, "/registry", on_request, NULL);
    return r;
}

static struct answer register_with(struct registry *r, const char *text, int status, const char *answer)
{
    struct answer a = {0};
    script.status = status;
    script.answer = answer;
    script.seen[0] = '\0';
    registry_register(r, "t-value", text, on_id, &a);
    wait_for(&a);
    return a;
}

static void close_with(struct registry *r, struct settings *s)
{
    registry_close(r);
    free(s->registry.url);
    text_list_clear(&s->registry.urls);
}

static void another_address_is_asked_when_one_is_away(void **state)
{
    (void)state;
    struct settings s = {.registry = {.auto_register = true, .token = "abc"}};
    struct registry *r = open_with(&s);
    assert_int_equal(register_with(r, "\"int\"", 200, "{\"id\":5}").id, 5);
    assert_string_equal(script.seen,
                        "POST /subjects/t-value/versions|Bearer abc|{\"schema\":\"\\\"int\\\"\"}");
    // Both fail: each is asked once.
    script.calls = 0;
    assert_int_equal(register_with(r, "\"long\"", 503, "").fault.kind, FAULT_RETRY);
    assert_int_equal(script.calls, 1);
    close_with(r, &s);
}

// The address behind /late has not read the schema yet.
static void on_lookup(void *self, const struct admin_request *request)
{
    (void)self;
    bool is_late = strncmp(request->path, "/late", 5) == 0;
    script.calls++;
    admin_answer(request->reply, is_late ? 404 : 200, "application/json",
                 slice_of(is_late ? "{\"error_code\":40403,\"message\":\"Schema 7 not found\"}"
                                  : "{\"schema\":\"\\\"int\\\"\"}"));
}

static void an_id_is_unknown_when_no_address_knows_it(void **state)
{
    (void)state;
    struct settings s = {0};
    struct registry *r = NULL;
    struct fault f;
    struct answer known = {0};
    struct answer unknown = {0};
    s.registry.url = memory_format("%slate", settings.registry.url);
    text_list_add(&s.registry.urls, settings.registry.url);
    admin_route_writable(server, "/registry", on_lookup, NULL);
    assert_true(registry_open(&loop, &s, &r, &f));
    registry_lookup(r, 7, on_schema, &known);
    wait_for(&known);
    assert_string_equal(known.text, "\"int\"");
    close_with(r, &s);
    s = (struct settings){0};
    s.registry.url = memory_format("%slate", settings.registry.url);
    text_list_add(&s.registry.urls, s.registry.url);
    assert_true(registry_open(&loop, &s, &r, &f));
    script.calls = 0;
    registry_lookup(r, 7, on_schema, &unknown);
    wait_for(&unknown);
    assert_int_equal(unknown.fault.kind, FAULT_REJECT);
    assert_int_equal(script.calls, 2);
    close_with(r, &s);
}

// The address behind /late is away, the other one is behind.
static void on_lookup_behind(void *self, const struct admin_request *request)
{
    (void)self;
    bool is_late = strncmp(request->path, "/late", 5) == 0;
    admin_answer(request->reply, is_late ? 503 : 404, "application/json",
                 slice_of("{\"error_code\":40403,\"message\":\"Schema 7 not found\"}"));
}

static void an_id_is_not_unknown_while_an_address_is_away(void **state)
{
    (void)state;
    struct settings s = {0};
    struct registry *r = NULL;
    struct fault f;
    struct answer a = {0};
    s.registry.url = memory_format("%slate", settings.registry.url);
    text_list_add(&s.registry.urls, settings.registry.url);
    admin_route_writable(server, "/registry", on_lookup_behind, NULL);
    assert_true(registry_open(&loop, &s, &r, &f));
    registry_lookup(r, 7, on_schema, &a);
    wait_for(&a);
    assert_int_equal(a.fault.kind, FAULT_RETRY);
    assert_non_null(strstr(a.fault.text, "HTTP 503"));
    close_with(r, &s);
}

static void answer_unless(bool is_away, const struct admin_request *request)
{
    admin_answer(request->reply, is_away ? 503 : 200, "application/json", slice_of("{\"id\":5}"));
}

static void on_first(void *self, const struct admin_request *request)
{
    answer_unless(*(const int *)self == 1, request);
}

static void on_second(void *self, const struct admin_request *request)
{
    answer_unless(*(const int *)self == 2, request);
}

static void addresses_that_begin_alike_are_two(void **state)
{
    (void)state;
    struct settings s = {.registry = {.auto_register = true}};
    struct registry *r = NULL;
    struct fault f;
    int away = 1;  // the address
    struct answer answers[3] = {0};
    s.registry.url = memory_format("http://127.0.0.1:%d/registry", admin_port(server));
    text_list_add(&s.registry.urls, "");
    free(s.registry.urls.items[0]);
    s.registry.urls.items[0] = memory_format("%s2", s.registry.url);
    admin_route_writable(server, "/registry", on_first, &away);
    admin_route_writable(server, "/registry2", on_second, &away);
    assert_true(registry_open(&loop, &s, &r, &f));
    registry_register(r, "s", "\"int\"", on_id, &answers[0]);
    wait_for(&answers[0]);
    away = 2;  // which is the one that responded last
    registry_register(r, "s", "\"long\"", on_id, &answers[1]);
    registry_register(r, "s", "\"bytes\"", on_id, &answers[2]);
    while (answers[1].calls + answers[2].calls < 2) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        assert_int_equal(answers[i].fault.kind, FAULT_NONE);
        assert_int_equal(answers[i].id, 5);
    }
    close_with(r, &s);
}

static void what_is_no_registry_is_named(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum fault_kind kind;
        const char *text;
    } CASES[] = {
        {200, "<html>a login page</html>", FAULT_RETRY, "the response is not a schema registry's"},
        {200, "{\"id\":\"5\"}", FAULT_RETRY, "the response is not a schema registry's"},
        {200, "{\"id\":99999999999}", FAULT_RETRY, "the response is not a schema registry's"},
        {302, "", FAULT_CONFIG, "HTTP 302: no message; registry.url leads to another address"},
        {404, "<html>nothing here</html>", FAULT_CONFIG, "is registry.url the address of a registry"},
    };
    admin_route_writable(server, "/registry", on_request, NULL);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct answer a = register_schema(CASES[i].status, CASES[i].body);
        assert_int_equal(a.fault.kind, CASES[i].kind);
        assert_non_null(strstr(a.fault.text, CASES[i].text));
        assert_null(strstr(a.fault.text, "secret"));  // the password
    }
}

static void a_response_without_end_is_cut_off(void **state)
{
    (void)state;
    enum { SIZE = 20 * 1024 * 1024 };
    char *body = memory_new(SIZE + 1);
    memset(body, ' ', SIZE);
    body[SIZE] = '\0';
    admin_route_writable(server, "/registry", on_request, NULL);
    struct answer a = register_schema(200, body);
    assert_int_equal(a.fault.kind, FAULT_RETRY);
    assert_non_null(strstr(a.fault.text, "the response is too large for a schema registry's"));
    free(body);
}

static void what_a_registry_has_seen_is_known_while_it_is_away(void **state)
{
    (void)state;
    struct settings s = {.registry = {.auto_register = true}};
    struct registry *r = open_with(&s);
    assert_int_equal(register_with(r, "\"int\"", 200, "{\"id\":5}").id, 5);
    struct answer known = register_with(r, "\"int\"", 503, "");
    assert_int_equal(known.fault.kind, FAULT_NONE);
    assert_int_equal(known.id, 5);
    assert_int_equal(register_with(r, "\"long\"", 503, "").fault.kind, FAULT_RETRY);
    close_with(r, &s);
}

static void without_auto_register_schemas_are_only_looked_for(void **state)
{
    (void)state;
    struct settings s = {.registry = {.auto_register = false}};
    struct registry *r = open_with(&s);
    assert_int_equal(register_with(r, "\"int\"", 200, "{\"id\":5}").id, 5);
    assert_string_equal(script.seen, "POST /subjects/t-value||{\"schema\":\"\\\"int\\\"\"}");
    struct answer a =
        register_with(r, "\"long\"", 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
    assert_int_equal(a.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(a.fault.text, "set registry.auto_register: true"));
    close_with(r, &s);
}

static void the_newest_version_is_used_if_it_has_the_same_layout(void **state)
{
    (void)state;
    struct settings s = {.registry = {.auto_register = true, .use_latest = true}};
    struct registry *r = open_with(&s);
    struct answer a =
        register_with(r, "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", 200,
                      "{\"id\":8,\"version\":3,\"schema\":\"{\\\"doc\\\":\\\"d\\\",\\\"type\\\":"
                      "\\\"fixed\\\",\\\"name\\\":\\\"F\\\",\\\"size\\\":2}\"}");
    assert_int_equal(a.id, 8);
    assert_string_equal(script.seen, "GET /subjects/t-value/versions/latest||");
    a = register_with(r, "\"long\"", 200, "{\"id\":8,\"version\":3,\"schema\":\"\\\"int\\\"\"}");
    assert_int_equal(a.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(a.fault.text, "version 3 is not the table's schema"));
    close_with(r, &s);
}

static void subjects_are_named_as_the_settings_say(void **state)
{
    (void)state;
    static const struct {
        enum subject_names names;
        const char *seen;
    } CASES[] = {
        {SUBJECT_NAMES_TOPIC, "POST /subjects/t-value/versions|"},
        {SUBJECT_NAMES_RECORD, "POST /subjects/n.F/versions|"},
        {SUBJECT_NAMES_TOPIC_RECORD, "POST /subjects/t-n.F/versions|"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct settings s = {.registry = {.auto_register = true, .subject_names = CASES[i].names}};
        struct registry *r = open_with(&s);
        (void)register_with(r, "{\"type\":\"fixed\",\"name\":\"F\",\"namespace\":\"n\",\"size\":2}", 200,
                            "{\"id\":8}");
        assert_memory_equal(script.seen, CASES[i].seen, strlen(CASES[i].seen));
        close_with(r, &s);
    }
}

static void credentials_that_are_refused_are_named(void **state)
{
    (void)state;
    admin_route_writable(server, "/registry", on_request, NULL);
    assert_non_null(strstr(register_schema(401, "").fault.text, "check registry.auth"));
    assert_non_null(strstr(register_schema(403, "").fault.text, "may not do this"));
}

static void a_broken_certificate_is_refused(void **state)
{
    (void)state;
    struct settings s = {.registry = {.url = "https://r", .ca = {.text = "no PEM"}}};
    struct registry *r = NULL;
    struct fault f;
    assert_false(registry_open(&loop, &s, &r, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
}

static void closing_drops_calls_under_way(void **state)
{
    (void)state;
    struct answer a = {0};
    admin_route_writable(server, "/registry", on_request, NULL);
    registry_register(client, "s", "\"int\"", on_id, &a);
    registry_lookup(client, 1, on_schema, &a);
    registry_close(TAKE(client));
    for (int i = 0; i < 20; i++) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(a.calls, 0);
}

static void a_cancelled_request_is_never_answered(void **state)
{
    (void)state;
    struct answer cancelled = {0};
    admin_route_writable(server, "/registry", on_request, NULL);
    registry_register(client, "s", "\"int\"", on_id, &cancelled);
    registry_cancel(client, &cancelled);
    assert_int_equal(look_up(200, "{\"schema\":\"x\"}").calls, 1);
    assert_int_equal(cancelled.calls, 0);
}

static void the_embedded_registry_serves_this_client(void **state)
{
    (void)state;
    char why[256];
    rd_kafka_t *owner = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof why);
    rd_kafka_mock_cluster_t *mock = rd_kafka_mock_cluster_new(owner, 1);
    struct settings embedded = {0};
    text_pairs_set(&embedded.kafka, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(mock));
    struct registry *store = NULL;
    struct fault f;
    assert_true(registry_open(&loop, &embedded, &store, &f));
    registry_serve(store, server, "/registry");

    struct answer registered = {0};
    registry_register(client, "t-value", "{ \"type\": \"long\" }", on_id, &registered);
    wait_for(&registered);
    assert_int_equal(registered.fault.kind, FAULT_NONE);
    struct answer found = {0};
    registry_lookup(client, registered.id, on_schema, &found);
    wait_for(&found);
    assert_string_equal(found.text, "{\"type\":\"long\"}");
    struct answer unknown = {0};
    registry_lookup(client, registered.id + 1, on_schema, &unknown);
    wait_for(&unknown);
    assert_int_equal(unknown.fault.kind, FAULT_REJECT);
    struct answer invalid = {0};
    registry_register(client, "t-value", "{\"type\":\"nope\"}", on_id, &invalid);
    wait_for(&invalid);
    assert_int_equal(invalid.fault.kind, FAULT_CONFIG);

    registry_close(store);
    admin_stop(TAKE(server));
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    text_pairs_clear(&embedded.kafka);
    rd_kafka_mock_cluster_destroy(mock);
    rd_kafka_destroy(owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_schema_is_posted_and_its_id_read, start, stop),
        cmocka_unit_test_setup_teardown(an_id_is_looked_up, start, stop),
        cmocka_unit_test_setup_teardown(only_an_id_that_the_registry_denies_is_a_bad_record, start, stop),
        cmocka_unit_test_setup_teardown(trouble_is_told_from_refusal, start, stop),
        cmocka_unit_test_setup_teardown(a_registry_that_is_away_is_asked_again_later, start, stop),
        cmocka_unit_test_setup_teardown(another_address_is_asked_when_one_is_away, start, stop),
        cmocka_unit_test_setup_teardown(an_id_is_unknown_when_no_address_knows_it, start, stop),
        cmocka_unit_test_setup_teardown(an_id_is_not_unknown_while_an_address_is_away, start, stop),
        cmocka_unit_test_setup_teardown(addresses_that_begin_alike_are_two, start, stop),
        cmocka_unit_test_setup_teardown(what_is_no_registry_is_named, start, stop),
        cmocka_unit_test_setup_teardown(a_response_without_end_is_cut_off, start, stop),
        cmocka_unit_test_setup_teardown(what_a_registry_has_seen_is_known_while_it_is_away, start, stop),
        cmocka_unit_test_setup_teardown(without_auto_register_schemas_are_only_looked_for, start, stop),
        cmocka_unit_test_setup_teardown(the_newest_version_is_used_if_it_has_the_same_layout, start, stop),
        cmocka_unit_test_setup_teardown(subjects_are_named_as_the_settings_say, start, stop),
        cmocka_unit_test_setup_teardown(credentials_that_are_refused_are_named, start, stop),
        cmocka_unit_test_setup_teardown(a_broken_certificate_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(closing_drops_calls_under_way, start, stop),
        cmocka_unit_test_setup_teardown(a_cancelled_request_is_never_answered, start, stop),
        cmocka_unit_test_setup_teardown(the_embedded_registry_serves_this_client, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

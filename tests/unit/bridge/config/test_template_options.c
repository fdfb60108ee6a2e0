// bridge/config/template_options: templates are compiled when the file is read, and a mistake has its place.
#include "tests/unit/config_case.h"

#include "bridge/config/function_change.h"
#include "bridge/config/function_config.h"

#define HEAD "source: {topics: [a]}\n"

static void check_file(bool is_private, const char *text, const char *expected)
{
    struct config_case c = {.file = {.is_private = is_private}};
    struct function_config config;
    config_case_read(&c, &function_config_kind, slice_of(text), &config);
    assert_string_equal(bytes_text(&c.text), expected);
    function_config_clear(&config);
    config_case_clear(&c);
}

static void check(const char *text, const char *expected)
{
    check_file(false, text, expected);
}

static void a_body_is_compiled(void **state)
{
    (void)state;
#define TEMPLATE HEAD "endpoint: {http: {url: http://x}}\npayload: template\n"
    check(TEMPLATE "template: {body: '{\"a\":${after.a}}'}\n", "");
    check(TEMPLATE "template: {body: '{\"a\":${aftr.a}}'}\n",
          "f.yaml:4:26: error: body: an event has no \"aftr\"; did you mean \"after\"?\n");
    check(TEMPLATE "template:\n  body: |\n\n    {\"ü\": ${after.a},\n     \"b\" ${after.b}}\n",
          "f.yaml:8:10: error: body: it makes no JSON: a \":\" is missing\n");
    check(TEMPLATE "template:\n  content_type: text/plain\n  body: a ${op\n",
          "f.yaml:6:11: error: body: the reference has no closing brace; write $${ for a ${ of the text\n");
    check(TEMPLATE, "f.yaml:3:10: error: payload: template needs template: {body: …}\n");
    check(TEMPLATE "template: {content_type: text, body: a}\n",
          "f.yaml:4:26: error: content_type: no media type; write it as text/plain or application/json\n");
    check(TEMPLATE "template: {content_type: text/plain, body: a}\ndelivery: {batch: {events: 2}}\n",
          "f.yaml:5:28: error: events: a template carries more than one event a call only as JSON; its "
          "content_type is another\n");
    check(TEMPLATE "template: {body: '1'}\ndelivery: {batch: {events: 2}}\n", "");
    check(HEAD "endpoint: {http: {url: http://x}}\ntemplate: {body: '1'}\n",
          "f.yaml:3:11: error: template: has a meaning only with payload template\n");
}

static void a_url_has_templates_behind_its_host(void **state)
{
    (void)state;
#define URL(text) HEAD "endpoint: {http: {url: '" text "'}}\n"
#define ONLY "error: url: a template can only be in the path and the query, never in scheme, host and port\n"
    check(URL("http://x/${key.id}?a=${after.b}"), "");
    check(URL("http://x?a=${after.b}"), "");
    check(URL("http://${after.host}/a"), "f.yaml:2:32: " ONLY);
    check(URL("http://a.${after.host}/a"), "f.yaml:2:34: " ONLY);
    check(URL("http://a:${after.port}/a"), "f.yaml:2:34: " ONLY);
    check(URL("http://a@${after.host}/a"), "f.yaml:2:34: " ONLY);
    check(URL("${after.url}"), "f.yaml:2:24: error: url: not a URL; write it as http://HOST/PATH or "
                               "https://HOST/PATH\n");
    check(URL("http://x/${ky.id}"),
          "f.yaml:2:36: error: url: an event has no \"ky\"; did you mean \"key\"?\n");
    check(URL("http://x/a/../${key.id}"),
          "f.yaml:2:33: error: url: with templates it can't have a fragment (#) or the segments . and ..\n");
    check(URL("http://x/${key.id}#a"),
          "f.yaml:2:33: error: url: with templates it can't have a fragment (#) or the segments . and ..\n");
}

static void a_header_may_be_a_template_unless_it_is_a_secret(void **state)
{
    (void)state;
#define HEADERS(text) HEAD "endpoint: {http: {url: http://x, headers: {" text "}}}\n"
    check(HEADERS("x-a: '${after.a}'"), "");
    check(HEADERS("x-a: '${after}, ${after.a'"),
          "f.yaml:2:60: error: x-a: the reference has no closing brace; write $${ for a ${ of the text\n");
    check_file(true, HEADERS("authorization: 'Bearer ${after.a}', x-b: c"),
               "f.yaml:2:59: error: authorization: a credential can't have references, it is sent as it is; "
               "if ${ is part of it, use {file: PATH} or {env: NAME}\n");
    struct config_case c = {0};
    struct function_config config;
    (void)setenv("MILLRACE_TEST_HEADER", "a${after.a}b", 1);
    config_case_read(&c, &function_config_kind,
                     slice_of(HEADERS("x-a: {env: MILLRACE_TEST_HEADER}, x-b: '${op}', x-c: c")), &config);
    assert_string_equal(bytes_text(&c.text), "");
    assert_int_equal(config.template.header_count, 1);
    assert_string_equal(config.template.headers[0].name, "x-b");
    function_config_clear(&config);
    config_case_clear(&c);
}

static void columns_can_not_be_cut_out_of_a_record(void **state)
{
    (void)state;
#define COLUMNS(text) HEAD "endpoint: {http: {url: http://x}}\ncolumns: {exclude: [a]}\npayload: " text "\n"
    check(COLUMNS("row"), "");
    check(COLUMNS("lambda-kafka"),
          "f.yaml:3:10: error: columns: lambda-kafka sends the record's bytes, with all columns; set "
          "lambda_kafka: {format: json} or {encoding: json}\n");
    check(COLUMNS("lambda-kafka\nlambda_kafka: {format: json}"), "");
}

static void columns_are_names_or_globs(void **state)
{
    (void)state;
#define CHOSEN(text) HEAD "endpoint: {http: {url: http://x}}\ncolumns: {" text "}\n"
    check(CHOSEN("include: [id, 'total_*']"), "");
    check(CHOSEN("include: []"), "f.yaml:3:20: error: include: the list is empty\n");
    check(CHOSEN("exclude: []"), "");
    check(CHOSEN("exclude: ['/^a/']"), "f.yaml:3:21: error: exclude: columns are chosen by names or globs, "
                                       "not by regular expressions\n");
}

static void changes_are_applied_in_place(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        TEMPLATE "template: {body: '1'}\n",
        TEMPLATE "template: {body: '2'}\n",
        TEMPLATE "template: {body: '1', content_type: a/b}\n",
        TEMPLATE "template: {body: '1'}\ncolumns: {include: [a]}\n",
        TEMPLATE "template: {body: '1'}\ncolumns: {exclude: [a]}\n",
    };
    struct function_config first;
    struct config_case c = {0};
    config_case_read(&c, &function_config_kind, slice_of(TEXTS[0]), &first);
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        struct config_case other = {0};
        struct function_config config;
        config_case_read(&other, &function_config_kind, slice_of(TEXTS[i]), &config);
        assert_int_equal(function_change_between(&first, &config),
                         i == 0 ? FUNCTION_CHANGE_NONE : FUNCTION_CHANGE_IN_PLACE);
        function_config_clear(&config);
        config_case_clear(&other);
    }
    function_config_clear(&first);
    config_case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_compiled),
        cmocka_unit_test(a_url_has_templates_behind_its_host),
        cmocka_unit_test(a_header_may_be_a_template_unless_it_is_a_secret),
        cmocka_unit_test(columns_can_not_be_cut_out_of_a_record),
        cmocka_unit_test(columns_are_names_or_globs),
        cmocka_unit_test(changes_are_applied_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

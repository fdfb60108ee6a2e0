// core/config/settings and core/config/config: millrace.yaml, librdkafka's properties, secrets.
#include "tests/unit/config_case.h"

#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config/kafka_properties.h"
#include "core/config/settings_kind.h"

static const char golden[] =
    "kafka:\n"
    "  bootstrap.servers: a:9092,b:9092\n"
    "  linger.ms: 5\n"
    "  enable.ssl.certificate.verification: false\n"
    "registry: {url: https://r, auth: {username: u, password: {env: MILLRACE_TEST_SECRET}}}\n"
    "admin: {listen: 0.0.0.0:80}\n"
    "bridge: {processes: 2}\n"
    "log: {format: text, level: warn}\n";

static void clear_settings(void *config)
{
    settings_clear(config);
}

static void check_complaints(const char *text, bool is_private, const char *expected)
{
    struct config_case c = {.file = {.is_private = is_private}};
    struct settings s;
    config_case_read(&c, &settings_kind, slice_of(text), &s);
    assert_string_equal(bytes_text(&c.text), expected);
    assert_int_equal(c.is_good, *expected == '\0');
    settings_clear(&s);
    config_case_clear(&c);
}

static void every_key_is_read(void **state)
{
    (void)state;
    (void)setenv("MILLRACE_TEST_SECRET", "hunter2", 1);
    struct config_case c = {0};
    struct settings s;
    config_case_read(&c, &settings_kind, slice_of(golden), &s);
    assert_string_equal(bytes_text(&c.text), "");
    assert_string_equal(text_pairs_get(&s.kafka, "linger.ms"), "5");
    assert_string_equal(text_pairs_get(&s.kafka, "enable.ssl.certificate.verification"), "false");
    assert_string_equal(s.registry.url, "https://r");
    assert_string_equal(s.registry.password, "hunter2");
    assert_string_equal(s.admin.host, "0.0.0.0");
    assert_int_equal(s.admin.port, 80);
    assert_int_equal(s.bridge.processes, 2);
    assert_int_equal(s.log.format, LOG_FORMAT_TEXT);
    assert_int_equal(s.log.level, LOG_LEVEL_WARN);
    settings_clear(&s);
    config_case_clear(&c);
}

static void limits_have_names_and_numbers(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct settings s;
    config_case_read(&c, &settings_kind,
                     slice_of("kafka: {bootstrap.servers: a:1}\n"
                              "limits: {mail: {rate: 5/m}, crm: {concurrency: 50, rate: 100/s, burst: 7}}\n"),
                     &s);
    assert_string_equal(bytes_text(&c.text), "");
    assert_int_equal(settings_limit(&s, "mail")->burst, 1);
    assert_int_equal(settings_limit(&s, "mail")->concurrency, 0);
    assert_int_equal(settings_limit(&s, "crm")->concurrency, 50);
    assert_int_equal(settings_limit(&s, "crm")->rate.count, 100);
    assert_int_equal(settings_limit(&s, "crm")->burst, 7);
    assert_null(settings_limit(&s, "crn"));
    settings_clear(&s);
    config_case_clear(&c);
}

static void wrong_limits_are_refused_with_their_places(void **state)
{
    (void)state;
    check_complaints(
        "kafka: {bootstrap.servers: a:1}\n"
        "limits:\n"
        "  Mail: {rate: 5/m}\n"
        "  a: {rate: 5/d}\n"
        "  b: {concurency: 5}\n"
        "  c: {concurrency: 0}\n"
        "  d: {concurrency: 1, burst: 1}\n"
        "  e: 5\n",
        false,
        "f.yaml:3:3: error: a limit's name consists of a-z, 0-9 and -, at most 63 characters\n"
        "f.yaml:4:13: error: rate: \"5/d\" is not a rate; write it as 100/s, 30/m or 5/h, at most 1000000\n"
        "f.yaml:5:3: error: b: must have concurrency, rate or both\n"
        "f.yaml:5:7: error: unknown key \"concurency\"; did you mean \"concurrency\"?\n"
        "f.yaml:6:20: error: concurrency: must be between 1 and 1000000\n"
        "f.yaml:7:30: error: burst: has a meaning only with rate\n"
        "f.yaml:8:6: error: e: must have concurrency, rate or both\n");
}

static void what_is_missing_or_null_has_its_default(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct settings s;
    config_case_read(
        &c, &settings_kind,
        slice_of("kafka: {bootstrap.servers: a:1}\nregistry: embedded\nadmin:\nlog: {level: ~}\n"), &s);
    assert_string_equal(bytes_text(&c.text), "");
    assert_null(s.registry.url);
    assert_string_equal(s.admin.host, "127.0.0.1");
    assert_int_equal(s.admin.port, 7070);
    assert_int_equal(s.bridge.processes, 1);
    assert_int_equal(s.log.format, LOG_FORMAT_JSON);
    assert_int_equal(s.log.level, LOG_LEVEL_INFO);
    settings_clear(&s);
    config_case_clear(&c);
}

static void librdkafka_judges_its_own_properties(void **state)
{
    (void)state;
    check_complaints("kafka:\n  bootstap.servers: a\n", false,
                     "f.yaml:2:3: error: librdkafka has no property \"bootstap.servers\"; did you mean "
                     "\"bootstrap.servers\"?\n");
    check_complaints(
        "kafka: {bootstrap.servers: a, security.protocol: tls}\n", false,
        "f.yaml:1:50: error: \"security.protocol\": Invalid value \"tls\" for configuration property "
        "\"security.protocol\"\n");
    check_complaints(
        "kafka: {linger.ms: 1}\n", false,
        "f.yaml:1:8: error: required key \"bootstrap.servers\" is missing: HOST:PORT of a broker\n");
    check_complaints("", false, "f.yaml:1:1: error: required key \"kafka\" is missing\n");
}

static void what_the_promise_rests_on_is_refused_with_the_reason(void **state)
{
    (void)state;
    const char *const refused[] = {"acks",
                                   "request.required.acks",
                                   "enable.idempotence",
                                   "partitioner",
                                   "message.timeout.ms",
                                   "delivery.timeout.ms",
                                   "delivery.report.only.error",
                                   "allow.auto.create.topics",
                                   "transactional.id",
                                   "enable.auto.commit",
                                   "auto.commit.enable",
                                   "enable.auto.offset.store",
                                   "isolation.level",
                                   "auto.offset.reset",
                                   "offset.store.method",
                                   "partition.assignment.strategy",
                                   "group.id",
                                   "group.instance.id",
                                   "group.protocol",
                                   "group.remote.assignor",
                                   "enable.partition.eof",
                                   "queued.min.messages",
                                   "queued.max.messages.kbytes",
                                   "fetch.max.bytes",
                                   "fetch.message.max.bytes",
                                   "max.partition.fetch.bytes",
                                   "fetch.error.backoff.ms",
                                   "fetch.queue.backoff.ms",
                                   "log.queue",
                                   "plugin.library.paths",
                                   "ssl.engine.location",
                                   "ssl.providers"};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct config_case c = {0};
        struct settings s;
        char *text = memory_format("kafka: {bootstrap.servers: a, %s: 1}\n", refused[i]);
        config_case_read(&c, &settings_kind, slice_of(text), &s);
        assert_non_null(strstr(bytes_text(&c.text), "f.yaml:1:31: error: "));
        assert_non_null(strstr(bytes_text(&c.text), kafka_properties_refusal(refused[i])));
        settings_clear(&s);
        config_case_clear(&c);
        free(text);
    }
    assert_null(kafka_properties_refusal("linger.ms"));
}

static void a_secret_that_librdkafka_refuses_is_not_repeated(void **state)
{
    (void)state;
    assert_int_equal(setenv("MILLRACE_TEST_REFUSED", "s3cret-value", 1), 0);
    struct config_case c = {0};
    struct settings s;
    config_case_read(&c, &settings_kind,
                     slice_of("kafka: {bootstrap.servers: a, linger.ms: {env: MILLRACE_TEST_REFUSED}}\n"),
                     &s);
    assert_non_null(strstr(bytes_text(&c.text), "\"linger.ms\": the secret is not a valid value"));
    assert_null(strstr(bytes_text(&c.text), "s3cret-value"));
    settings_clear(&s);
    config_case_clear(&c);
}

static char *address_of(const char *registry)
{
    struct settings s;
    CLEANUP(memory_free_pointer)
    char *text = memory_format("kafka: {bootstrap.servers: a}\nregistry: %s\n", registry);
    struct config_case c = {0};
    config_case_read(&c, &settings_kind, slice_of(text), &s);
    assert_string_equal(bytes_text(&c.text), "");
    config_case_clear(&c);
    char *address = settings_registry_address(&s);
    settings_clear(&s);
    return address;
}

static void the_registrys_address_is_its_public_url_without_a_query(void **state)
{
    (void)state;
    static const char *const KNOWN[][2] = {
        {"{public_url: 'https://r:8081/api/?token=hunter2'}", "https://r:8081/api"},
        {"{url: 'http://10.0.0.1:8081', public_url: 'https://registry.example/'}",
         "https://registry.example"},
        {"{public_url: 'https://millrace.example/registry'}", "https://millrace.example/registry"},
    };
    for (size_t i = 0; i < COUNT_OF(KNOWN); i++) {
        CLEANUP(memory_free_pointer) char *address = address_of(KNOWN[i][0]);
        assert_string_equal(address, KNOWN[i][1]);
    }
    assert_null(address_of("embedded"));
}

static void an_empty_registry_and_auth_without_an_address_are_refused(void **state)
{
    (void)state;
    check_complaints("kafka: {bootstrap.servers: a}\nregistry: {}\n", true,
                     "f.yaml:2:11: error: registry: set url, or listen or public_url for the embedded "
                     "registry\n");
    check_complaints("kafka: {bootstrap.servers: a}\n"
                     "registry: {public_url: 'http://r', auth: {username: a, password: b}}\n",
                     true,
                     "f.yaml:2:42: error: auth: the embedded registry has no credentials; set url, too\n");
    check_complaints(
        "kafka: {bootstrap.servers: a}\nregistry: {subject_names: record, auto_register: false}\n", true,
        "f.yaml:2:50: error: auto_register: the embedded registry has no such setting; set url, "
        "too\n");
}

static void only_the_embedded_registry_has_a_listener(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct settings s;
    config_case_read(&c, &settings_kind,
                     slice_of("kafka: {bootstrap.servers: a}\nregistry: {listen: '[::1]:8081'}\n"), &s);
    assert_string_equal(bytes_text(&c.text), "");
    assert_string_equal(s.registry.listen_host, "::1");
    assert_int_equal(s.registry.listen_port, 8081);
    settings_clear(&s);
    config_case_clear(&c);
    check_complaints(
        "kafka: {bootstrap.servers: a}\nregistry: {url: 'http://r', listen: '127.0.0.1:8081'}\n", true,
        "f.yaml:2:37: error: listen: only the embedded registry is served; clients reach the one "
        "at url themselves\n");
    check_complaints("kafka: {bootstrap.servers: a}\nregistry: {listen: 8081}\n", true,
                     "f.yaml:2:20: error: listen: \"8081\" is not an address; write it as 127.0.0.1:7070\n");
}

static void a_registrys_address_has_no_query(void **state)
{
    (void)state;
    check_complaints("kafka: {bootstrap.servers: a}\n"
                     "registry: {url: 'https://r/?token=hunter2', urls: ['http://r/#a']}\n",
                     false,
                     "f.yaml:2:17: error: url: a registry's address ends with its path, without ? and #; "
                     "credentials belong in auth\n"
                     "f.yaml:2:52: error: urls: a registry's address ends with its path, without ? and #; "
                     "credentials belong in auth\n");
}

static void credentials_of_the_registry_are_whole(void **state)
{
    (void)state;
    check_complaints("kafka: {bootstrap.servers: a}\nregistry: {url: 'http://r', auth: {username: a}}\n",
                     true, "f.yaml:2:35: error: auth: set username and password, or token\n");
    check_complaints("kafka: {bootstrap.servers: a}\n"
                     "registry: {url: 'http://r', auth: {username: a, password: b, token: c}}\n",
                     true, "f.yaml:2:35: error: auth: set username and password, or token\n");
    check_complaints("kafka: {bootstrap.servers: a}\nregistry: {url: 'http://r', tls: {key: k}}\n", true,
                     "f.yaml:2:34: error: tls: certificate and key belong together\n");
}

static void a_key_in_the_registrys_url_is_not_shown(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct settings s;
    struct bytes shown = {0};
    config_case_read(
        &c, &settings_kind,
        slice_of("kafka: {bootstrap.servers: a}\nregistry: {public_url: 'https://r/?token=hunter2'}\n"), &s);
    assert_string_equal(bytes_text(&c.text), "");
    config_show(&settings_kind, &s, &shown);
    assert_null(strstr(bytes_text(&shown), "hunter2"));
    assert_non_null(strstr(bytes_text(&shown), "https://r/?token=***"));
    bytes_clear(&shown);
    settings_clear(&s);
    config_case_clear(&c);
}

static void a_plain_secret_needs_a_private_file(void **state)
{
    (void)state;
    static const char text[] = "kafka: {bootstrap.servers: a, sasl.password: hunter2}\n";
    check_complaints(text, false,
                     "f.yaml:1:46: error: \"sasl.password\": a plain secret in a file that others may read: "
                     "use {file: PATH} or {env: NAME}, or chmod 600\n");
    check_complaints(text, true, "");
}

static void secrets_come_from_files_and_the_environment(void **state)
{
    (void)state;
    char dir[] = "/tmp/millrace-settings-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char *path = memory_format("%s/secret", dir);
    FILE *file = fopen(path, "w");
    (void)fputs("hunter2\n", file);
    (void)fclose(file);
    char *config = memory_format("%s/millrace.yaml", dir);
    struct config_case c = {.file = {.path = config}};
    struct settings s;
    config_case_read(&c, &settings_kind,
                     slice_of("kafka: {bootstrap.servers: a, sasl.password: {file: secret}}"), &s);
    assert_string_equal(bytes_text(&c.text), "");
    assert_string_equal(text_pairs_get(&s.kafka, "sasl.password"), "hunter2");
    struct bytes shown = {0};
    config_show(&settings_kind, &s, &shown);
    assert_null(strstr(bytes_text(&shown), "hunter2"));
    assert_non_null(strstr(bytes_text(&shown), "sasl.password: \"***\"\n"));
    bytes_clear(&shown);
    settings_clear(&s);
    config_case_clear(&c);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    free(path);
    free(config);
}

static void a_secret_that_cannot_be_had_is_named_with_its_place(void **state)
{
    (void)state;
    (void)unsetenv("MILLRACE_TEST_NOTHING");
    (void)setenv("MILLRACE_TEST_EMPTY", "", 1);
    check_complaints(
        "kafka:\n  bootstrap.servers: a\n"
        "  sasl.password: {file: /nowhere/x}\n"
        "  ssl.key.password: {env: MILLRACE_TEST_NOTHING}\n"
        "  sasl.username: {env: MILLRACE_TEST_EMPTY}\n"
        "  ssl.key.pem: {fiel: x}\n"
        "  client.id: {env: A, file: b}\n"
        "  ssl.ca.location: {file: /dev/null}\n",
        false,
        "f.yaml:3:25: error: \"sasl.password\": the secret's file can't be read: /nowhere/x: No such file "
        "or directory\n"
        "f.yaml:4:27: error: \"ssl.key.password\": there is no environment variable "
        "\"MILLRACE_TEST_NOTHING\"\n"
        "f.yaml:5:24: error: \"sasl.username\": the secret is empty\n"
        "f.yaml:6:17: error: \"ssl.key.pem\": unknown key \"fiel\"; write {file: PATH} or {env: NAME}\n"
        "f.yaml:7:14: error: \"client.id\": write one of {file: PATH} and {env: NAME}\n"
        "f.yaml:8:27: error: \"ssl.ca.location\": the secret's file can't be read: /dev/null: not a file\n");
}

static void all_complaints_are_shown_in_the_order_of_their_places(void **state)
{
    (void)state;
    check_complaints(
        "log: {format: xml, levle: info}\n"
        "kafka: {bootstrap.servers: a}\n"
        "registry: embeded\n"
        "admin: 7070\n"
        "bridge: {processes: 0}\n"
        "colour: red\n"
        "processes: 2\n",
        false,
        "f.yaml:1:15: error: format: \"xml\" is not valid; write json or text\n"
        "f.yaml:1:20: error: unknown key \"levle\"; did you mean \"level\"?\n"
        "f.yaml:3:11: error: registry: write embedded, or a section with url, urls, public_url, auth, tls, "
        "subject_names, auto_register, use_latest, normalize, listen\n"
        "f.yaml:4:8: error: admin: write a section with listen, hosts\n"
        "f.yaml:5:21: error: processes: must be from 1 to 64, not 0\n"
        "f.yaml:6:1: error: unknown key \"colour\"; valid keys: kafka, registry, admin, bridge, "
        "endpoint_policy, endpoint_allow, limits, tracing, log, state_directory\n"
        "f.yaml:7:1: error: unknown key \"processes\"; it belongs in bridge\n");
}

static void what_is_shown_reads_back_the_same(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct settings s;
    struct bytes shown = {0};
    struct bytes again = {0};
    config_case_read(&c, &settings_kind, slice_of("kafka: {bootstrap.servers: a, client.id: 'x y\"z'}"), &s);
    config_show(&settings_kind, &s, &shown);
    settings_clear(&s);
    config_case_clear(&c);
    config_case_read(&c, &settings_kind, bytes_slice(&shown), &s);
    assert_string_equal(bytes_text(&c.text), "");
    config_show(&settings_kind, &s, &again);
    assert_string_equal(bytes_text(&again), bytes_text(&shown));
    settings_clear(&s);
    config_case_clear(&c);
    bytes_clear(&shown);
    bytes_clear(&again);
}

static void the_schema_is_json_and_knows_every_key(void **state)
{
    (void)state;
    struct bytes schema = {0};
    config_schema(&settings_kind, &schema);
    json_t *root = json_loads(bytes_text(&schema), 0, NULL);
    assert_non_null(root);
    const json_t *properties = json_object_get(root, "properties");
    assert_int_equal(json_object_size(properties), 10);
    assert_string_equal(json_string_value(json_array_get(json_object_get(root, "required"), 0)), "kafka");
    json_decref(root);
    bytes_clear(&schema);
}

static void every_truncation_is_read_or_refused(void **state)
{
    (void)state;
    struct settings s;
    config_case_truncate(&settings_kind, golden, &s, clear_settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(limits_have_names_and_numbers),
        cmocka_unit_test(wrong_limits_are_refused_with_their_places),
        cmocka_unit_test(what_is_missing_or_null_has_its_default),
        cmocka_unit_test(librdkafka_judges_its_own_properties),
        cmocka_unit_test(what_the_promise_rests_on_is_refused_with_the_reason),
        cmocka_unit_test(a_secret_that_librdkafka_refuses_is_not_repeated),
        cmocka_unit_test(only_the_embedded_registry_has_a_listener),
        cmocka_unit_test(a_registrys_address_has_no_query),
        cmocka_unit_test(credentials_of_the_registry_are_whole),
        cmocka_unit_test(a_key_in_the_registrys_url_is_not_shown),
        cmocka_unit_test(the_registrys_address_is_its_public_url_without_a_query),
        cmocka_unit_test(an_empty_registry_and_auth_without_an_address_are_refused),
        cmocka_unit_test(a_plain_secret_needs_a_private_file),
        cmocka_unit_test(secrets_come_from_files_and_the_environment),
        cmocka_unit_test(a_secret_that_cannot_be_had_is_named_with_its_place),
        cmocka_unit_test(all_complaints_are_shown_in_the_order_of_their_places),
        cmocka_unit_test(what_is_shown_reads_back_the_same),
        cmocka_unit_test(the_schema_is_json_and_knows_every_key),
        cmocka_unit_test(every_truncation_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// cli/config_dir: loads a whole folder and reports all complaints of all files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/check_more.h"
#include "cli/cli.h"
#include "cli/config_dir.h"

static char dir[] = "/tmp/millrace-config-XXXXXX";

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *at)
{
    (void)status;
    (void)flag;
    (void)at;
    return remove(path);
}

static int make_dir(void **state)
{
    (void)state;
    memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
    return mkdtemp(dir) == NULL ? 1 : 0;
}

static int remove_dir(void **state)
{
    (void)state;
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *name, const char *text)
{
    char *path = memory_format("%s/%s", dir, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    (void)mkdir(path, 0755);
    *slash = '/';
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    free(path);
}

/** Expectations name files from the folder. */
static void check_lines(const char *lines, const char *expected)
{
    struct bytes text = {0};
    size_t length = strlen(dir);
    for (const char *at = lines; *at != '\0'; at++) {
        if (strncmp(at, dir, length) == 0) {
            at += length;
        }
        bytes_append_byte(&text, (uint8_t)*at);
    }
    assert_string_equal(bytes_text(&text), expected);
    bytes_clear(&text);
}

static void check_summary(const struct config_set *set, const char *expected)
{
    struct bytes text = {0};
    config_set_summary(set, &text);
    assert_string_equal(bytes_text(&text), expected);
    bytes_clear(&text);
}

static void check_load(const char *expected, const char *expected_summary)
{
    struct config_set set;
    assert_int_equal(config_dir_load(dir, &set), *expected == '\0');
    check_lines(bytes_text(&set.complaints), expected);
    check_summary(&set, expected_summary);
    config_set_clear(&set);
}

static void check_warnings(const char *expected, const char *expected_summary)
{
    struct config_set set;
    struct bytes text = {0};
    (void)config_dir_load(dir, &set);
    check_more_warn(dir, &set);
    complaints_write(&set.warnings, "warning", &text);
    check_lines(bytes_text(&text), expected);
    check_summary(&set, expected_summary);
    bytes_clear(&text);
    config_set_clear(&set);
}

#define SETTINGS "kafka: {bootstrap.servers: \"a:9092\"}\n"
#define FUNCTION "source: {topics: [shop.public.a]}\nendpoint: {http: {url: http://x}}\n"
#define CONNECTOR "postgres: {dsn: host=db}\ntopic_prefix: shop\n"

static void a_folder_is_loaded_in_the_order_of_names(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS);
    write_file("connectors/shop.yaml", CONNECTOR);
    write_file("functions/b.yaml", FUNCTION);
    write_file("functions/a.yaml", FUNCTION);
    struct config_set set;
    assert_true(config_dir_load(dir, &set));
    assert_int_equal(set.file_count, 4);
    assert_string_equal(set.connectors[0]->name, "shop");
    assert_int_equal(set.function_count, 2);
    assert_string_equal(set.functions[0]->name, "a");
    assert_string_equal(set.functions[1]->name, "b");
    size_t count;
    struct function_config **functions = config_set_take_functions(&set, &count);
    assert_int_equal(count, 2);
    assert_int_equal(set.function_count, 0);
    config_set_clear(&set);
    for (size_t i = 0; i < count; i++) {
        function_config_clear(functions[i]);
        free(functions[i]);
    }
    free(functions);
    check_load("", "0 errors in 4 files\n");
}

static void complaints_of_all_files_come_together(void **state)
{
    (void)state;
    write_file("millrace.yaml", "kafka: {}\n");
    write_file("connectors/shop.yaml", CONNECTOR "tabels: {}\n");
    write_file("functions/f.yaml", FUNCTION);
    check_load(
        "/connectors/shop.yaml:3:1: error: unknown key \"tabels\"; did you mean \"tables\"?\n"
        "/millrace.yaml:1:8: error: required key \"bootstrap.servers\" is missing: HOST:PORT of a broker\n",
        "2 errors in 3 files\n");
}

static void what_is_missing_is_said_with_what_to_create(void **state)
{
    (void)state;
    check_load(
        "/millrace.yaml: error: the file does not exist; create it with at least: kafka: {bootstrap.servers: "
        "\"HOST:9092\"}\n",
        "1 error in 0 files\n");
    struct config_set set;
    assert_false(config_dir_load("/nowhere/at/all", &set));
    assert_string_equal(
        bytes_text(&set.complaints),
        "/nowhere/at/all: error: the folder does not exist; create this folder with millrace.yaml in "
        "it, or name another one with -c DIR\n");
    config_set_clear(&set);
}

static void hidden_files_and_backups_are_left_alone(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS);
    write_file("functions/f.yaml", FUNCTION);
    write_file("functions/f.yaml~", "}");
    write_file("functions/#f.yaml#", "}");
    write_file("functions/.#f.yaml", "}");
    write_file("functions/.f.yaml.swp", "}");
    write_file("functions/f.yaml.bak", "}");
    write_file("functions/README", "}");
    check_load("", "0 errors in 2 files\n");
}

static void names_that_can_not_be_are_refused(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS);
    write_file("functions/Order_Email.yaml", FUNCTION);
    write_file("functions/f.yml", FUNCTION);
    check_load("/functions/Order_Email.yaml: error: the file's name must be 1 to 63 of a-z, 0-9 and -, "
               "beginning with "
               "a letter or digit, and .yaml\n"
               "/functions/f.yml: error: only files that end in .yaml are read: rename it to f.yaml\n",
               "2 errors in 3 files\n");
}

static void mounts_of_kubernetes_are_followed(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS);
    char *functions = memory_format("%s/functions", dir);
    char *data = memory_format("%s/..2026_01", functions);
    (void)mkdir(functions, 0755);
    (void)mkdir(data, 0755);
    write_file("functions/..2026_01/f.yaml", FUNCTION);
    char *link = memory_format("%s/..data", functions);
    assert_int_equal(symlink("..2026_01", link), 0);
    free(link);
    link = memory_format("%s/f.yaml", functions);
    assert_int_equal(symlink("..data/f.yaml", link), 0);
    check_load("", "0 errors in 2 files\n");
    free(link);
    free(data);
    free(functions);
}

static void connectors_that_would_mix_are_refused(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS);
    write_file("connectors/a.yaml", CONNECTOR "slot: {name: s}\n");
    write_file("connectors/b.yaml", CONNECTOR "slot: {name: s}\n");
    struct config_set set;
    assert_false(config_dir_load(dir, &set));
    const char *text = bytes_text(&set.complaints);
    assert_int_equal(set.error_count, 2);
    assert_non_null(strstr(text, "/connectors/b.yaml:2:15: error: topic_prefix: "));
    assert_non_null(strstr(text, "/connectors/b.yaml:3:14: error: name: "));
    config_set_clear(&set);
}

static void a_limit_that_is_not_there_is_refused_with_the_nearest(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS "limits: {crm: {rate: 5/s}}\n");
    write_file("functions/f.yaml", "endpoint: {http: {url: http://x}}\n"
                                   "source: {topics: [a]}\n"
                                   "delivery: {limit: crn}\n");
    write_file("functions/g.yaml", "endpoint: {http: {url: http://x}}\n"
                                   "source: {topics: [a]}\n"
                                   "delivery: {limit: crm}\n");
    struct config_set set;
    assert_false(config_dir_load(dir, &set));
    assert_int_equal(set.error_count, 1);
    assert_non_null(
        strstr(bytes_text(&set.complaints),
               "/functions/f.yaml:3:19: error: limit: millrace.yaml has no limit \"crn\"; did you "
               "mean \"crm\"?\n"));
    config_set_clear(&set);
}

static void urls_that_lead_to_refused_addresses_are_refused_at_their_place(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS "endpoint_policy: public\nendpoint_allow: [10.1.0.0/16]\n");
    write_file("functions/f.yaml",
               "endpoint: {http: {url: http://0x7f.1/, proxy: {url: http://10.1.2.3:3128}}}\n"
               "source: {topics: [a]}\n");
    write_file("functions/g.yaml", "endpoint: {http: {url: http://a, proxy: {url: http://10.2.0.1:3128}}}\n"
                                   "source: {topics: [a]}\n");
    write_file("functions/h.yaml", "endpoint: {lambda: {function: a, url: http://10.2.0.1}}\n"
                                   "source: {topics: [a]}\n");
    struct config_set set;
    assert_false(config_dir_load(dir, &set));
    assert_int_equal(set.error_count, 3);
    const char *text = bytes_text(&set.complaints);
    assert_non_null(
        strstr(text, "/functions/h.yaml:1:39: error: url: endpoint_policy public refuses 10.2.0.1: "));
    assert_non_null(strstr(text,
                           "/functions/f.yaml:1:24: error: url: endpoint_policy public refuses 127.0.0.1: a "
                           "loopback address; if it is meant, name it in endpoint_allow in millrace.yaml\n"));
    assert_non_null(strstr(text,
                           "/functions/g.yaml:1:47: error: url: endpoint_policy public refuses 10.2.0.1: a "
                           "private address"));
    config_set_clear(&set);
}

static void a_list_of_what_may_be_called_is_checked(void **state)
{
    (void)state;
    write_file("millrace.yaml",
               SETTINGS "endpoint_policy: open\n"
                        "endpoint_allow: ['*.svc.internal', '::1', 10.0.0.0/33, 10.0.0.1/8, 'a b']\n");
    struct config_set set;
    assert_false(config_dir_load(dir, &set));
    const char *text = bytes_text(&set.complaints);
    assert_int_equal(set.error_count, 4);
    assert_non_null(
        strstr(text, "error: endpoint_policy: \"open\" is not valid; write private, public or list\n"));
    assert_non_null(strstr(text, "\"10.0.0.0/33\" must end in /0 to /32"));
    assert_non_null(strstr(text, "\"10.0.0.1/8\" has bits set behind its prefix of 8 bits"));
    assert_non_null(strstr(text, "neither a host name such as *.svc.internal, nor a range of addresses"));
    config_set_clear(&set);
}

static void topics_that_nobody_writes_are_warned_of_at_their_place(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS);
    write_file("connectors/shop.yaml", CONNECTOR);
    write_file("functions/f.yaml", "endpoint: {http: {url: http://x}}\n"
                                   "source:\n"
                                   "  topics: [shop.public.a, shpo.public.a, shop.*]\n");
    write_file("functions/g.yaml", "endpoint: {http: {url: http://x}}\n"
                                   "source:\n"
                                   "  topics:\n"
                                   "    - millrace.dlq.f\n"
                                   "    - other.public.*\n");
    check_warnings("/functions/f.yaml:3:27: warning: topics: no connector of this folder writes to "
                   "\"shpo.public.a\"\n"
                   "/functions/g.yaml:5:7: warning: topics: no connector of this folder writes to "
                   "\"other.public.*\"\n",
                   "0 errors, 2 warnings in 4 files\n");
}

static void topics_of_events_routes_transactions_and_heartbeats_have_a_writer(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS);
    write_file("connectors/shop.yaml", CONNECTOR "outbox: {table: public.outbox}\n"
                                                 "routes: [{match: public.logs_*, topic: 'logs.{table}'}]\n"
                                                 "transactions: {topic: true}\nheartbeat: {interval: 10s}\n");
    write_file("functions/f.yaml", "endpoint: {http: {url: http://x}}\n"
                                   "source:\n"
                                   "  topics: [outbox.event.order, outbox.*, logs.a, shop.transaction,\n"
                                   "    __debezium-heartbeat.shop, shop.message, outbox.events]\n");
    check_warnings(
        "/functions/f.yaml:4:32: warning: topics: no connector of this folder writes to \"shop.message\"\n"
        "/functions/f.yaml:4:46: warning: topics: no connector of this folder writes to \"outbox.events\"\n",
        "0 errors, 2 warnings in 3 files\n");
}

static void warnings_come_with_the_errors_and_without_those_that_follow_from_them(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS);
    write_file("connectors/shop.yaml", CONNECTOR "tabels: {}\n");
    write_file("functions/f.yaml",
               "source: {topics: [shop.public.a, b]}\nendpoint: {http: {url: http://x}}\nx: 1\n");
    check_warnings("/functions/f.yaml:1:34: warning: topics: no connector of this folder writes to \"b\"\n",
                   "2 errors, 1 warning in 3 files\n");
    write_file("connectors/shop.yaml", "postgres: {dsn: host=db}\ntopic_prfix: shop\n");
    check_warnings("", "3 errors in 3 files\n");
}

static void secrets_in_the_clear_are_warned_of_at_their_place(void **state)
{
    (void)state;
    assert_int_equal(setenv("SECRET", "s", 1), 0);
    write_file("millrace.yaml", SETTINGS
               "registry: {url: http://r.example, auth: {username: u, password: {env: SECRET}}}\n"
               "tracing: {otlp: {url: \"http://t.example:4318\", headers: {api-key: {env: SECRET}}}}\n");
    write_file(
        "functions/a.yaml",
        "source: {topics: [a]}\n"
        "endpoint:\n"
        "  http:\n"
        "    url: http://a.example\n"
        "    proxy: {url: http://p.example:3128, user: u, password: {env: SECRET}}\n"
        "    auth:\n"
        "      oauth2: {token_url: http://i.example/token, client_id: a, client_secret: {env: SECRET},\n"
        "        proxy: {url: http://p.example:3128, user: u}}\n");
    write_file("functions/b.yaml", "source: {topics: [a]}\n"
                                   "endpoint: {lambda: {function: f, url: http://l.example}}\n");
    write_file(
        "functions/d.yaml",
        "source: {topics: [a]}\n"
        "endpoint: {http: {url: \"http://a.example/${key.id}\", headers: {X-Api-Key: {env: SECRET}}}}\n");
    check_warnings(
        "/functions/a.yaml:4:10: warning: url: credentials are sent unencrypted over http://; use "
        "https://\n"
        "/functions/a.yaml:5:18: warning: url: user and password go to the proxy unencrypted; use a proxy "
        "that knows clients by their address, or one on this machine\n"
        "/functions/a.yaml:7:27: warning: token_url: what the client proves itself with and the token are "
        "sent unencrypted over http://; use https://\n"
        "/functions/a.yaml:8:22: warning: url: user and password go to the proxy unencrypted; use a proxy "
        "that knows clients by their address, or one on this machine\n"
        "/functions/b.yaml:2:39: warning: url: events and session tokens are sent unencrypted over "
        "http://; use https://\n"
        "/functions/d.yaml:2:24: warning: url: credentials are sent unencrypted over http://; use "
        "https://\n"
        "/millrace.yaml:2:17: warning: url: username and password are sent unencrypted over http://; use "
        "https://\n"
        "/millrace.yaml:3:23: warning: url: headers with keys are sent unencrypted over http://; use "
        "https://\n",
        "0 errors, 8 warnings in 4 files\n");
}

static void what_is_no_secret_or_stays_on_the_machine_is_not_warned_of(void **state)
{
    (void)state;
    assert_int_equal(setenv("SECRET", "s", 1), 0);
    write_file("millrace.yaml", SETTINGS
               "registry: {url: http://r.example}\n"
               "tracing: {otlp: {url: \"http://localhost:4318\", headers: {api-key: {env: SECRET}}}}\n");
    write_file(
        "functions/a.yaml",
        "source: {topics: [a]}\n"
        "endpoint:\n"
        "  http:\n"
        "    url: http://127.0.0.1:8080\n"
        "    proxy: {url: \"http://[::1]:3128\", user: u, password: {env: SECRET}}\n"
        "    auth:\n"
        "      oauth2: {token_url: http://a.LOCALHOST/token, client_id: a, client_secret: {env: SECRET},\n"
        "        proxy: {url: http://p.example:3128}}\n");
    write_file("functions/b.yaml", "source: {topics: [a]}\n"
                                   "endpoint: {lambda: {function: f, url: https://l.example}}\n");
    write_file("functions/c.yaml", FUNCTION);
    check_warnings("", "0 errors in 4 files\n");
}

static void folders_that_are_not_read_are_warned_of(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS);
    write_file("function/f.yaml", FUNCTION);
    check_warnings(": warning: connectors/ and functions/ have no files: nothing would run\n"
                   "/function: warning: this folder is not read; did you mean functions/?\n",
                   "0 errors, 2 warnings in 1 file\n");
}

static void an_outbox_beside_a_registry_of_ones_own_is_warned_of(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS "registry: {url: http://r.example}\n");
    write_file("connectors/shop.yaml", CONNECTOR "outbox: {table: public.outbox}\n");
    check_warnings(
        "/connectors/shop.yaml: warning: outbox: events are published without a schema, as by Kafka "
        "Connect's StringConverter; a consumer with an Avro deserializer can't read them "
        "(docs/debezium.md)\n",
        "0 errors, 1 warning in 2 files\n");
    write_file("millrace.yaml", SETTINGS);
    check_warnings("", "0 errors in 2 files\n");
}

static void a_file_that_is_none_has_its_complaint(void **state)
{
    (void)state;
    write_file("millrace.yaml", SETTINGS);
    write_file("functions/x", "");
    char *path = memory_format("%s/functions/f.yaml", dir);
    assert_int_equal(mkdir(path, 0755), 0);
    check_load("/functions/f.yaml: error: can't be read: not a file\n", "1 error in 2 files\n");
    free(path);
}

static void the_option_wins_over_the_environment(void **state)
{
    (void)state;
    (void)setenv("MILLRACE_CONFIG", "/from/environment", 1);
    assert_string_equal(config_dir_choose("/from/option"), "/from/option");
    assert_string_equal(config_dir_choose(NULL), "/from/environment");
    (void)unsetenv("MILLRACE_CONFIG");
    char before[4096];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(dir), 0);
    assert_string_equal(config_dir_choose(NULL), "/etc/millrace");
    assert_int_equal(mkdir("millrace", 0755), 0);
    assert_string_equal(config_dir_choose(NULL), "./millrace");
    assert_int_equal(chdir(before), 0);
}

static void commands_end_with_the_code_of_their_outcome(void **state)
{
    (void)state;
    char *good[] = {"check", "-c", dir, NULL};
    char *usage[] = {"check", "--colour", NULL};
    char *word[] = {"check", "shop", NULL};
    char *nothing[] = {"config", NULL};
    char *unknown[] = {"config", "schema", "table", NULL};
    assert_int_equal(check_command(3, good), CLI_CONFIG);
    write_file("millrace.yaml", SETTINGS);
    assert_int_equal(check_command(3, good), CLI_DONE);
    assert_int_equal(check_command(2, usage), CLI_USAGE);
    assert_int_equal(check_command(2, word), CLI_USAGE);
    assert_int_equal(config_command(1, nothing), CLI_USAGE);
    assert_int_equal(config_command(3, unknown), CLI_USAGE);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(a_folder_is_loaded_in_the_order_of_names),
        IN_DIR(complaints_of_all_files_come_together),
        IN_DIR(what_is_missing_is_said_with_what_to_create),
        IN_DIR(hidden_files_and_backups_are_left_alone),
        IN_DIR(names_that_can_not_be_are_refused),
        IN_DIR(mounts_of_kubernetes_are_followed),
        IN_DIR(connectors_that_would_mix_are_refused),
        IN_DIR(a_limit_that_is_not_there_is_refused_with_the_nearest),
        IN_DIR(urls_that_lead_to_refused_addresses_are_refused_at_their_place),
        IN_DIR(a_list_of_what_may_be_called_is_checked),
        IN_DIR(topics_that_nobody_writes_are_warned_of_at_their_place),
        IN_DIR(topics_of_events_routes_transactions_and_heartbeats_have_a_writer),
        IN_DIR(warnings_come_with_the_errors_and_without_those_that_follow_from_them),
        IN_DIR(secrets_in_the_clear_are_warned_of_at_their_place),
        IN_DIR(what_is_no_secret_or_stays_on_the_machine_is_not_warned_of),
        IN_DIR(folders_that_are_not_read_are_warned_of),
        IN_DIR(an_outbox_beside_a_registry_of_ones_own_is_warned_of),
        IN_DIR(a_file_that_is_none_has_its_complaint),
        IN_DIR(the_option_wins_over_the_environment),
        IN_DIR(commands_end_with_the_code_of_their_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

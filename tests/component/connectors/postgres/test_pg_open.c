// What a connector needs from a real server before it streams: rights, settings, publications, a host that
// answers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tests/component/connectors/postgres/source_case.h"

static void a_dropped_publication_stops_the_stream_with_what_to_type(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "unpublished");
    pg_server_sql(&source_case_server, "DROP PUBLICATION millrace_unpublished; INSERT INTO r VALUES (1)");
    assert_true(source_driver_until_fault(&d));
    source_driver_close(&d);
    source_driver_open(&d);  // creates the publication again, too late for the row
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "publication was dropped"));
    assert_non_null(
        strstr(d.fault.text, "run: SELECT pg_drop_replication_slot('millrace_unpublished'); and"));
    assert_non_null(strstr(d.fault.text, "echo 'connector/unpublished:' | kcat"));
    source_driver_close(&d);
    // The message's advice works.
    source_case_wait_until_free("millrace_unpublished");
    (void)pg_server_ask(&source_case_server, "SELECT pg_drop_replication_slot('millrace_unpublished')");
    d.known = (struct source_state){0};
    source_driver_reset(&d);
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "r public.r #0 last key={\"id\":1}"));
    source_case_close(&d);
}

static void a_role_without_superuser_needs_only_the_rights_that_messages_name(void **state)
{
    (void)state;
    pg_server_sql(
        &source_case_server,
        "CREATE ROLE plain LOGIN; CREATE TABLE mine (id int PRIMARY KEY); ALTER TABLE mine OWNER TO plain;"
        "CREATE TABLE theirs (id int PRIMARY KEY)");
    char dsn[256];
    (void)snprintf(dsn, sizeof(dsn), "host=127.0.0.1 port=%d dbname=postgres user=plain",
                   source_case_server.port);
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "plain", dsn);
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "REPLICATION"));
    source_driver_close(&d);
    pg_server_sql(&source_case_server, "ALTER ROLE plain REPLICATION");
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "CREATE PUBLICATION"));
    source_driver_close(&d);
    pg_server_sql(&source_case_server,
                  "GRANT CREATE ON DATABASE postgres TO plain; GRANT USAGE ON SCHEMA public TO plain");
    source_driver_open(&d);
    assert_true(source_driver_until_phase(&d, "streaming"));
    pg_server_sql(&source_case_server, "INSERT INTO theirs VALUES (1); INSERT INTO mine VALUES (2)");
    assert_true(source_driver_until_rows(&d, 1));
    assert_non_null(strstr(source_driver_lines(&d), "c public.mine #0"));
    source_case_close(&d);
}

static void rows_that_a_policy_hides_are_not_left_out_in_silence(void **state)
{
    (void)state;
    pg_server_sql(
        &source_case_server,
        "CREATE ROLE narrow LOGIN REPLICATION; GRANT CREATE ON DATABASE postgres TO narrow;"
        "CREATE TABLE before_it (id int PRIMARY KEY); INSERT INTO before_it VALUES (1);"
        "CREATE TABLE tenants (id int PRIMARY KEY, tenant text);"
        "INSERT INTO tenants VALUES (1, 'a'), (2, 'b'); ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY only_a ON tenants USING (tenant = 'a');"
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO narrow; GRANT USAGE ON SCHEMA public TO narrow;"
        "CREATE PUBLICATION millrace_policy FOR TABLE before_it, tenants");
    char dsn[256];
    (void)snprintf(dsn, sizeof(dsn), "host=127.0.0.1 port=%d dbname=postgres user=narrow",
                   source_case_server.port);
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "policy", dsn);
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "public.tenants has row-level security"));
    assert_non_null(strstr(d.fault.text, "ALTER ROLE \"narrow\" BYPASSRLS;"));
    assert_int_equal(d.rows, 0);
    source_driver_close(&d);
    pg_server_sql(&source_case_server, "ALTER ROLE narrow BYPASSRLS");
    source_driver_open(&d);
    assert_true(source_driver_until_rows(&d, 3));
    assert_non_null(strstr(source_driver_lines(&d), "r public.tenants #2 last key={\"id\":2}"));
    source_case_close(&d);
}

static void what_is_refused_says_what_to_type(void **state)
{
    (void)state;
    char dsn[256];
    (void)snprintf(dsn, sizeof(dsn), "host=127.0.0.1 port=%d dbname=nowhere user=millrace",
                   source_case_server.port);
    struct source_driver d;
    source_driver_init(&d, &pg_source_type, "refused", dsn);
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "check dbname"));
    source_driver_clear(&d);
    (void)snprintf(dsn, sizeof(dsn), "%s options='-c nonsense=1'", pg_server_dsn(&source_case_server));
    source_driver_init(&d, &pg_source_type, "refused", dsn);
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "check options in postgres.dsn"));
    source_driver_clear(&d);
    source_driver_init(&d, &pg_source_type, "refused", "host=127.0.0.1 port=1 dbname=postgres");
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_RETRY);
    source_driver_clear(&d);
    source_driver_init(&d, &pg_source_type, "refused", pg_server_dsn(&source_case_server));
    d.config.slot.create = false;
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(
        strstr(d.fault.text, "SELECT pg_create_logical_replication_slot('millrace_refused', 'pgoutput');"));
    source_driver_clear(&d);
}

// A host that accepts connections and sends nothing, like one behind a broken network.
static int silent_listener(int *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

// The number of connections accepted since the last call.
static int count_connections(int listener)
{
    int count = 0;
    for (int fd = accept(listener, NULL, NULL); fd >= 0; fd = accept(listener, NULL, NULL)) {
        (void)close(fd);
        count++;
    }
    return count;
}

static void a_host_that_does_not_answer_is_skipped(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    int port = 0;
    int fd = silent_listener(&port);
    char dsn[256];
    static const char *const hosts[] = {"host=127.0.0.1,localhost", "hostaddr=127.0.0.1,127.0.0.1"};
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        (void)snprintf(dsn, sizeof(dsn),
                       "%s port=%d,%d dbname=postgres user=millrace connect_timeout=1 "
                       "target_session_attrs=read-write",
                       hosts[i], port, source_case_server.port);
        struct source_driver d;
        source_driver_init(&d, &pg_source_type, "hosts", dsn);
        source_driver_open(&d);
        assert_true(source_driver_until_phase(&d, "streaming"));
        assert_true(count_connections(fd) > 0);
        // The next time the address that worked is tried first.
        source_driver_close(&d);
        d.phase[0] = '\0';
        source_driver_open(&d);
        assert_true(source_driver_until_phase(&d, "streaming"));
        assert_int_equal(count_connections(fd), 0);
        source_case_close(&d);
        pg_server_sql(&source_case_server, "CREATE TABLE r (id int PRIMARY KEY)");
    }
    struct source_driver d;
    (void)snprintf(dsn, sizeof(dsn), "host=127.0.0.1,127.0.0.1 port=%d,1 connect_timeout=1", port);
    source_driver_init(&d, &pg_source_type, "hosts", dsn);
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_RETRY);
    assert_non_null(strstr(d.fault.text, "PostgreSQL at 127.0.0.1 did not respond within 1 s"));
    assert_non_null(strstr(d.fault.text, "Connection refused"));
    source_case_close(&d);
    (void)close(fd);
}

static bool has_lost(const struct source_driver *d)
{
    return d->has_fault || d->has_ended;
}

static void a_server_that_stops_and_comes_back_is_a_retry(void **state)
{
    (void)state;
    pg_server_sql(&source_case_server, "CREATE TABLE quiet (id int PRIMARY KEY)");
    struct source_driver d;
    source_case_open(&d, "restart");
    pg_server_shut_down(&source_case_server);
    // The end is noticed by what the server sends, and not by a limit on silence: the clock stands still.
    clock_fake(clock_now_us(), clock_wall_us());
    assert_true(source_driver_until(&d, has_lost));
    clock_fake(-1, 0);
    assert_true(d.has_ended || d.fault.kind == FAULT_RETRY);
    source_driver_close(&d);  // else the server waits wal_sender_timeout for its walsender
    pg_server_restart(&source_case_server, "log_statement=none");
    source_driver_open(&d);
    d.phase[0] = '\0';
    assert_true(source_driver_until_phase(&d, "streaming"));
    source_case_close(&d);
    pg_server_restart(&source_case_server, "wal_level=replica");
    source_driver_init(&d, &pg_source_type, "level", pg_server_dsn(&source_case_server));
    source_driver_open(&d);
    assert_true(source_driver_until_fault(&d));
    assert_int_equal(d.fault.kind, FAULT_CONFIG);
    assert_non_null(strstr(d.fault.text, "ALTER SYSTEM SET wal_level = 'logical'"));
    source_driver_clear(&d);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dropped_publication_stops_the_stream_with_what_to_type),
        cmocka_unit_test(a_role_without_superuser_needs_only_the_rights_that_messages_name),
        cmocka_unit_test(rows_that_a_policy_hides_are_not_left_out_in_silence),
        cmocka_unit_test(what_is_refused_says_what_to_type),
        cmocka_unit_test(a_host_that_does_not_answer_is_skipped),
        cmocka_unit_test(a_server_that_stops_and_comes_back_is_a_retry),
    };
    return source_case_run(tests, COUNT_OF(tests));
}

// A connection whose server is in this file: it sends a final message, and the connection breaks behind it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "connectors/postgres/wire/pg_conn.h"
#include "core/base/memory.h"

#define LAST_WORDS "terminating connection due to administrator command"

static struct {
    int listener;
    int port;
    int peer;
    pthread_t thread;
} server;

static uv_loop_t loop;
static struct pg_conn *conn;
static bool is_open;
static bool is_copying;
static bool is_lost;
static struct fault lost;
static struct bytes copied;

static void send_all(const void *data, size_t size)
{
    assert_int_equal(write(server.peer, data, size), size);
}

// Reads one message after its type.
static void receive_message(void)
{
    uint32_t size = 0;
    char rest[4096];
    assert_int_equal(recv(server.peer, &size, sizeof(size), MSG_WAITALL), sizeof(size));
    assert_int_equal(recv(server.peer, rest, ntohl(size) - 4, MSG_WAITALL), ntohl(size) - 4);
}

// Accepts the client without a password, and responds to its first query with CopyBothResponse.
static void *serve(void *unused)
{
    static const char WELCOME[] = "R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
    static const char COPY_BOTH[] = "W\0\0\0\x07\0\0\0";
    char type = 0;
    server.peer = accept(server.listener, NULL, NULL);
    // A reset drops what still waits to be sent.
    assert_int_equal(setsockopt(server.peer, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
    receive_message();
    send_all(WELCOME, sizeof(WELCOME) - 1);
    assert_int_equal(read(server.peer, &type, 1), 1);
    receive_message();
    send_all(COPY_BOTH, sizeof(COPY_BOTH) - 1);
    return unused;
}

static int start_server(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server.listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server.listener, 1), 0);
    assert_int_equal(getsockname(server.listener, (struct sockaddr *)&address, &size), 0);
    server.port = ntohs(address.sin_port);
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int stop_server(void **state)
{
    (void)state;
    return close(server.listener);
}

static void on_open(void *self, const struct fault *f)
{
    (void)self;
    assert_null(f);
    is_open = true;
}

static void on_lost(void *self, const struct fault *f)
{
    (void)self;
    assert_false(is_lost);
    is_lost = true;
    lost = *f;
}

static void on_results(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    (void)self;
    (void)results;
    assert_null(f);
    assert_int_equal(count, 1);
    is_copying = true;
}

// The connection is lost before the server says that it is ready for a query.
static void on_ended(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    (void)self;
    (void)results;
    (void)count;
    (void)f;
    fail();
}

static void on_copy(void *self)
{
    (void)self;
    char *message = NULL;
    int size;
    while ((size = pg_conn_read_copy(conn, &message, &lost)) > 0) {
        bytes_append(&copied, message, (size_t)size);
        PQfreemem(message);
    }
    if (size == -1) {
        pg_conn_end_copy(conn, on_ended, NULL);
    }
    is_lost = size == -2;
}

// A loop without active handles would wait for ever: nothing would tell it that the connection is gone.
static void run_until(const bool *is_true)
{
    bool is_alive = true;
    while (!*is_true) {
        assert_true(is_alive);
        is_alive = uv_run(&loop, UV_RUN_ONCE) != 0;
    }
}

static void open_copy(void)
{
    char dsn[128];
    (void)snprintf(dsn, sizeof(dsn),
                   "host=127.0.0.1 port=%d user=u dbname=d sslmode=disable gssencmode=disable", server.port);
    const struct pg_conn_params params = {
        .loop = &loop, .dsn = dsn, .is_replication = true, .on_open = on_open, .on_lost = on_lost};
    is_open = is_copying = is_lost = false;
    assert_int_equal(uv_loop_init(&loop), 0);
    conn = pg_conn_open(&params);
    run_until(&is_open);
    pg_conn_query(conn, "START_REPLICATION", on_results, NULL);
    run_until(&is_copying);
    assert_int_equal(pthread_join(server.thread, NULL), 0);
    pg_conn_watch_copy(conn, on_copy, NULL);
}

static void close_conn(void)
{
    pg_conn_close(conn);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    bytes_clear(&copied);
}

// Sends the bytes and resets the connection; returns once both have arrived, while the loop stands still.
static void send_and_reset(const void *data, size_t size)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    send_all(data, size);
    assert_int_equal(setsockopt(server.peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    assert_int_equal(close(server.peer), 0);
    struct pollfd arrived = {.fd = pg_conn_socket(conn)};  // for an error only
    assert_int_equal(poll(&arrived, 1, -1), 1);
    assert_int_not_equal(arrived.revents & POLLERR, 0);
    arrived.events = POLLIN;
    assert_int_equal(poll(&arrived, 1, 0), 1);
    assert_int_not_equal(arrived.revents & POLLIN, 0);
}

static void what_came_before_a_reset_is_read_and_the_reset_is_noticed(void **state)
{
    (void)state;
    static const char ROW[] = "d\0\0\0\x07row";
    open_copy();
    send_and_reset(ROW, sizeof(ROW) - 1);
    run_until(&is_lost);
    assert_string_equal(bytes_text(&copied), "row");
    assert_int_equal(lost.kind, FAULT_RETRY);
    close_conn();
}

static void the_last_words_before_a_reset_say_why(void **state)
{
    (void)state;
    static const char ERROR[] = "E\0\0\0\x4cSFATAL\0VFATAL\0C57P01\0M" LAST_WORDS "\0";
    open_copy();
    CLEANUP(bytes_clear) struct bytes message = {0};
    bytes_append(&message, ERROR, sizeof(ERROR));
    message.data[4] = (uint8_t)(message.size - 1);
    send_and_reset(message.data, message.size);
    run_until(&is_lost);
    assert_int_equal(lost.kind, FAULT_RETRY);
    assert_non_null(strstr(lost.text, LAST_WORDS));
    assert_int_equal(copied.size, 0);
    close_conn();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_came_before_a_reset_is_read_and_the_reset_is_noticed,
                                        start_server, stop_server),
        cmocka_unit_test_setup_teardown(the_last_words_before_a_reset_say_why, start_server, stop_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

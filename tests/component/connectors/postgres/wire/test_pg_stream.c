// The stream with a scripted server in this file, which sends exactly the bytes that the test decides.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <endian.h>
#include <pthread.h>
#include <unistd.h>

#include "connectors/postgres/wire/pg_socket.h"
#include "connectors/postgres/wire/pg_stream.h"
#include "core/base/clock.h"

enum { ROW_BYTES = 1 << 20, PIECE_BYTES = 1000 };

#define START_US (INT64_C(1000) * CLOCK_US_PER_S)
#define STEP_US (40 * CLOCK_US_PER_S)  // one is shorter than the silence that ends a stream, two are longer

struct server {
    int listener;
    int port;
    int peer;
    pthread_t thread;
};

static struct server server;
static uv_loop_t loop;
static uv_timer_t refill;
static struct pg_conn *conn;
static struct pg_stream stream;
static int opened;
static int streaming;

static void send_all(const void *data, size_t size)
{
    assert_int_equal(write(server.peer, data, size), size);
}

static void receive(void *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = read(server.peer, (char *)data + at, size - at);
        assert_true(got > 0);
        at += (size_t)got;
    }
}

static uint32_t receive_u32(void)
{
    uint32_t value;
    receive(&value, sizeof(value));
    return ntohl(value);
}

// Accepts the client without a password, and responds to its first query with CopyBothResponse.
static void *serve(void *unused)
{
    static const char WELCOME[] = "R\0\0\0\x08\0\0\0\0"
                                  "S\0\0\0\x18server_version\0"
                                  "15.0\0"
                                  "Z\0\0\0\x05I";
    static const char COPY_BOTH[] = "W\0\0\0\x07\0\0\0";
    char message[4096];
    server.peer = accept(server.listener, NULL, NULL);
    receive(message, receive_u32() - 4);
    send_all(WELCOME, sizeof(WELCOME) - 1);
    receive(message, 1);
    receive(message, receive_u32() - 4);
    send_all(COPY_BOTH, sizeof(COPY_BOTH) - 1);
    return unused;
}

static int start_server(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    opened = streaming = 0;
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
    clock_fake(-1, 0);
    (void)close(server.peer);
    (void)close(server.listener);
    return 0;
}

static void on_open(void *self, const struct fault *f)
{
    (void)self;
    assert_null(f);
    opened++;
}

static void on_lost(void *self, const struct fault *f)
{
    (void)self;
    (void)f;
}

static void on_results(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    (void)self;
    (void)results;
    assert_null(f);
    assert_int_equal(count, 1);
    streaming++;
}

static void on_ready(void *self)
{
    (void)self;
}

static void on_refill(uv_timer_t *timer)
{
    (void)timer;
}

static void open_stream(void)
{
    char dsn[128];
    (void)snprintf(dsn, sizeof(dsn),
                   "host=127.0.0.1 port=%d user=u dbname=d sslmode=disable gssencmode=disable", server.port);
    const struct pg_conn_params params = {
        .loop = &loop, .dsn = dsn, .is_replication = true, .on_open = on_open, .on_lost = on_lost};
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_timer_init(&loop, &refill), 0);
    conn = pg_conn_open(&params);
    while (opened == 0) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    pg_conn_query(conn, "START_REPLICATION", on_results, NULL);
    while (streaming == 0) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    assert_int_equal(pthread_join(server.thread, NULL), 0);
    pg_conn_watch_copy(conn, on_ready, NULL);
    clock_fake(START_US, START_US);
    pg_stream_start(&stream, conn, &refill, on_refill);
}

static void close_stream(void)
{
    pg_stream_stop(&stream);
    pg_conn_close(conn);
    uv_close((uv_handle_t *)&refill, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void send_piece(void)
{
    static const uint8_t piece[PIECE_BYTES];
    uint64_t before = pg_socket_received_bytes(pg_conn_socket(conn));
    send_all(piece, sizeof(piece));
    while (pg_socket_received_bytes(pg_conn_socket(conn)) < before + sizeof(piece)) {
        (void)usleep(1000);
    }
}

static bool tick_after(int64_t *io_now_us, int64_t us)
{
    struct fault f = {0};
    struct pg_stream_frame frame;
    assert_int_equal(pg_stream_next(&stream, &frame, &f), PG_STREAM_NOTHING);
    *io_now_us += us;
    clock_fake(*io_now_us, *io_now_us);
    bool is_good = pg_stream_tick(&stream, &f);
    assert_true(is_good || f.kind == FAULT_RETRY);
    return is_good;
}

static void a_row_that_comes_slowly_is_no_silence(void **state)
{
    (void)state;
    open_stream();
    uint32_t size = htonl(ROW_BYTES);
    send_all("d", 1);
    send_all(&size, sizeof(size));
    int64_t now_us = START_US;
    for (int i = 0; i < 4; i++) {
        send_piece();
        assert_true(tick_after(&now_us, STEP_US));
    }
    assert_true(tick_after(&now_us, STEP_US));
    assert_false(tick_after(&now_us, STEP_US));  // 80 s without a byte
    close_stream();
}

static void receive_status(uint64_t ret_positions[3])
{
    uint8_t status[1 + 8 + 8 + 8 + 8 + 1];
    char kind;
    receive(&kind, 1);
    assert_int_equal(kind, 'd');
    assert_int_equal(receive_u32(), 4 + sizeof(status));
    receive(status, sizeof(status));
    assert_int_equal(status[0], 'r');
    for (int i = 0; i < 3; i++) {
        uint64_t wire;
        memcpy(&wire, status + 1 + 8 * i, sizeof(wire));
        ret_positions[i] = be64toh(wire);
    }
}

// Written, flushed and applied: a server that has this connection as a synchronous standby waits for one of
// them.
static void no_position_is_sent_beyond_the_confirmed_one(void **state)
{
    (void)state;
    static const char ROW[] = "d\0\0\0\x1ew\0\0\0\0\0\0\x20\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0\0\0I";
    struct fault f = {0};
    struct pg_stream_frame frame;
    uint64_t positions[3];
    open_stream();
    stream.confirmed = 0x1000;
    send_all(ROW, sizeof(ROW) - 1);
    while (pg_stream_next(&stream, &frame, &f) != PG_STREAM_DATA) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    assert_int_equal(frame.lsn, 0x2000);
    assert_true(pg_stream_request_reply(&stream, &f));
    receive_status(positions);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(positions[i], 0x1000);
    }
    stream.confirmed = 0x2000;
    close_stream();  // the last status has what was confirmed since
    receive_status(positions);
    assert_int_equal(positions[1], 0x2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_position_is_sent_beyond_the_confirmed_one, start_server,
                                        stop_server),
        cmocka_unit_test_setup_teardown(a_row_that_comes_slowly_is_no_silence, start_server, stop_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

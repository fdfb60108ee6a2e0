// core/http/http_addresses and http_dial: which addresses are used for how long, and which of them is
// connected to.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/http/http_dial.h"

static struct {
    uv_loop_t loop;
    uv_timer_t ticker;  // a dial alone keeps no loop running
    int looked_up;
    struct fault fault;
    int dialed;
    int fd;
} t;

static int start(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    t.fd = -1;
    return uv_loop_init(&t.loop);
}

static int stop(void **state)
{
    (void)state;
    clock_fake(-1, -1);
    (void)uv_run(&t.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&t.loop);
}

static void on_addresses(void *self, const struct fault *f)
{
    (void)self;
    t.looked_up++;
    t.fault = f == NULL ? (struct fault){0} : *f;
}

static void on_dialed(void *self, int fd, const struct fault *f)
{
    (void)self;
    t.dialed++;
    t.fd = fd;
    t.fault = f == NULL ? (struct fault){0} : *f;
}

#define RUN_UNTIL(condition)                                                                                 \
    do {                                                                                                     \
        time_t end_s_ = time(NULL) + 60;                                                                     \
        while (!(condition)) {                                                                               \
            assert_true(time(NULL) < end_s_);                                                                \
            (void)uv_run(&t.loop, UV_RUN_NOWAIT);                                                            \
        }                                                                                                    \
    } while (0)

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static int start_ticking(void **state)
{
    (void)start(state);
    (void)uv_timer_init(&t.loop, &t.ticker);
    return uv_timer_start(&t.ticker, on_tick, 5, 5);
}

static int stop_ticking(void **state)
{
    uv_close((uv_handle_t *)&t.ticker, NULL);
    return stop(state);
}

static const struct http_address_list *get(struct http_addresses *a)
{
    const struct http_address_list *list = NULL;
    struct fault f;
    assert_true(http_addresses_get(a, &list, &f));
    return list;
}

static void set_time(int64_t seconds)
{
    clock_fake((1000 + seconds) * CLOCK_US_PER_S, 0);
}

static void addresses_are_looked_up_again_in_time(void **state)
{
    (void)state;
    set_time(0);
    struct http_addresses *a = http_addresses_new(&t.loop, "localhost", 80, on_addresses, NULL);
    assert_null(get(a));
    assert_null(get(a));
    RUN_UNTIL(t.looked_up == 1);
    assert_int_equal(t.fault.kind, FAULT_NONE);
    set_time(29);
    assert_non_null(get(a));
    assert_false(uv_loop_alive(&t.loop));
    set_time(31);
    assert_non_null(get(a));  // and looks up meanwhile
    assert_true(uv_loop_alive(&t.loop));
    RUN_UNTIL(t.looked_up == 2);
    // Nothing there took a connection.
    set_time(40);
    http_addresses_doubt(a);
    assert_non_null(get(a));
    RUN_UNTIL(t.looked_up == 3);
    http_addresses_doubt(a);
    assert_non_null(get(a));
    assert_false(uv_loop_alive(&t.loop));
    // Too old.
    set_time(101);
    assert_null(get(a));
    RUN_UNTIL(t.looked_up == 4);
    assert_non_null(get(a));
    http_addresses_free(a);
}

static void a_host_that_is_an_address_needs_no_look_up(void **state)
{
    (void)state;
    struct http_addresses *a = http_addresses_new(&t.loop, "::1", 81, on_addresses, NULL);
    const struct http_address_list *list = get(a);
    assert_int_equal(list->count, 1);
    assert_int_equal(list->items[0].any.sa_family, AF_INET6);
    assert_int_equal(list->items[0].v6.sin6_port, htons(81));
    http_addresses_free(a);
}

static void a_look_up_may_outlive_its_owner(void **state)
{
    (void)state;
    struct http_addresses *a = http_addresses_new(&t.loop, "localhost", 80, on_addresses, NULL);
    assert_null(get(a));
    http_addresses_free(a);
    (void)uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(t.looked_up, 0);
}

/** A socket that listens on a free port of 127.0.0.1, or one that was bound and refuses. */
static int bind_socket(union http_address *ret, int backlog)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ret->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(ret->v4);
    assert_int_equal(bind(fd, &ret->any, size), 0);
    assert_int_equal(getsockname(fd, &ret->any, &size), 0);
    if (backlog >= 0) {
        assert_int_equal(listen(fd, backlog), 0);
    }
    return fd;
}

/** The address to which t.fd is connected. */
static void expect_peer(const union http_address *address)
{
    union http_address peer;
    socklen_t size = sizeof(peer.v4);
    assert_int_equal(getpeername(t.fd, &peer.any, &size), 0);
    assert_int_equal(peer.v4.sin_port, address->v4.sin_port);
    close(t.fd);
}

static void an_address_that_refuses_is_left_for_the_next(void **state)
{
    (void)state;
    struct http_address_list list = {.count = 2};
    int refusing = bind_socket(&list.items[0], -1);
    int good = bind_socket(&list.items[1], 8);
    (void)http_dial_start(&t.loop, &list, &(struct http_dial_guard){.policy = NULL}, on_dialed, NULL, NULL);
    RUN_UNTIL(t.dialed == 1);
    expect_peer(&list.items[1]);
    list.count = 1;
    (void)http_dial_start(&t.loop, &list, &(struct http_dial_guard){.policy = NULL}, on_dialed, NULL, NULL);
    assert_int_equal(t.dialed, 1);
    RUN_UNTIL(t.dialed == 2);
    assert_int_equal(t.fd, -1);
    assert_non_null(strstr(t.fault.text, "Connection refused"));
    close(refusing);
    close(good);
}

static void an_address_that_does_not_answer_gets_company(void **state)
{
    (void)state;
    struct http_address_list list = {.count = 2};
    int full = bind_socket(&list.items[0], 0);
    int good = bind_socket(&list.items[1], 8);
    // Once its queue is full, the kernel drops what asks for a connection.
    int waiting[4];
    for (int i = 0; i < 4; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(waiting[i], &list.items[0].any, sizeof(list.items[0].v4));
    }
    (void)http_dial_start(&t.loop, &list, &(struct http_dial_guard){.policy = NULL}, on_dialed, NULL, NULL);
    RUN_UNTIL(t.dialed == 1);
    expect_peer(&list.items[1]);
    list.count = 1;
    struct http_dial *d =
        http_dial_start(&t.loop, &list, &(struct http_dial_guard){.policy = NULL}, on_dialed, NULL, NULL);
    (void)uv_run(&t.loop, UV_RUN_NOWAIT);
    http_dial_cancel(d);
    for (int i = 0; i < 4; i++) {
        close(waiting[i]);
    }
    close(full);
    close(good);
    for (int i = 0; i < 10; i++) {
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    }
    assert_int_equal(t.dialed, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)
#define TICKING(f) cmocka_unit_test_setup_teardown(f, start_ticking, stop_ticking)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(addresses_are_looked_up_again_in_time),
        CASE(a_host_that_is_an_address_needs_no_look_up),
        CASE(a_look_up_may_outlive_its_owner),
        TICKING(an_address_that_refuses_is_left_for_the_next),
        TICKING(an_address_that_does_not_answer_gets_company),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// core/http/admin_routes: what is refused before a body is read.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "core/http/admin_routes.h"

static const struct admin_head READ = {.method = "GET", .path = "/status", .host = "127.0.0.1"};
static const struct admin_head WRITE = {.method = "POST",
                                        .path = "/registry/subjects",
                                        .host = "127.0.0.1",
                                        .content_type = "application/json",
                                        .content_length = "2"};

/** One of these two with a change: HEAD(READ, .path = "/"). */
#define HEAD(of, change)                                                                                     \
    __extension__({                                                                                          \
        struct admin_head head_ = of;                                                                        \
        head_ change;                                                                                        \
        head_;                                                                                               \
    })

static struct admin_routes routes;

static void handle(void *self, const struct admin_request *request)
{
    (void)self;
    (void)request;
}

static int start(void **state)
{
    (void)state;
    routes = (struct admin_routes){0};
    admin_routes_add(&routes, "/status", handle, NULL, false);
    admin_routes_add(&routes, "/registry", handle, NULL, true);
    admin_routes_add(&routes, "/registry/docs", handle, NULL, false);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    admin_routes_clear(&routes);
    return 0;
}

/** The prefix of the route, or the status of the refusal as text. */
static const char *outcome(struct admin_head head)
{
    static char text[32];
    const struct admin_route *route = NULL;
    struct admin_refusal refusal = {0};
    if (admin_routes_admit(&routes, &head, &route, &refusal)) {
        (void)snprintf(text, sizeof(text), "%s", route->prefix);
        admin_routes_release(&routes, route);
    } else {
        (void)snprintf(text, sizeof(text), "%d", refusal.status);
    }
    return text;
}

static void the_longest_prefix_of_whole_names_wins(void **state)
{
    (void)state;
    assert_string_equal(outcome(READ), "/status");
    assert_string_equal(outcome(HEAD(READ, .path = "/status/x")), "/status");
    assert_string_equal(outcome(HEAD(READ, .path = "/statusx")), "404");
    assert_string_equal(outcome(HEAD(READ, .path = "/")), "404");
    assert_string_equal(outcome(WRITE), "/registry");
    assert_string_equal(outcome(HEAD(WRITE, .path = "/registry/docs/1")), "405");
}

static void what_a_foreign_page_can_send_is_refused(void **state)
{
    (void)state;
    assert_string_equal(outcome(HEAD(READ, .host = "attacker.example")), "403");
    assert_string_equal(outcome(HEAD(WRITE, .origin = "http://attacker.example")), "403");
    assert_string_equal(outcome(HEAD(WRITE, .content_type = "text/plain")), "415");
    assert_string_equal(outcome(HEAD(WRITE, .content_type = NULL)), "415");
}

static void bodies_are_refused_by_their_headers(void **state)
{
    (void)state;
    assert_string_equal(outcome(HEAD(WRITE, .path = "/status")), "405");
    assert_string_equal(outcome(HEAD(READ, .content_length = "1")), "413");
    assert_string_equal(outcome(HEAD(READ, .content_length = "0")), "/status");
    assert_string_equal(outcome(HEAD(READ, .transfer_encoding = "chunked")), "413");
    assert_string_equal(outcome(HEAD(WRITE, .content_length = "2097152")), "/registry");
    assert_string_equal(outcome(HEAD(WRITE, .content_length = "2097153")), "413");
    assert_string_equal(outcome(HEAD(WRITE, .content_length = "99999999999999999999")), "413");
}

static void only_so_many_requests_with_bodies_are_open_at_once(void **state)
{
    (void)state;
    const struct admin_route *route = NULL;
    struct admin_refusal refusal = {0};
    struct admin_head head = WRITE;
    int admitted = 0;
    while (admin_routes_admit(&routes, &head, &route, &refusal)) {
        assert_true(++admitted < 1000);
    }
    assert_int_equal(refusal.status, 503);
    assert_string_equal(outcome(READ), "/status");
    admin_routes_release(&routes, route);
    assert_string_equal(outcome(WRITE), "/registry");
    admin_routes_release(&routes, NULL);
}

#define ON_ROUTES(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ROUTES(the_longest_prefix_of_whole_names_wins),
        ON_ROUTES(what_a_foreign_page_can_send_is_refused),
        ON_ROUTES(bodies_are_refused_by_their_headers),
        ON_ROUTES(only_so_many_requests_with_bodies_are_open_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

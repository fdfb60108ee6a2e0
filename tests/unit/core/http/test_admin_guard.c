#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "core/http/admin_guard.h"

static void a_name_that_a_page_could_rebind_is_refused(void **state)
{
    (void)state;
    static const char *const right[] = {"127.0.0.1:7070", "10.1.2.3",      "[::1]:7070",
                                        "localhost:7070", "millrace:7070", "millrace.ops.example",
                                        "MILLRACE"};
    static const char *const wrong[] = {"evil.example:7070", "127.0.0.1.evil.example", "", ":7070", "a.b"};
    struct text_list hosts = {0};
    text_list_add(&hosts, "millrace.*.example");
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        assert_true(admin_guard_host(right[i], &hosts));
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(admin_guard_host(wrong[i], &hosts));
    }
    assert_true(admin_guard_host(NULL, NULL));
    assert_false(admin_guard_host("millrace.ops.example", NULL));
    text_list_clear(&hosts);
}

static void only_the_servers_own_pages_may_ask(void **state)
{
    (void)state;
    assert_true(admin_guard_origin(NULL, "localhost:7070"));
    assert_true(admin_guard_origin("http://localhost:7070", "localhost:7070"));
    assert_true(admin_guard_origin("https://LOCALHOST:7070", "localhost:7070"));
    assert_false(admin_guard_origin("http://localhost:8080", "localhost:7070"));
    assert_false(admin_guard_origin("http://evil.example", "localhost:7070"));
    assert_false(admin_guard_origin("null", "localhost:7070"));
    assert_false(admin_guard_origin("http://", NULL));
}

static void a_form_is_no_schema(void **state)
{
    (void)state;
    assert_true(admin_guard_content_type("application/json"));
    assert_true(admin_guard_content_type("application/vnd.schemaregistry.v1+json; charset=utf-8"));
    assert_false(admin_guard_content_type("application/jsonp"));
    assert_false(admin_guard_content_type("text/plain"));
    assert_false(admin_guard_content_type("application/x-www-form-urlencoded"));
    assert_false(admin_guard_content_type(""));
    assert_false(admin_guard_content_type(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_a_page_could_rebind_is_refused),
        cmocka_unit_test(only_the_servers_own_pages_may_ask),
        cmocka_unit_test(a_form_is_no_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

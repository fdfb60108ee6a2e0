// bridge/endpoints/process/runtime_route: the paths of the Runtime API's specification, and those near them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/endpoints/process/runtime_route.h"

#define RUNTIME "/2018-06-01/runtime/"

static void check(const char *method, const char *path, enum runtime_route want)
{
    struct slice id = {0};
    assert_int_equal(runtime_route_of(method, path, &id), want);
}

static void check_id(const char *path, enum runtime_route want, const char *want_id)
{
    struct slice id = {0};
    assert_int_equal(runtime_route_of("POST", path, &id), want);
    assert_true(slice_equal(id, slice_of(want_id)));
}

static void the_four_paths(void **state)
{
    (void)state;
    check("GET", RUNTIME "invocation/next", RUNTIME_NEXT);
    check("POST", RUNTIME "init/error", RUNTIME_INIT_ERROR);
    check_id(RUNTIME "invocation/8476a536-e9f4/response", RUNTIME_RESPONSE, "8476a536-e9f4");
    check_id(RUNTIME "invocation/8476a536-e9f4/error", RUNTIME_ERROR, "8476a536-e9f4");
}

static void other_methods(void **state)
{
    (void)state;
    check("POST", RUNTIME "invocation/next", RUNTIME_WRONG_METHOD);
    check("HEAD", RUNTIME "invocation/next", RUNTIME_WRONG_METHOD);
    check("GET", RUNTIME "init/error", RUNTIME_WRONG_METHOD);
    check("PUT", RUNTIME "invocation/1/response", RUNTIME_WRONG_METHOD);
    check("GET", "/", RUNTIME_UNKNOWN);
}

static void other_paths(void **state)
{
    (void)state;
    check("GET", "/2015-03-31/runtime/invocation/next", RUNTIME_UNKNOWN);
    check("GET", RUNTIME "invocation/next/", RUNTIME_UNKNOWN);
    check("POST", RUNTIME "invocation//response", RUNTIME_UNKNOWN);
    check("POST", RUNTIME "invocation/1/2/response", RUNTIME_UNKNOWN);
    check("POST", RUNTIME "invocation/1/responses", RUNTIME_UNKNOWN);
    check("POST", RUNTIME "invocation/1", RUNTIME_UNKNOWN);
    check("GET", RUNTIME "restore/next", RUNTIME_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_four_paths),
        cmocka_unit_test(other_methods),
        cmocka_unit_test(other_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

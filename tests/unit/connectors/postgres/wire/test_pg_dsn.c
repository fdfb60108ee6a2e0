// connectors/postgres/wire/pg_dsn
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "connectors/postgres/wire/pg_dsn.h"
#include "core/base/memory.h"

static bool parse(size_t size, const char *before, struct fault *f)
{
    char name[512];
    char dsn[1024];
    memset(name, 'h', size);
    name[size] = '\0';
    (void)snprintf(dsn, sizeof(dsn), "host=%s%s dbname=shop", before, name);
    struct pg_dsn d;
    if (!pg_dsn_parse(dsn, NULL, false, &d, f)) {
        return false;
    }
    pg_dsn_clear(&d);
    return true;
}

/** The look-up would refuse it, at each start. */
static void a_host_name_that_is_too_long_is_a_mistake_of_the_file(void **state)
{
    (void)state;
    struct fault f = {0};
    assert_true(parse(253, "", &f));
    assert_false(parse(254, "", &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "254 characters"));
    assert_false(parse(300, "db.example,", &f));
    assert_true(parse(300, "/", &f));  // the folder of a socket
}

// Compiling a query of the catalogue takes the server seconds, running it a millisecond.
static void the_server_does_not_compile_our_queries(void **state)
{
    (void)state;
    struct fault f = {0};
    struct pg_dsn d;
    assert_true(pg_dsn_parse("host=db dbname=shop options='-c work_mem=8MB'", NULL, false, &d, &f));
    const char *options = text_pairs_get(&d.options, "options");
    assert_non_null(options);
    assert_non_null(strstr(options, "-c jit=off"));
    pg_dsn_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_does_not_compile_our_queries),
        cmocka_unit_test(a_host_name_that_is_too_long_is_a_mistake_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

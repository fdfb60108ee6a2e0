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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_name_that_is_too_long_is_a_mistake_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// core/base/fault: one line, outermost context first, never past its end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/base/fault.h"

static void line_ends_of_a_library_become_spaces(void **state)
{
    (void)state;
    struct fault f = {0};
    assert_false(fault_from(&f, FAULT_RETRY, "libpq", 7, "FATAL: a\nDETAIL: b\n"));
    assert_string_equal(f.text, "FATAL: a DETAIL: b");
    assert_string_equal(f.origin, "libpq");
    assert_int_equal(f.origin_code, 7);
    assert_string_equal(fault_kind_name(f.kind), "retry");
}

static void context_is_put_before_and_keeps_the_kind(void **state)
{
    (void)state;
    struct fault f = {0};
    assert_false(fault_set(&f, FAULT_CONFIG, "no slot"));
    assert_false(fault_context(&f, "connector %s", "shop"));
    assert_string_equal(f.text, "connector shop: no slot");
    assert_int_equal(f.kind, FAULT_CONFIG);
}

static void long_texts_are_cut_not_overrun(void **state)
{
    (void)state;
    char longer[2000];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    struct fault f = {0};
    (void)fault_set(&f, FAULT_FATAL, "%s", longer);
    assert_int_equal(strlen(f.text), sizeof(f.text) - 1);
    (void)fault_context(&f, "%s", longer);
    assert_int_equal(strlen(f.text), sizeof(f.text) - 1);
    assert_memory_equal(f.text + sizeof(f.text) - 3, ": ", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends_of_a_library_become_spaces),
        cmocka_unit_test(context_is_put_before_and_keeps_the_kind),
        cmocka_unit_test(long_texts_are_cut_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

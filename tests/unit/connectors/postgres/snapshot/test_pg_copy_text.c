#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/postgres/snapshot/pg_copy_text.h"

static struct pgoutput_tuple tuple;
static struct fault f;
static char *line;

static bool split(const char *text, size_t count)
{
    free(line);
    size_t size = strlen(text);
    line = malloc(size == 0 ? 1 : size);
    memcpy(line, text, size);
    return pg_copy_text_split(line, size, count, &tuple, &f);
}

static void assert_value(size_t i, const char *want)
{
    assert_int_equal(tuple.values[i].kind, PGOUTPUT_VALUE_TEXT);
    assert_int_equal(tuple.values[i].size, strlen(want));
    assert_memory_equal(tuple.values[i].data, want, strlen(want));
}

static void fields_are_split_and_unescaped(void **state)
{
    (void)state;
    assert_true(split("1\t\\N\ta\\tb\\\\c\\n\t\n", 4));
    assert_value(0, "1");
    assert_int_equal(tuple.values[1].kind, PGOUTPUT_VALUE_NULL);
    assert_value(2, "a\tb\\c\n");
    assert_value(3, "");
    assert_true(split("\\\\N\n", 1));
    assert_value(0, "\\N");
    assert_true(split("\n", 1));
    assert_value(0, "");
    assert_true(split("\n", 0));
}

static void another_number_of_fields_is_refused(void **state)
{
    (void)state;
    assert_false(split("1\t2\n", 3));
    assert_false(split("1\t2\n", 1));
    assert_false(split("1\n", 0));
    assert_false(split("1\t\n", 1));
    assert_int_equal(f.kind, FAULT_FATAL);
    free(line);
    line = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_split_and_unescaped),
        cmocka_unit_test(another_number_of_fields_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// core/kafka/murmur2 against the values of Kafka's own test (UtilsTest.testMurmur2).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/kafka/murmur2.h"

static void each_value_is_that_of_kafkas_test(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int32_t hash;
    } cases[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal((int32_t)murmur2(slice_of(cases[i].text)), cases[i].hash);
    }
    assert_int_equal(murmur2_partition(0x80000005U, 4), 1);
    assert_int_equal(murmur2_partition(5, 4), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_value_is_that_of_kafkas_test)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

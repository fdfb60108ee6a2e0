// bridge/endpoints/aws/aws_trace: a W3C trace as AWS's header.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/endpoints/aws/aws_trace.h"

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"
#define WRITTEN "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled="

static void check(const char *lines, const char *expected)
{
    char text[AWS_TRACE_ID_SIZE] = "";
    assert_int_equal(aws_trace_write(lines, text), expected[0] != '\0');
    assert_string_equal(text, expected);
}

static void the_trace_is_found_and_written(void **state)
{
    (void)state;
    check("traceparent: " TRACE "01", WRITTEN "1");
    check("traceparent: " TRACE "00", WRITTEN "0");
    check("traceparent: " TRACE "0a\r\ntracestate: a=1", WRITTEN "0");
    check("ce-id: 1\r\nTraceparent: " TRACE "03\r\ntracestate: a=1", WRITTEN "1");
    check("ce-traceparent: " TRACE "01\r\ntraceparent: " TRACE "00", WRITTEN "0");
}

static void without_a_valid_one_there_is_none(void **state)
{
    (void)state;
    check(NULL, "");
    check("", "");
    check("ce-traceparent: " TRACE "01", "");
    check("traceparent: ", "");
    check("traceparent: " TRACE "0", "");
    check("traceparent: " TRACE "zz", "");
    check("traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trace_is_found_and_written),
        cmocka_unit_test(without_a_valid_one_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

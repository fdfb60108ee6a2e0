// connectors/postgres/pg_trace: a transaction's trace from its logical messages.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/pg_trace.h"

#define FIRST "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define SECOND "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-00"

static void take(struct pg_trace *t, const char *prefix, const char *content)
{
    struct pgoutput_logical message = {
        .is_transactional = true, .prefix = slice_of(prefix), .content = slice_of(content)};
    pg_trace_take(t, &message, "connector/test");
}

static void assert_trace(const struct pg_trace *t, const char *traceparent, const char *tracestate)
{
    struct trace_headers headers = pg_trace_headers(t);
    assert_true(slice_equal(headers.traceparent, slice_of(traceparent)));
    assert_true(slice_equal(headers.tracestate, slice_of(tracestate)));
}

static void the_last_message_counts(void **state)
{
    (void)state;
    struct pg_trace t = {0};
    assert_trace(&t, "", "");
    take(&t, "traceparent", FIRST);
    assert_trace(&t, FIRST, "");
    take(&t, "tracestate", "vendor=1");
    assert_trace(&t, FIRST, "vendor=1");
    take(&t, "traceparent", SECOND);  // the tracestate belonged to the first
    assert_trace(&t, SECOND, "");
    take(&t, "outbox", "{}");
    take(&t, "traceparents", FIRST);
    assert_trace(&t, SECOND, "");
    assert_int_equal(t.invalid, 0);
    pg_trace_begin(&t);
    assert_trace(&t, "", "");
}

static void invalid_content_is_counted_and_changes_nothing(void **state)
{
    (void)state;
    struct pg_trace t = {0};
    take(&t, "tracestate", "vendor=1");  // of which traceparent?
    assert_trace(&t, "", "");
    take(&t, "traceparent", FIRST);
    take(&t, "traceparent", "00-" FIRST);
    take(&t, "tracestate", "a\nb");
    assert_trace(&t, FIRST, "");
    assert_int_equal(t.invalid, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_message_counts),
        cmocka_unit_test(invalid_content_is_counted_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// connectors/change_trace and a collector on the same loop: which rows get which trace, and its spans.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "connectors/change_trace.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "tests/component/bridge/stub_function.h"

#define REQUEST "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define REQUEST_SPAN "\x00\xf0\x67\xaa\x0b\xa9\x02\xb7"

static struct {
    uv_loop_t loop;
    struct stub_function *stub;
    struct settings settings;
    struct metrics *metrics;
    struct tracer *tracer;
    struct change_trace *trace;
    struct table table;
} t;

static struct stub_answer answer(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200, .body = ""};
}

static int start(void **state)
{
    (void)state;
    struct fault f;
    memset(&t, 0, sizeof(t));
    assert_int_equal(uv_loop_init(&t.loop), 0);
    t.stub = stub_function_start(&t.loop, answer, NULL);
    t.metrics = metrics_new();
    t.settings.tracing.url = memory_string(stub_function_url(t.stub));
    const struct tracer_params params = {
        .loop = &t.loop, .settings = &t.settings, .metrics = t.metrics, .instance = "connector/shop"};
    assert_true(tracer_start(&params, &t.tracer, &f));
    t.trace = change_trace_new(t.tracer, "shop", 1);
    t.table = (struct table){.schema = "public", .name = "a", .topic = "shop.public.a"};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    change_trace_free(t.trace);
    tracer_stop(TAKE(t.tracer));
    stub_function_stop(t.stub);
    (void)uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t.loop), 0);
    metrics_free(t.metrics);
    settings_clear(&t.settings);
    return 0;
}

/** A row as the source gives it is published; the trace of its record, or "". */
static void publish(const char *traceparent, char *ret_traceparent)
{
    struct change row = {
        .kind = CHANGE_ROW,
        .op = CHANGE_CREATE,
        .table = &t.table,
        .trace = {slice_of(traceparent), {NULL, 0}},
    };
    change_trace_prepare(t.trace, &row);
    (void)memcpy(ret_traceparent, row.trace.traceparent.data, row.trace.traceparent.size);
    ret_traceparent[row.trace.traceparent.size] = '\0';
    change_trace_put(t.trace, 7);
    change_trace_published(t.trace, &row);
}

/** How often a field with this span's id is in what was exported: 2 is a span's own, 4 its parent's. */
static size_t count_of(int field, const uint8_t *span_id)
{
    uint8_t wanted[2 + TRACE_SPAN_ID_BYTES] = {(uint8_t)(field << 3 | 2), TRACE_SPAN_ID_BYTES};
    const struct stub_call *call = stub_function_call(t.stub, 0);
    CLEANUP(memory_free_pointer) char *length = stub_call_header(call, "content-length");
    size_t size = strtoul(length, NULL, 10);
    size_t count = 0;
    memcpy(wanted + 2, span_id, TRACE_SPAN_ID_BYTES);
    for (size_t i = 0; i + sizeof(wanted) <= size; i++) {
        count += memcmp(call->body + i, wanted, sizeof(wanted)) == 0 ? 1 : 0;
    }
    return count;
}

/** A row with a trace of its own, in a column, changes nothing for the others of a sampled transaction. */
static void rows_without_a_trace_have_that_of_the_transaction(void **state)
{
    (void)state;
    char own[TRACE_PARENT_CHARS + 1];
    char text[TRACE_PARENT_CHARS + 1];
    struct trace_context context;
    const struct change begin = {.kind = CHANGE_BEGIN, .commit_lsn = 9, .commit_time_us = 5};
    change_trace_begin(t.trace, &begin);
    publish(REQUEST, text);
    assert_string_equal(text, REQUEST);
    publish("", own);
    assert_int_equal(strlen(own), TRACE_PARENT_CHARS);
    publish(REQUEST, text);
    assert_string_equal(text, REQUEST);
    publish("", text);
    assert_string_equal(text, own);
    change_trace_commit(t.trace);
    change_trace_settled(t.trace, 7, 4);
    while (stub_function_count(t.stub) == 0) {
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    }
    assert_true(trace_context_read(slice_of(own), &context));
    assert_int_equal(count_of(2, context.span_id), 1);                // capture
    assert_int_equal(count_of(4, context.span_id), 2);                // publish
    assert_int_equal(count_of(4, (const uint8_t *)REQUEST_SPAN), 1);  // the other capture
    assert_int_equal(count_of(2, (const uint8_t *)REQUEST_SPAN), 0);
}

static void a_transaction_that_has_one_trace_has_one_capture(void **state)
{
    (void)state;
    char text[TRACE_PARENT_CHARS + 1];
    struct trace_context context;
    const struct change begin = {.kind = CHANGE_BEGIN, .commit_lsn = 9, .commit_time_us = 5};
    change_trace_begin(t.trace, &begin);
    publish("", text);
    assert_true(trace_context_read(slice_of(text), &context));
    change_trace_commit(t.trace);
    change_trace_settled(t.trace, 7, 1);
    change_trace_begin(t.trace, &(const struct change){.kind = CHANGE_BEGIN, .commit_lsn = 11});
    publish(REQUEST, text);
    change_trace_commit(t.trace);
    change_trace_settled(t.trace, 7, 1);
    while (stub_function_count(t.stub) == 0) {
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    }
    assert_int_equal(count_of(2, context.span_id), 1);
    assert_int_equal(count_of(4, context.span_id), 1);
    assert_int_equal(count_of(4, (const uint8_t *)REQUEST_SPAN), 1);
}

/** While a table waits, the transactions of others are never acknowledged, nor committed here. */
static void transactions_without_an_end_take_no_room(void **state)
{
    (void)state;
    enum { MORE_THAN_ARE_OPEN = 1100 };
    char text[TRACE_PARENT_CHARS + 1];
    for (uint64_t i = 1; i <= MORE_THAN_ARE_OPEN; i++) {
        change_trace_begin(t.trace, &(const struct change){.kind = CHANGE_BEGIN, .commit_lsn = i});
        publish(REQUEST, text);
    }
    change_trace_begin(t.trace, &(const struct change){.kind = CHANGE_BEGIN, .commit_lsn = 9000});
    publish(REQUEST, text);
    change_trace_commit(t.trace);
    change_trace_settled(t.trace, 7, 1);
    while (stub_function_count(t.stub) == 0) {
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    }
    assert_int_equal(count_of(4, (const uint8_t *)REQUEST_SPAN), 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rows_without_a_trace_have_that_of_the_transaction),
        CASE(transactions_without_an_end_take_no_room),
        CASE(a_transaction_that_has_one_trace_has_one_capture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

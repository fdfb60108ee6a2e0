// core/trace/tracer and a collector on the same loop: what is sent, sent again, dropped.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/trace/tracer.h"
#include "tests/component/bridge/stub_function.h"

struct tracer_case {
    uv_loop_t loop;
    struct stub_function *stub;
    struct settings settings;
    struct metrics *metrics;
    struct tracer *tracer;
    int statuses[4];  // of the first responses; 0: 200
    bool is_held;
};

static struct stub_answer answer(void *self, const struct stub_call *call, size_t number)
{
    const struct tracer_case *c = self;
    (void)call;
    int status = number < COUNT_OF(c->statuses) ? c->statuses[number] : 0;
    return (struct stub_answer){.status = status == 0 ? 200 : status, .body = "", .is_held = c->is_held};
}

static void start(struct tracer_case *c)
{
    struct fault f;
    assert_int_equal(uv_loop_init(&c->loop), 0);
    c->stub = stub_function_start(&c->loop, answer, c);
    c->metrics = metrics_new();
    c->settings.tracing.url = memory_format("%s/otlp/", stub_function_url(c->stub));
    text_pairs_set_secret(&c->settings.tracing.headers, "x-key", "secret");
    const struct tracer_params params = {
        .loop = &c->loop, .settings = &c->settings, .metrics = c->metrics, .instance = "bridge"};
    assert_true(tracer_start(&params, &c->tracer, &f));
    assert_non_null(c->tracer);
}

static void stop(struct tracer_case *c)
{
    tracer_stop(TAKE(c->tracer));
    stub_function_stop(c->stub);
    (void)uv_run(&c->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&c->loop), 0);
    metrics_free(c->metrics);
    settings_clear(&c->settings);
}

static void add_span(struct tracer_case *c, size_t text_size)
{
    struct span span = {.name = "a", .kind = SPAN_CLIENT, .start_ns = 1, .end_ns = 2};
    CLEANUP(memory_free_pointer) char *text = memory_zeroed(text_size + 1, 1);
    memset(text, 'x', text_size);
    tracer_new_context(c->tracer, NULL, &span.context);
    struct span_writer *w = tracer_begin(c->tracer, &span);
    if (w != NULL) {
        span_text(w, "k", slice_of(text));
        tracer_end(c->tracer);
    }
}

static double count_of(const struct tracer_case *c, const char *outcome)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    char name[64];
    (void)snprintf(name, sizeof(name), "millrace_spans_total{outcome=\"%s\"} ", outcome);
    metrics_write(c->metrics, &text);
    const char *at = strstr(bytes_text(&text), name);
    return at == NULL ? -1 : strtod(at + strlen(name), NULL);
}

static void run_until(struct tracer_case *c, const char *outcome, double count)
{
    int64_t deadline_us = clock_now_us() + 60 * CLOCK_US_PER_S;
    while (count_of(c, outcome) < count) {
        assert_true(clock_now_us() < deadline_us);
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
}

static void assert_header(const struct stub_call *call, const char *name, const char *wanted)
{
    CLEANUP(memory_free_pointer) char *value = stub_call_header(call, name);
    assert_non_null(value);
    assert_string_equal(value, wanted);
}

static void spans_are_sent_together_and_again_after_503(void **state)
{
    (void)state;
    struct tracer_case c = {.statuses = {503}};
    start(&c);
    add_span(&c, 10);
    add_span(&c, 10);
    run_until(&c, "exported", 2);
    assert_int_equal(stub_function_count(c.stub), 2);
    const struct stub_call *first = stub_function_call(c.stub, 0);
    const struct stub_call *second = stub_function_call(c.stub, 1);
    assert_memory_equal(first->head, "POST /fn/otlp/v1/traces HTTP/1.1\r\n", 34);
    assert_header(first, "Content-Type", "application/x-protobuf");
    assert_header(first, "x-key", "secret");
    assert_string_equal(first->body, second->body);
    assert_true(count_of(&c, "dropped") == 0);
    stop(&c);
}

static void what_the_collector_refuses_is_dropped(void **state)
{
    (void)state;
    struct tracer_case c = {.statuses = {400}};
    start(&c);
    add_span(&c, 10);
    run_until(&c, "dropped", 1);
    add_span(&c, 10);
    run_until(&c, "exported", 1);
    assert_int_equal(stub_function_count(c.stub), 2);
    stop(&c);
}

static void what_does_not_fit_is_dropped_and_counted(void **state)
{
    (void)state;
    struct tracer_case c = {.is_held = true};
    start(&c);
    for (int i = 0; i < 30; i++) {
        add_span(&c, 100 << 10);
    }
    assert_true(count_of(&c, "dropped") == 19);  // 11 of 100 KiB exceed 1 MiB
    c.is_held = false;
    run_until(&c, "exported", 11);
    stop(&c);
}

static void a_stop_sends_what_is_left(void **state)
{
    (void)state;
    struct tracer_case c = {0};
    start(&c);
    add_span(&c, 10);
    tracer_stop(TAKE(c.tracer));
    run_until(&c, "exported", 1);
    stop(&c);
}

static void a_stop_does_not_wait_for_a_collector_that_is_silent(void **state)
{
    (void)state;
    struct tracer_case c = {.is_held = true};
    start(&c);
    add_span(&c, 10);
    tracer_stop(TAKE(c.tracer));
    run_until(&c, "dropped", 1);
    stop(&c);
}

static void without_a_collector_there_is_no_tracer(void **state)
{
    (void)state;
    struct fault f;
    struct settings settings = {0};
    struct tracer *tracer;
    const struct tracer_params params = {.settings = &settings};
    assert_true(tracer_start(&params, &tracer, &f));
    assert_null(tracer);
    tracer_stop(tracer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_sent_together_and_again_after_503),
        cmocka_unit_test(what_the_collector_refuses_is_dropped),
        cmocka_unit_test(what_does_not_fit_is_dropped_and_counted),
        cmocka_unit_test(a_stop_sends_what_is_left),
        cmocka_unit_test(a_stop_does_not_wait_for_a_collector_that_is_silent),
        cmocka_unit_test(without_a_collector_there_is_no_tracer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

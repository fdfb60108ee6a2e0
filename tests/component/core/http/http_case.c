#include "tests/component/core/http/http_case.h"

#include <stdio.h>

static void on_time(uv_timer_t *timer)
{
    (void)timer;
}

void http_case_start(struct http_case *c, stub_script script)
{
    *c = (struct http_case){0};
    assert_int_equal(uv_loop_init(&c->loop), 0);
    (void)uv_timer_init(&c->loop, &c->timer);
    (void)uv_timer_start(&c->timer, on_time, 10, 10);
    c->stub = stub_function_start(&c->loop, script, c);
    c->params = (struct http_client_params){.connections_max = 4};
    c->client = http_client_new(&c->loop, &c->params);
}

void http_case_stop(struct http_case *c)
{
    http_client_free(c->client);
    for (size_t i = 0; i < c->head_count; i++) {
        http_head_free(c->heads[i]);
    }
    stub_function_stop(c->stub);
    uv_close((uv_handle_t *)&c->timer, NULL);
    (void)uv_run(&c->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&c->loop), 0);
}

static void on_done(void *self, const struct http_response *r)
{
    struct http_case *c = self;
    c->done++;
    c->last = *r;
    size_t size = r->body.size < sizeof(c->text) - 1 ? r->body.size : sizeof(c->text) - 1;
    memcpy(c->text, size == 0 ? "" : (const char *)r->body.data, size);
    c->text[size] = '\0';
    (void)snprintf(c->location, sizeof(c->location), "%s", r->location == NULL ? "" : r->location);
    c->fields[0] = '\0';
    for (size_t i = 0; i < r->field_count; i++) {
        size_t at = strlen(c->fields);
        (void)snprintf(c->fields + at, sizeof(c->fields) - at, "%.*s: %.*s\n", (int)r->fields[i].name.size,
                       (const char *)r->fields[i].name.data, (int)r->fields[i].value.size,
                       (const char *)r->fields[i].value.data);
    }
}

static const struct http_head *head_of(struct http_case *c, const char *url)
{
    for (size_t i = 0; i < c->head_count; i++) {
        if (strcmp(c->heads[i]->url, url) == 0) {
            return c->heads[i];
        }
    }
    assert_true(c->head_count < COUNT_OF(c->heads));
    struct fault f;
    const struct http_head_params params = {.method = c->method == NULL ? "POST" : c->method, .url = url};
    assert_true(http_head_new(&params, &c->heads[c->head_count], &f));
    return c->heads[c->head_count++];
}

struct http_call *http_case_post(struct http_case *c, const char *url, int64_t timeout_ms)
{
    struct http_request request = {
        .head = head_of(c, url),
        .target = c->target,
        .header_lines = "X-One: 1\r\nX-Two: 2",
        .body = slice_of("hello"),
        .timeout_us = timeout_ms * CLOCK_US_PER_MS,
        .response_max_bytes = 16,
        .wants_fields = true,
    };
    return http_client_send(c->client, &request, on_done, c);
}

void http_case_run_until_done(struct http_case *c, int count)
{
    int64_t deadline_us = clock_now_us() + 60 * CLOCK_US_PER_S;
    while (c->done < count) {
        assert_true(clock_now_us() < deadline_us);
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
}

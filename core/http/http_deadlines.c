#include "core/http/http_deadlines.h"

#include "core/base/clock.h"
#include "core/base/memory.h"

static void on_timer(uv_timer_t *timer)
{
    struct http_deadlines *d = timer->data;
    d->timer_due_us = INT64_MAX;
    d->on_time(d);
}

void http_deadlines_init(struct http_deadlines *d, uv_loop_t *loop, void (*on_time)(struct http_deadlines *d))
{
    *d = (struct http_deadlines){.timer_due_us = INT64_MAX, .on_time = on_time};
    (void)uv_timer_init(loop, &d->timer);
    d->timer.data = d;
}

void http_deadlines_arm(struct http_deadlines *d)
{
    const struct due_entry *first = due_heap_first(&d->heap);
    if (first == NULL || first->due_us >= d->timer_due_us) {
        return;  // an idle expiry costs less than stopping the timer each time
    }
    int64_t wait_us = first->due_us - clock_now_us();
    d->timer_due_us = first->due_us;
    uint64_t wait_ms = wait_us <= 0 ? 0 : (uint64_t)((wait_us + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS);
    (void)uv_timer_start(&d->timer, on_timer, wait_ms, 0);
}

void http_deadlines_set(struct http_deadlines *d, struct due_entry *entry, int64_t due_us)
{
    due_heap_remove(&d->heap, entry);
    due_heap_add(&d->heap, entry, due_us);
    uv_ref((uv_handle_t *)&d->timer);
    http_deadlines_arm(d);
}

void http_deadlines_remove(struct http_deadlines *d, struct due_entry *entry)
{
    due_heap_remove(&d->heap, entry);
    if (due_heap_first(&d->heap) == NULL) {
        uv_unref((uv_handle_t *)&d->timer);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct http_deadlines *d = CONTAINER_OF(handle, struct http_deadlines, timer);
    d->on_time(d);
}

void http_deadlines_close(struct http_deadlines *d, void (*on_over)(struct http_deadlines *d))
{
    due_heap_clear(&d->heap);
    d->on_time = on_over;
    uv_close((uv_handle_t *)&d->timer, on_closed);
}

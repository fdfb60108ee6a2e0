#include "bridge/endpoints/auth/auth_waits.h"

#include <utlist.h>

void auth_waits_init(struct auth_waits *w, uv_loop_t *loop, void (*on_soon)(struct auth_waits *w))
{
    *w = (struct auth_waits){.on_soon = on_soon};
    (void)uv_timer_init(loop, &w->soon);
}

static void on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

void auth_waits_close(struct auth_waits *w, void *source)
{
    w->soon.data = source;
    uv_close((uv_handle_t *)&w->soon, on_closed);
}

void auth_waits_add(struct auth_waits *w, struct auth_wait *wait)
{
    DL_APPEND(w->waiting, wait);
}

void auth_waits_remove(struct auth_waits *w, struct auth_wait *wait)
{
    const struct auth_wait *ending;
    DL_FOREACH (w->ending, ending) {
        if (ending == wait) {
            DL_DELETE(w->ending, wait);
            return;
        }
    }
    DL_DELETE(w->waiting, wait);
}

void auth_waits_end(struct auth_waits *w, const struct fault *f)
{
    const struct fault copy = f == NULL ? (struct fault){0} : *f;
    DL_CONCAT(w->ending, w->waiting);
    w->waiting = NULL;
    while (w->ending != NULL) {
        struct auth_wait *wait = w->ending;
        DL_DELETE(w->ending, wait);
        wait->on_ready(wait, f == NULL ? NULL : &copy);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct auth_waits *w = CONTAINER_OF(timer, struct auth_waits, soon);
    w->on_soon(w);
}

void auth_waits_end_soon(struct auth_waits *w)
{
    (void)uv_timer_start(&w->soon, on_timer, 0, 0);
}

// When the calls of a client are late: one timer for all of them.
#ifndef CORE_HTTP_HTTP_DEADLINES_H
#define CORE_HTTP_HTTP_DEADLINES_H

#include <uv.h>

#include "core/base/due_heap.h"

/** Embedded in its owner. */
struct http_deadlines {
    uv_timer_t timer;
    int64_t timer_due_us;  // INT64_MAX: it does not run
    struct due_heap heap;
    void (*on_time)(struct http_deadlines *d);
};

/** @param on_time  something may be due; it calls http_deadlines_arm at its end */
void http_deadlines_init(struct http_deadlines *d, uv_loop_t *loop,
                         void (*on_time)(struct http_deadlines *d));

/** Sets or changes when the entry is due; 0: at the loop's next turn. Keeps the loop running. */
void http_deadlines_set(struct http_deadlines *d, struct due_entry *entry, int64_t due_us);

/** The entry is no longer waited for; without any the client keeps no loop running. */
void http_deadlines_remove(struct http_deadlines *d, struct due_entry *entry);

/** Sets the timer to the first entry. */
void http_deadlines_arm(struct http_deadlines *d);

/** Drops what is waited for. on_over is called later on the loop: the struct may be freed. */
void http_deadlines_close(struct http_deadlines *d, void (*on_over)(struct http_deadlines *d));

#endif

#include "bridge/delivery/writer_pause.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#define LOG_AGAIN_US (30 * CLOCK_US_PER_S)

struct writer_pause writer_pause_initial(void)
{
    return (struct writer_pause){.backoff = backoff_make(500 * CLOCK_US_PER_MS, 30 * CLOCK_US_PER_S)};
}

void writer_pause_begin(struct writer_pause *pause, const struct topic_record_type *type, const char *what,
                        const char *why)
{
    int64_t now_us = clock_now_us();
    if (pause->due_us > now_us) {
        return;
    }
    free(pause->why);
    pause->why = memory_format("%s wait: %s: %s", type->what, what, why);
    if (pause->logged_us == 0 || now_us - pause->logged_us >= LOG_AGAIN_US) {
        pause->logged_us = now_us;
        log_error("bridge", type->failed, NULL, "%s: %s; the events wait and are retried", what, why);
    }
    pause->due_us = now_us + backoff_next_us(&pause->backoff);
}

void writer_pause_end(struct writer_pause *pause)
{
    backoff_reset(&pause->backoff);
    free(TAKE(pause->why));
}

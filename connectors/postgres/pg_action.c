#include "connectors/postgres/pg_action.h"

#include "core/base/clock.h"
#include "core/base/log.h"

static void on_done(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_action *a = self;
    int64_t lasted_us;
    (void)results;
    (void)count;
    a->is_running = false;
    if (f != NULL) {
        if (outage_failed(&a->outage, f->text)) {
            log_warn(a->deps->component, "action_failed", NULL, "heartbeat.action_query: %s", f->text);
        }
    } else if (outage_ended(&a->outage, &lasted_us)) {
        log_info(a->deps->component, "action_works", NULL, "heartbeat.action_query works again, after %ld s",
                 lasted_us / CLOCK_US_PER_S);
    }
}

void pg_action_start(struct pg_action *a)
{
    a->is_running = false;
}

// The catalogue is read on the same connection: the query must not wait long for a lock.
void pg_action_tick(struct pg_action *a)
{
    const char *query = a->deps->config->heartbeat.action_query;
    int64_t interval_us = a->deps->config->heartbeat.interval_us;
    int64_t now_us = clock_now_us();
    if (query == NULL || interval_us == 0 || a->is_running || now_us - a->started_us < interval_us) {
        return;
    }
    CLEANUP(bytes_clear) struct bytes sql = {0};
    bytes_append_string(&sql, "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '5s'; ");
    bytes_append_string(&sql, query);
    a->is_running = true;
    a->started_us = now_us;
    pg_conn_query(a->session->sql, bytes_text(&sql), on_done, a);
}

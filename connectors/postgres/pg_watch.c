#include "connectors/postgres/pg_watch.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#define SCAN_US                                                                                              \
    (30 * CLOCK_US_PER_S)  // the longest time between scans: the probe does not see grants of roles

static void on_slot(void *self, PGresult *const *results, size_t count, const struct fault *f)
{
    struct pg_watch *w = self;
    w->is_busy = false;
    if (f == NULL && count >= 2) {
        pg_slot_read(results, pg_conn_server_version(w->session->sql), &w->session->slot);
    }
}

static void query_slot(struct pg_watch *w)
{
    CLEANUP(bytes_clear) struct bytes sql = {0};
    pg_slot_query(&sql, w->deps->config->slot.name);
    pg_conn_query(w->session->sql, bytes_text(&sql), on_slot, w);
}

static void log_not_checked(const struct pg_watch *w, const struct fault *f)
{
    log_warn(w->deps->component, "tables_not_checked", NULL, "%s", f->text);
}

static void on_scanned(void *self, const struct fault *f)
{
    struct pg_watch *w = self;
    query_slot(w);
    if (f != NULL) {
        log_not_checked(w, f);
    } else {
        w->on_scanned(w->self);
    }
}

static void scan(struct pg_watch *w)
{
    w->is_busy = true;
    w->scanned_us = clock_now_us();
    pg_publication_scan(w->deps->publication, w->session->sql, on_scanned, w);
}

static void on_probed(void *self, bool has_changed, const struct fault *f)
{
    struct pg_watch *w = self;
    w->is_busy = false;
    if (f != NULL) {
        log_not_checked(w, f);
    } else if ((has_changed || clock_now_us() - w->scanned_us >= SCAN_US) && w->may_scan(w->self)) {
        scan(w);
    }
}

void pg_watch_start(struct pg_watch *w)
{
    w->is_busy = false;
    w->scanned_us = clock_now_us();
}

void pg_watch_probe(struct pg_watch *w)
{
    w->is_busy = true;
    pg_publication_probe(w->deps->publication, w->session->sql, on_probed, w);
}

// Makes versions of tables before their first rows.
#include <stdlib.h>

#include "connectors/postgres/pg_frames.h"

enum { PREPARE_MAX = 100 };  // versions made in one loop iteration

// Makes the versions of the tables whose definition is known for all that the stream will send, so that their
// topics and schemas are there before their first rows. Of a table that was altered lately each version waits
// for its Relation message: the registry must get them in their order. Some in each turn of the loop: other
// work goes on, and the query's result is freed before.
static void on_prepare(uv_timer_t *timer)
{
    struct pg_frames *fr = timer->data;
    const struct source_listener *l = fr->deps->listener;
    int version = pg_conn_server_version(fr->session->sql);
    struct pgoutput_relation *message = memory_new(sizeof(*message));
    for (int left = PREPARE_MAX; left > 0 && fr->prepared < fr->catalogue.count; left--) {
        const struct pg_catalogue *c = &fr->catalogue.tables[fr->prepared++];
        if (c->is_settled) {
            pg_catalogue_describe(c, version, message);
            struct table *t = pg_relations_prepare(fr->deps->relations, message, c);
            if (t != NULL) {
                l->on_version(l->self, t);
            }
        }
    }
    free(message);
    if (fr->prepared < fr->catalogue.count) {
        (void)uv_timer_start(timer, on_prepare, 0, 0);
    }
}

void pg_frames_prepare(struct pg_frames *fr)
{
    fr->prepared = 0;
    fr->prepare->data = fr;
    (void)uv_timer_start(fr->prepare, on_prepare, 0, 0);
}

#include "connectors/stopped_tables.h"

#include <stdio.h>

#include "core/base/log.h"

bool stopped_tables_has(const struct stopped_tables *s, const char *topic)
{
    return s->topics.count > 0 && text_list_has(&s->topics, topic);
}

void stopped_tables_add(struct stopped_tables *s, const char *topic, const struct fault *why)
{
    text_list_add(&s->topics, topic);
    (void)snprintf(s->text, sizeof(s->text), "%s", why->text);
    log_error(s->component, "table_waiting", LOG_WITH(LOG_TEXT("table", topic)),
              "%s. Until then this table is not published; the others are, but no position after this row is "
              "confirmed: the server keeps its WAL, and a restart publishes the others' changes again, "
              "and reads a first snapshot that has not ended again",
              why->text);
    metric_set(s->metrics->stopped_tables, (double)s->topics.count);
}

void stopped_tables_reset(struct stopped_tables *s)
{
    text_list_clear(&s->topics);
    metric_set(s->metrics->stopped_tables, 0);
}

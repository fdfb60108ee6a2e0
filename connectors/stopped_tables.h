// Tables that are not published any more in this session: at a row that can't be published, or a topic or
// schema that is refused. The others go on, but no position at or after their changes is confirmed: the next
// start of the connector reads all of the table's changes again.
#ifndef CONNECTORS_STOPPED_TABLES_H
#define CONNECTORS_STOPPED_TABLES_H

#include "connectors/pipeline_metrics.h"
#include "core/base/fault.h"
#include "core/base/text.h"

/** Embedded; the owner fills in the first two members, which are lent. */
struct stopped_tables {
    const char *component;  // for the log
    struct pipeline_metrics *metrics;
    struct text_list topics;
    char text[480];  // why the newest one is
};

bool stopped_tables_has(const struct stopped_tables *s, const char *topic);

/** Adds the table that has this topic; logs why. */
void stopped_tables_add(struct stopped_tables *s, const char *topic, const struct fault *why);

/** None is any more. */
void stopped_tables_reset(struct stopped_tables *s);

#endif

// Records that show that a connector streams: they belong to no transaction, wait for nothing and confirm
// nothing.
#ifndef CONNECTORS_HEARTBEAT_H
#define CONNECTORS_HEARTBEAT_H

#include "connectors/change_delivery.h"
#include "connectors/config/connector_config.h"
#include "connectors/pipeline_metrics.h"
#include "connectors/record_plan.h"

/** Embedded; the owner fills in the first five members, which are lent. */
struct heartbeat {
    const struct connector_config *config;
    const char *component;  // for the log
    struct topic_routes *routes;
    struct change_delivery *delivery;
    struct pipeline_metrics *metrics;
    struct table *table;  // the topic; NULL: none are wanted
    struct record_plan plan;
    char refused[480];  // why its topic is refused, as it was logged
};

/** Sets `table` if the configuration wants heartbeats. */
void heartbeat_init(struct heartbeat *h);

/** Publishes one, or leaves it out while its topic is not ready or there is no room. False: FAULT of the
 * sink. */
bool heartbeat_send(struct heartbeat *h, struct fault *f) MUST_USE;

void heartbeat_clear(struct heartbeat *h);

#endif

// What it means that a topic can't be made, or that a schema gets no id.
#ifndef CONNECTORS_KAFKA_ROUTE_REFUSAL_H
#define CONNECTORS_KAFKA_ROUTE_REFUSAL_H

#include "core/base/fault.h"

enum route_refusal {
    ROUTE_REFUSAL_PASSING,       // asked again: nobody answers, or rights or a schema may be given meanwhile
    ROUTE_REFUSAL_INCOMPATIBLE,  // with the subject's earlier schemas: another subject may take it
    ROUTE_REFUSAL_OWN,           // of this topic or schema alone, until the connector is restarted
    ROUTE_REFUSAL_ALL,           // no topic or schema would be taken: the connector can't work
};

/** @param f  of kafka_admin_ensure_topic or registry_register */
enum route_refusal route_refusal_of(const struct fault *f);

/** Fills `ret` with what to tell about a topic that is refused for this reason, and what to do about it. */
void route_refusal_explain(const char *topic, const struct fault *why, struct fault *ret);

#endif

// What must be there before a table's first record: its topic and the ids of its schemas.
#ifndef CONNECTORS_KAFKA_TOPIC_ROUTE_H
#define CONNECTORS_KAFKA_TOPIC_ROUTE_H

#include "connectors/kafka/kafka_sink.h"
#include "schemas/avro/table.h"
#include "schemas/registry/registry.h"

enum topic_route_status { TOPIC_ROUTE_WAITING, TOPIC_ROUTE_READY, TOPIC_ROUTE_FAILED };

/** Plain data for its reader. One per topic and pair of schemas; lives as long as the routes. */
struct topic_route {
    enum topic_route_status status;
    int32_t key_id;  // 0: the table has no key
    int32_t value_id;
    struct kafka_sink_topic *topic;  // READY only
    struct fault fault;              // FAILED: why
};

struct topic_routes;

struct topic_routes_params {
    uv_loop_t *loop;
    struct registry *registry;  // lent
    int partitions;             // for topics that are made; 0: the broker's default
    int replication;
    const struct text_pairs *config;  // lent
    const char *component;            // lent: "connector/shop", for the log
    void (*on_change)(void *self);    // a route left WAITING
    void *self;
};

struct topic_routes *topic_routes_new(const struct topic_routes_params *params);

/** The sink to make topics with; a new one makes every route prove its topic again. Needed before the first
 * find. NULL: before it is closed. */
void topic_routes_attach(struct topic_routes *r, struct kafka_sink *sink);

/** The route of this version of the table; a new one starts WAITING, and on_change follows. Borrowed. */
struct topic_route *topic_routes_find(struct topic_routes *r, struct table *table);

/** A route to a topic without schemas: of the dead letters, or of a table before its first row. */
struct topic_route *topic_routes_find_bare(struct topic_routes *r, const char *topic,
                                           const struct text_pairs *config);

/** Accepts NULL. */
void topic_routes_free(struct topic_routes *r);

#endif

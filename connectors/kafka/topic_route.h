// What a table needs before its first record: its topic and the ids of its schemas.
#ifndef CONNECTORS_KAFKA_TOPIC_ROUTE_H
#define CONNECTORS_KAFKA_TOPIC_ROUTE_H

#include "connectors/kafka/kafka_sink.h"
#include "core/base/outage.h"
#include "schemas/avro/table.h"
#include "schemas/registry/registry.h"

enum topic_route_status { TOPIC_ROUTE_WAITING, TOPIC_ROUTE_READY, TOPIC_ROUTE_FAILED };

struct route_topic;

/** Plain data. One for each topic and pair of schemas; lives as long as a table version has it. */
struct topic_route {
    enum topic_route_status status;
    const char *name;  // the topic's
    int32_t key_id;    // 0: the table has no key
    int32_t value_id;
    struct kafka_sink_topic *topic;  // READY only
    struct route_topic *of;
    const struct outage *outage;  // of the topic: why it waits; NULL: no attempt has failed
    const struct fault *fault;    // FAILED: why
    bool is_refused;              // FAILED: for reasons of this table alone; others can go on
};

struct topic_routes;

struct topic_routes_params {
    uv_loop_t *loop;
    struct registry *registry;  // lent
    /** Fills in the settings with which a topic is created, which are lent; its name is filled in. */
    void (*on_settings)(void *settings, struct kafka_topic_spec *io);
    void *settings;
    /** The topic exists. */
    void (*on_made)(void *made, const char *topic);
    void *made;
    bool forks;             // a table whose schema is incompatible gets another topic, and so other subjects
    const char *component;  // lent: "connector/shop", for the log
    void (*on_change)(void *self);  // a route is not WAITING any more, or its topic could not be made yet
    void *self;
};

struct topic_routes *topic_routes_new(const struct topic_routes_params *params);

/** Sets the sink that creates topics, before the first find. With a new sink all routes check their topics
 * again. Set it to NULL before the sink is closed. */
void topic_routes_attach(struct topic_routes *r, struct kafka_sink *sink);

/** The route of this version of the table, for a record that waits for it: it is requested before those of
 * other tables. A new route is WAITING; on_change follows. Borrowed as long as the version is used. */
struct topic_route *topic_routes_find(struct topic_routes *r, struct table *table);

/** How many partitions the topic of a READY route has; 0: Kafka has not told yet, on_room of the sink
 * follows. While it does not, that is the topic's outage. */
int32_t topic_route_partitions(const struct topic_route *route);

/** Requests what the version will need, after what records wait for. */
void topic_routes_prepare(struct topic_routes *r, struct table *table);

/** Makes a topic, after those that records wait for. */
void topic_routes_prepare_topic(struct topic_routes *r, const char *topic);

/** Whether records with schemas go to this topic, or will. */
bool topic_routes_has_rows(const struct topic_routes *r, const char *topic);

/** A route without schemas, for events of the outbox and dead letters. Records with schemas don't go to its
 * topic: their routes fail. Borrowed until the routes are freed. */
struct topic_route *topic_routes_find_schemaless(struct topic_routes *r, const char *topic,
                                                 const struct text_pairs *config);

/** The tables that have routes must be freed before, or released by all but the routes. Accepts NULL. */
void topic_routes_free(struct topic_routes *r);

#endif

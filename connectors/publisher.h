// One row change into records: the value, the tombstone after a delete, or what can be kept of a row that
// Kafka or Avro can't take.
#ifndef CONNECTORS_PUBLISHER_H
#define CONNECTORS_PUBLISHER_H

#include "connectors/change.h"
#include "connectors/change_delivery.h"
#include "connectors/connector_config.h"
#include "connectors/pipeline_metrics.h"
#include "schemas/registry/registry.h"

struct publisher;

enum publisher_step {
    PUBLISHER_TAKEN,
    PUBLISHER_LATER,  // a topic, a schema id or room is missing: on_ready or the delivery's on_room follows
    PUBLISHER_FAULT,
};

struct publisher_params {
    uv_loop_t *loop;
    const struct connector_config *config;  // lent
    struct registry *registry;              // lent
    const char *component;                  // lent: "connector/shop", for the log
    const char *kind;                       // lent: of the source, for the envelope
    struct pipeline_metrics *metrics;       // lent
    struct change_delivery *delivery;       // lent
    void (*on_ready)(void *self);           // a topic or schema id that was missing is there
    void *self;
};

struct publisher *publisher_new(const struct publisher_params *params);

/** Before change_delivery_renew, and after it: topics are made with the delivery's sink. */
void publisher_detach(struct publisher *p);
void publisher_attach(struct publisher *p);

/** A session begins: nothing of the one before is half published or waits. */
void publisher_begin_session(struct publisher *p);

/** Publishes a ROW; after LATER the same one again. */
enum publisher_step publisher_publish(struct publisher *p, const struct change *change,
                                      struct fault *f) MUST_USE;

/** Makes the topic of a table before its first row. */
void publisher_prepare(struct publisher *p, const char *topic);

/** What is to be done about the tables that wait at a bad row; NULL: none waits. */
const char *publisher_waiting(const struct publisher *p);

/** Accepts NULL. */
void publisher_free(struct publisher *p);

#endif

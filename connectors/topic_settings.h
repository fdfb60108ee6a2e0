// The settings with which a connector's topics are created.
#ifndef CONNECTORS_TOPIC_SETTINGS_H
#define CONNECTORS_TOPIC_SETTINGS_H

#include "connectors/config/connector_config.h"
#include "core/kafka/kafka_client.h"

struct topic_settings;

struct topic_settings *topic_settings_new(const struct connector_config *config);

/** Fills in partitions, replication and properties of the topic with this name; the properties are lent. A
 * struct topic_settings is `self`. */
void topic_settings_apply(void *self, struct kafka_topic_spec *io);

/** Accepts NULL. */
void topic_settings_free(struct topic_settings *s);

#endif

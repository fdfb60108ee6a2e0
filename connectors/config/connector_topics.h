// Every topic that a connector writes, and what its records are: a topic has records of one kind, and none of
// them is one of millrace's or Kafka's own topics.
#ifndef CONNECTORS_CONFIG_CONNECTOR_TOPICS_H
#define CONNECTORS_CONFIG_CONNECTOR_TOPICS_H

#include "connectors/config/connector_config.h"

enum connector_records {
    CONNECTOR_TRANSACTIONS,
    CONNECTOR_MESSAGES,
    CONNECTOR_SCHEMA_CHANGES,
    CONNECTOR_HEARTBEATS,
    CONNECTOR_DEAD_LETTERS,
    CONNECTOR_EVENTS,  // of the outbox
    CONNECTOR_ROWS,    // of tables
};

/** The name of the topic, wanted or not; the caller frees it. NULL: rows or events choose theirs. */
char *connector_topics_name(const struct connector_config *c, enum connector_records kind);

/** Whether the configuration asks for records of this kind. */
bool connector_topics_has(const struct connector_config *c, enum connector_records kind);

/**
 * Whether records of this kind may go to the topic: it has a topic's name, which is not reserved, and no
 * records of another kind.
 *
 * @param f  FAULT_CONFIG: why not
 */
bool connector_topics_permits(const struct connector_config *c, enum connector_records kind,
                              const char *topic, struct fault *f) MUST_USE;

/** Appends globs that match every topic that the connector may write. */
void connector_topics_globs(const struct connector_config *c, struct text_list *out);

/** Complains about topics that are reserved or have two kinds of records, as far as the file shows it. */
void connector_topics_check(const struct config_file *file, const struct connector_config *c);

#endif

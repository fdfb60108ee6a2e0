// Topics that were there already: what their settings are, and whether they are those of the connector's
// file. A difference is logged once and counted; the topic stays as it is.
#ifndef CONNECTORS_TOPIC_CHECK_H
#define CONNECTORS_TOPIC_CHECK_H

#include "connectors/kafka/kafka_sink.h"
#include "connectors/topic_settings.h"
#include "core/metrics.h"

struct topic_check;

struct topic_check_params {
    uv_loop_t *loop;
    struct topic_settings *settings;  // lent
    const char *component;            // lent; for the log
    struct metric *differing;         // lent: how many topics differ
    void (*on_change)(void *self);    // what topic_check_limits was asked for is known
    void *self;
};

/** How far a record's timestamp may be from now, in ms; INT64_MAX: as far as it likes. */
struct topic_limits {
    int64_t before_ms;
    int64_t after_ms;
};

struct topic_check *topic_check_new(const struct topic_check_params *params);

/** The sink whose client reads the settings; NULL before it is closed. */
void topic_check_attach(struct topic_check *c, struct kafka_sink *sink);

/** The topic exists: its settings are read, unless they are known. `self` is a struct topic_check. */
void topic_check_see(void *self, const char *topic);

/** Of an existing topic; NULL: not known yet, on_change follows. Without limits if we may not read them. */
const struct topic_limits *topic_check_limits(struct topic_check *c, const char *topic);

/** How many topics differ from the file. */
size_t topic_check_differing(const struct topic_check *c);

/** Accepts NULL. */
void topic_check_free(struct topic_check *c);

#endif

// What `millrace try` makes on a real Kafka and takes away again. Waits for the brokers: never on the loop.
#ifndef CLI_TRY_TRY_TOPICS_H
#define CLI_TRY_TRY_TOPICS_H

#include "core/base/fault.h"
#include "core/config/settings.h"

struct try_topics;

/**
 * Makes the topics, each with that many partitions and the broker's default replication.
 *
 * @param settings  lent
 * @param topics    NULL-ended, lent
 * @param f         FAULT_RETRY: the brokers do not answer; FAULT_CONFIG: they refuse
 */
bool try_topics_make(const struct settings *settings, const char *const *topics, int partitions,
                     struct try_topics **ret, struct fault *f) MUST_USE;

struct try_topics_leftovers {
    const char *const *topics;   // NULL-ended; those that are not there are no error
    const char *group;           // consumer group
    const char *state_keys;      // how our keys in millrace.state end: "/try-4711"
    const char *subject_prefix;  // of the subjects in millrace.schemas
};

/**
 * Takes away what the run left. Our keys in millrace.state and millrace.schemas get tombstones; the two
 * topics themselves go only when this run made them and nobody else has written to them since. Frees `t`.
 */
bool try_topics_remove(struct try_topics *t, const struct try_topics_leftovers *left,
                       struct fault *f) MUST_USE;

/** Frees without touching the brokers. Accepts NULL. */
void try_topics_free(struct try_topics *t);

#endif

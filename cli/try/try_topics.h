// Creates and removes the topics of `millrace try` on a real Kafka. Blocks: not for use on the loop.
#ifndef CLI_TRY_TRY_TOPICS_H
#define CLI_TRY_TRY_TOPICS_H

#include "core/base/fault.h"
#include "core/config/settings.h"

struct try_topics;

/**
 * Creates the topics, each with `partitions` partitions and the broker's default replication.
 *
 * @param settings  lent
 * @param topics    NULL-ended, lent
 * @param f         FAULT_RETRY: the brokers do not respond; FAULT_CONFIG: they refuse
 */
bool try_topics_make(const struct settings *settings, const char *const *topics, int partitions,
                     struct try_topics **ret, struct fault *f) MUST_USE;

struct try_topics_leftovers {
    const char *const *topics;   // NULL-ended; missing ones are no error
    const char *group;           // consumer group
    const char *state_keys;      // end of the run's keys in millrace.state: "/try-4711"
    const char *subject_prefix;  // of the subjects in millrace.schemas
};

/**
 * Removes everything that the run has created. Writes tombstones for its keys in millrace.state and
 * millrace.schemas; deletes these two topics only if the run created them and they have no other keys. Frees
 * `t`.
 */
bool try_topics_remove(struct try_topics *t, const struct try_topics_leftovers *left,
                       struct fault *f) MUST_USE;

/** Frees `t` without removing anything. Accepts NULL. */
void try_topics_free(struct try_topics *t);

#endif

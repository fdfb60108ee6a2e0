// Which dead letters are settled: redriven or dropped by `millrace dlq`, whose group commits that as a
// function's own group does (progress_record.h).
#ifndef BRIDGE_INTAKE_LETTER_WATCH_H
#define BRIDGE_INTAKE_LETTER_WATCH_H

#include <uv.h>

#include "bridge/intake/progress_record.h"
#include "core/config/settings.h"
#include "core/kafka/state_topic.h"

struct letter_watch;

/** What is known of one partition of a dead-letter topic. */
struct letter_state {
    uint32_t topic;  // progress_letter_topic
    int32_t partition;
    bool exists;                           // false: the brokers do not know the topic or the partition
    int64_t low;                           // its first record
    int64_t high;                          // its end
    int64_t settled;                       // letters before this offset are
    const struct progress_record *beyond;  // and these ranges
};

/** Borrowed for the call, which does not free the watch. */
typedef void (*letter_on_state)(void *self, const struct letter_state *s);

/**
 * @param settings  lent
 * @param state     lent; NULL: what `millrace dlq` spilled (partition_spill.h) is not read
 */
struct letter_watch *letter_watch_new(uv_loop_t *loop, const struct settings *settings,
                                      struct state_topic *state, const char *function,
                                      letter_on_state on_state, void *self);

/** Looks at these partitions on a worker thread, and calls on_state for each, unless Kafka does not answer.
 * Does nothing while it looks, and for 2 s after that (longer after errors). */
void letter_watch_look(struct letter_watch *w, const char *topic, const int32_t *partitions, size_t count);

/** Whether letter_watch_look would look now. */
bool letter_watch_is_due(const struct letter_watch *w);

/** on_state is not called any more. Accepts NULL. */
void letter_watch_free(struct letter_watch *w);

#endif

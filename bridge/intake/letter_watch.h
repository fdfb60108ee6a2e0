// Which dead letters are settled: redriven or dropped by `millrace dlq`, whose group commits that as a
// function's own group does (progress_record.h).
#ifndef BRIDGE_INTAKE_LETTER_WATCH_H
#define BRIDGE_INTAKE_LETTER_WATCH_H

#include <uv.h>

#include "bridge/intake/progress_record.h"
#include "core/config/settings.h"

struct letter_watch;

/** What is known of one partition of a dead-letter topic. */
struct letter_state {
    int32_t partition;
    bool exists;                           // false: the topic or the partition does not
    int64_t low;                           // its first record
    int64_t high;                          // its end
    int64_t settled;                       // letters before this offset are
    const struct progress_record *beyond;  // and these ranges
};

/** Borrowed for the call. `count` 0: Kafka did not answer. */
typedef void (*letter_on_states)(void *self, const struct letter_state *states, size_t count);

/** @param settings  lent */
struct letter_watch *letter_watch_new(uv_loop_t *loop, const struct settings *settings, const char *function,
                                      letter_on_states on_states, void *self);

/** Looks at these partitions on a worker thread, unless it looks already or looked less than 2 s ago (longer
 * after errors). */
void letter_watch_look(struct letter_watch *w, const char *topic, const int32_t *partitions, size_t count);

/** Whether letter_watch_look would look now. */
bool letter_watch_is_due(const struct letter_watch *w);

/** on_states is not called any more. Accepts NULL. */
void letter_watch_free(struct letter_watch *w);

#endif

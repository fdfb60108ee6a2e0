// The pause of a topic writer after a failure of one topic or of the producer.
#ifndef BRIDGE_DELIVERY_WRITER_PAUSE_H
#define BRIDGE_DELIVERY_WRITER_PAUSE_H

#include "bridge/delivery/topic_record.h"
#include "core/base/backoff.h"

/** Plain data, embedded. */
struct writer_pause {
    struct backoff backoff;
    int64_t due_us;     // nothing is sent before this time
    int64_t logged_us;  // when the failure was logged last; 0: not yet
    char *why;          // NULL: none since the last success
};

struct writer_pause writer_pause_initial(void);

/**
 * Starts a pause, and logs why at most every 30 s. Failures during a pause count as one.
 *
 * @param type  of a record that waits
 * @param what  that failed: a topic, or the producer
 */
void writer_pause_begin(struct writer_pause *pause, const struct topic_record_type *type, const char *what,
                        const char *why);

/** A record was stored. */
void writer_pause_end(struct writer_pause *pause);

#endif

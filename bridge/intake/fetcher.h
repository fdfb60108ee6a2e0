// Reads topic partitions for all functions of a process. Functions whose positions in a partition are near
// each other share one feed: its records are fetched and parsed once. A function that falls behind gets a
// feed of its own, and joins another one when it has reached the end of the log. Membership of groups and
// commits are the consumer's (consumer.h): the fetcher's clients are in no group.
#ifndef BRIDGE_INTAKE_FETCHER_H
#define BRIDGE_INTAKE_FETCHER_H

#include <uv.h>

#include "bridge/intake/feed.h"
#include "core/config/settings.h"

struct fetcher;

/** @param settings  lent */
struct fetcher *fetcher_new(uv_loop_t *loop, const struct settings *settings);

/** All readers are detached. Its clients are closed on worker threads. Accepts NULL. */
void fetcher_free(struct fetcher *f);

/**
 * Begins to read at the offset, which may be RD_KAFKA_OFFSET_BEGINNING. False: no client can be opened now;
 * try again.
 *
 * @param on_ready  items may be waiting; called from the loop, or while another reader takes an item
 */
bool fetcher_attach(struct fetcher *f, struct feed_reader *r, const char *topic, int32_t number,
                    int64_t offset, void (*on_ready)(void *self), void *self) MUST_USE;

/** The partition may be of a topic that was deleted and made again: who begins there now gets no record of
 * the log before, which an older feed may still have. */
void fetcher_distrust(struct fetcher *f, const char *topic, int32_t number);

/** No reader that comes later gets a record that a feed of the partition has read. */
void fetcher_close_windows(struct fetcher *f, const char *topic, int32_t number);

/** How many fetches of the partition brokers refused (leader_watch.h). It may decrease when a client is
 * closed. */
uint64_t fetcher_refused(const struct fetcher *f, uint64_t key);

/** Does nothing if it is detached. */
void fetcher_detach(struct feed_reader *r);

/** The next item of an attached reader, lent until fetcher_pop; NULL: there is none now. */
const struct feed_item *fetcher_peek(struct feed_reader *r);
void fetcher_pop(struct feed_reader *r);

/** Whether fetcher_peek may return an item. */
bool fetcher_has_more(const struct feed_reader *r);

/** The first offset of the log and its end, as the broker said last; -1: not known. */
void fetcher_log_ends(const struct feed_reader *r, int64_t *ret_first, int64_t *ret_end);

/** How much is read ahead for an attached reader at most, in bytes; shared by all readers of its feed.
 * Exported for tests. */
size_t fetcher_read_ahead(const struct feed_reader *r);

/** How many feeds there are. Exported for tests. */
size_t fetcher_feed_count(const struct fetcher *f);

#endif

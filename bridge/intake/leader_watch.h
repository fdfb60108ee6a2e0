// Counts the fetches of a partition that a broker refused, read from the log of a client that reads
// partitions. No function or event gives them: librdkafka looks for the partition's leader and fetches on.
// But it logs each refusal before it handles later responses (facility BROKERUA of debug=topic, with the same
// text from 2.0.2 to 2.15). A partition is refused when its leader has moved, and when its topic was deleted.
#ifndef BRIDGE_INTAKE_LEADER_WATCH_H
#define BRIDGE_INTAKE_LEADER_WATCH_H

#include "core/base/bytes.h"
#include "core/kafka/kafka_client.h"

struct leader_watch;

struct leader_watch *leader_watch_new(void);

/** The client is destroyed. Accepts NULL. */
void leader_watch_free(struct leader_watch *w);

/** To be given to kafka_client_read_log with LEADER_WATCH_DEBUG; lives as long as the watch. */
struct kafka_log_reader *leader_watch_reader(struct leader_watch *w);
#define LEADER_WATCH_DEBUG "topic"

/** A partition's key. Two partitions may have the same one. */
uint64_t leader_watch_key(struct slice topic, int32_t number);

/** How many fetches of the partition were refused. */
uint64_t leader_watch_count(struct leader_watch *w, uint64_t key);

#endif

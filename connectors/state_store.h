// The connector's state record on Kafka: read when a session begins, written through the sink together with
// the definitions of tables that are known, and what is remembered of columns.
//
// It goes through the sink, not through the state topic's own producer: a copy that has lost its session
// drops it together with its records. What librdkafka was sending when the copy froze may still arrive after
// the record of its successor: it has a lower generation, so readers ignore it.
#ifndef CONNECTORS_STATE_STORE_H
#define CONNECTORS_STATE_STORE_H

#include "connectors/column_memory.h"
#include "connectors/kafka/kafka_sink.h"
#include "connectors/known_tables.h"
#include "connectors/state_record.h"
#include "core/kafka/state_topic.h"

#define STATE_STORE_RECORD UINT64_MAX      // the ticket of state records
#define STATE_STORE_NONE (UINT64_MAX - 1)  // the ticket of records for which no position waits

/** Embedded. The owner fills in the members up to `self` before state_store_open. */
struct state_store {
    const char *connector;         // lent: its name
    struct known_tables *known;    // lent; NULL: none
    struct column_memory *memory;  // lent
    void (*on_loaded)(void *self, const struct source_state *state, const struct fault *f);
    void *self;
    struct state_topic *topic;
    struct state_record record;
    size_t loads;  // in flight; only the answer to the newest counts
};

bool state_store_open(struct state_store *s, uv_loop_t *loop, const struct settings *settings,
                      struct fault *f) MUST_USE;

/** No callback follows. Accepts one that could not be opened. */
void state_store_close(struct state_store *s);

/** Reads the record; on_loaded follows. */
void state_store_load(struct state_store *s);

/** The stream begins after `position`. */
void state_store_begin_session(struct state_store *s, uint64_t position);

/** Whether there is something to write, also while a record is in flight. */
bool state_store_is_due(const struct state_store *s, const struct state_record_progress *progress);

/** Puts what the record is to say into the sink. TAKEN: its acknowledgement has the ticket
 * STATE_STORE_RECORD. */
enum sink_step state_store_send(struct state_store *s, struct kafka_sink *sink,
                                const struct state_record_progress *progress, struct fault *f) MUST_USE;

/** The session is over: what was sent may be lost, and what is known is read again. */
void state_store_drop(struct state_store *s);

#endif

// The book of `millrace try`: which changes were made, which were seen on Kafka, which reached the function.
#ifndef CLI_TRY_TRY_LEDGER_H
#define CLI_TRY_TRY_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

/** A change's way, as far as it came. Strings are the ledger's own. */
struct try_ledger_event {
    char *id;     // the event's id, the same on Kafka and in the call
    char *topic;  // NULL: not seen on Kafka yet
    int32_t partition;
    int64_t offset;
    char *type;  // of the first call; NULL: not called yet
    char *subject;
    char op;
    const char *table;  // of the change that it is; NULL: of none that was made
    int64_t row_id;
    int status;          // what the function answered
    int64_t latency_us;  // commit to answer
    bool is_before;      // a row that was there before: read by the snapshot, in no count of changes
};

struct try_ledger_counts {
    int64_t changes;    // made in the database
    int64_t published;  // of them, on Kafka
    int64_t invoked;    // of them, answered 2xx by the function
    int64_t failed;     // of them, not (yet)
    int64_t before;     // rows that were there before
    int64_t before_invoked;
    int64_t repeated;  // calls with an id that had been answered already
    int64_t strange;   // calls for what nobody changed
    int64_t p50_us;    // commit to answer of the changes; 0 before any
    int64_t p99_us;
};

struct try_ledger;

/** @param on_whole  gets each event once it was both seen on Kafka and answered; may be NULL */
struct try_ledger *try_ledger_new(void (*on_whole)(void *self, const struct try_ledger_event *event),
                                  void *self);
void try_ledger_free(struct try_ledger *l);

/** A change is about to be committed. `table` is static. */
void try_ledger_expect(struct try_ledger *l, char op, const char *table, int64_t row_id);

/** A record with this event id (header millrace.position) lies on Kafka. */
void try_ledger_published(struct try_ledger *l, const char *id, const char *topic, int32_t partition,
                          int64_t offset);

struct try_ledger_call {
    const char *id;
    const char *type;
    const char *subject;
    char op;
    const char *table;
    int64_t row_id;
    int status;
    int64_t latency_us;
};

/** The function was called and answered. */
void try_ledger_called(struct try_ledger *l, const struct try_ledger_call *call);

/** Whether all that was made was seen on Kafka and answered. */
bool try_ledger_is_complete(const struct try_ledger *l);

void try_ledger_count(const struct try_ledger *l, struct try_ledger_counts *ret);

/** Gives each change that did not reach the function, in the order they were made. */
void try_ledger_missing(const struct try_ledger *l, void *self,
                        void (*on_missing)(void *self, char op, const char *table, int64_t row_id));

#endif

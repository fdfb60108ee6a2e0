// Records which changes `millrace try` made, which it saw on Kafka, and which reached the function.
#ifndef CLI_TRY_TRY_LEDGER_H
#define CLI_TRY_TRY_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

/** How far a change has come. The ledger owns the strings. */
struct try_ledger_event {
    char *id;     // the event's id, the same on Kafka and in the call
    char *topic;  // NULL: not seen on Kafka yet
    int32_t partition;
    int64_t offset;
    bool is_called;
    char op;
    const char *table;  // of the matching change; NULL: no such change was made
    int64_t row_id;
    int status;          // of the function's response
    int64_t latency_us;  // from commit to response
    bool is_failed;      // the function failed for it, and it is not sent again
    bool is_retried;     // it failed, and is sent again; not of an event of the ledger
    char *details;       // what a handler answered or why it failed, and what it wrote; lines; NULL: none
    bool is_before;      // an initial row, read by the snapshot; not counted as a change
};

struct try_ledger_counts {
    int64_t changes;    // made in the database
    int64_t published;  // of these, seen on Kafka
    int64_t invoked;    // of these, the function responded 2xx
    int64_t failed;     // of these, the function has not responded 2xx (yet)
    int64_t refused;    // changes and initial rows that the function failed for, for good
    int64_t missing;    // changes and initial rows that did not reach the function (yet)
    int64_t before;     // initial rows
    int64_t before_invoked;
    int64_t repeated;  // calls with the id of an earlier call
    int64_t strange;   // calls that match no change
    int64_t p50_us;    // from commit to response; 0 before the first one
    int64_t p99_us;
};

struct try_ledger;

/** @param on_whole  called with each event once it was seen on Kafka and the function has responded; may be
 * NULL */
struct try_ledger *try_ledger_new(void (*on_whole)(void *self, const struct try_ledger_event *event),
                                  void *self);
void try_ledger_free(struct try_ledger *l);

/** To be called before a change is committed. `table` is static. */
void try_ledger_expect(struct try_ledger *l, char op, const char *table, int64_t row_id);

/** A record with this event id (header millrace.position) was seen on Kafka. */
void try_ledger_published(struct try_ledger *l, const char *id, const char *topic, int32_t partition,
                          int64_t offset);

struct try_ledger_call {
    const char *id;
    char op;
    const char *table;
    int64_t row_id;
    int status;
    int64_t latency_us;
    bool is_failed;       // for good; else the status says whether it is done
    const char *details;  // NULL: none
};

/** The function was called and has responded. */
void try_ledger_called(struct try_ledger *l, const struct try_ledger_call *call);

/** Whether every change was seen on Kafka and has got a response. */
bool try_ledger_is_complete(const struct try_ledger *l);

void try_ledger_count(const struct try_ledger *l, struct try_ledger_counts *ret);

/** Calls on_missing for each change that did not reach the function, in order. */
void try_ledger_missing(const struct try_ledger *l, void *self,
                        void (*on_missing)(void *self, char op, const char *table, int64_t row_id));

#endif

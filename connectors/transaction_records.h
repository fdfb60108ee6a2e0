// The records of the transaction topic: the BEGIN and the END of each transaction.
#ifndef CONNECTORS_TRANSACTION_RECORDS_H
#define CONNECTORS_TRANSACTION_RECORDS_H

#include "connectors/change_planner.h"
#include "connectors/plan_sender.h"

/** Embedded. The owner fills in all members, which are lent except `topic`; without it nothing is called. */
struct transaction_records {
    struct table *topic;  // owned; NULL: no records are wanted
    struct topic_routes *routes;
    struct change_planner *planner;
    const struct transaction_counts *counts;
    struct plan_sender *sender;
};

/** Without the topic or its schemas neither is sent for good, and no position after it is confirmed; rows go
 * on. After LATER call it again. */
enum publisher_step transaction_records_begin(struct transaction_records *t, const struct change *first,
                                              struct fault *f) MUST_USE;
enum publisher_step transaction_records_end(struct transaction_records *t, const struct change *commit,
                                            struct fault *f) MUST_USE;

void transaction_records_clear(struct transaction_records *t);

#endif

// Numbers the events of each transaction, for the `transaction` block and the records BEGIN and END of the
// transaction topic. It keeps a number for each table, whatever the size of the transaction.
//
// All captured changes count, also those that are put aside as bad rows and those of a table that waits, so
// that the numbers are the same whenever the transaction is published again. Rows of a snapshot and messages
// outside of transactions belong to none.
#ifndef CONNECTORS_TRANSACTION_COUNTS_H
#define CONNECTORS_TRANSACTION_COUNTS_H

#include "connectors/change.h"
#include "schemas/avro/event_encode.h"

/** NULL stands for no numbers: then these functions do nothing. */
struct transaction_counts;

struct transaction_counts *transaction_counts_new(void);

/** Once for each change, in order: gives a row its place in its transaction. The id is lent until the next
 * BEGIN. */
void transaction_counts_see(struct transaction_counts *t, struct change *io);

/** The current transaction's events. 0: it has none, or there are no numbers. */
uint64_t transaction_counts_total(const struct transaction_counts *t);
struct slice transaction_counts_id(const struct transaction_counts *t);

/** Its tables, in the order of their first event. Borrowed until the next change. */
const struct event_count *transaction_counts_tables(const struct transaction_counts *t, size_t *ret_count);

void transaction_counts_free(struct transaction_counts *t);

#endif

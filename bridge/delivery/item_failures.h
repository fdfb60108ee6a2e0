// Partial failures: a response that names the events of its call that failed.
//
//   {"batchItemFailures": [{"itemIdentifier": "0000000001a2b3c4-00000000"}, …]}
//
// An identifier is the event's id as the payload carries it, its SequenceNumber (payload dynamodb-stream), or
// Kafka's form, {"partition": "<topic>-<partition>", "offset": n}, which also names an event whose id is not
// UTF-8. A forwarded CloudEvent has two ids: its own, and that of its record. The rules are AWS Lambda's
// (ReportBatchItemFailures):
//
//   no body, null, [], an object without batchItemFailures, null or [] in it     all events are done
//   known identifiers                                                            these failed
//   a SequenceNumber among them                                  the events behind it are sent again, too
//   an identifier that is "", null, of another form or not of this call, an      the whole call failed
//   item without itemIdentifier, a body that is no JSON or too long
//
// A handler of DynamoDB Streams may stop at the first event that fails, and name that one alone.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/with-kafka-retry.html (and services-sqs-errorhandling,
// services-ddb-batchfailurereporting)
#ifndef BRIDGE_DELIVERY_ITEM_FAILURES_H
#define BRIDGE_DELIVERY_ITEM_FAILURES_H

#include "bridge/delivery/work_item.h"
#include "core/base/fault.h"

enum item_failures {
    ITEM_FAILURES_NONE,
    ITEM_FAILURES_SOME,     // retry.is_reported says which
    ITEM_FAILURES_INVALID,  // the whole call failed
};

/** The longest body that names failures of a call of so many events; a longer one is INVALID. */
size_t item_failures_body_max(size_t event_count);

/**
 * Reads a response's body, and sets retry.is_reported and retry.is_behind of each event.
 *
 * @param items  the events of the call, with their records, in the order of the body
 * @param f      INVALID: what is wrong with the body, with its LINE:COLUMN
 */
enum item_failures item_failures_read(struct slice body, struct work_item *items, size_t count,
                                      struct fault *f);

#endif

// What the statuses of responses mean: `delivery.retry.statuses` of a function's file, and the table of a
// kind of endpoint.
//
//   statuses: {404: dead, 5xx: retry, 500-503: throttle, 409: done}
//
// A key is a status, a class or a range, of 200 to 599. The key that covers the fewest statuses decides.
#ifndef BRIDGE_CONFIG_STATUS_TABLE_H
#define BRIDGE_CONFIG_STATUS_TABLE_H

#include <stdint.h>

#include "core/base/fault.h"

enum { STATUS_FIRST = 200, STATUS_LAST = 599 };

enum status_verdict {
    STATUS_DEFAULT,  // nothing is said: the table of outcome.h decides
    STATUS_DONE,
    STATUS_RETRY,
    STATUS_THROTTLE,
    STATUS_DEAD,
    STATUS_PAUSE,
    STATUS_SPLIT,  // of kinds only: too large; a batch is halved, an event alone is dead
};

/** Zero-initialised: all are STATUS_DEFAULT. */
struct status_table {
    uint8_t verdicts[STATUS_LAST - STATUS_FIRST + 1];
};

struct status_range {
    int first;
    int last;
};

static inline enum status_verdict status_table_get(const struct status_table *t, int status)
{
    return status < STATUS_FIRST || status > STATUS_LAST
               ? STATUS_DEFAULT
               : (enum status_verdict)t->verdicts[status - STATUS_FIRST];
}

/** Gives all statuses of the range this verdict; narrower ranges are set after wider ones. */
void status_table_set(struct status_table *t, struct status_range range, enum status_verdict verdict);

/** `404`, `4xx` or `400-409`. FAULT_CONFIG: it is none of them, or not within 200 to 599. */
bool status_range_parse(const char *text, struct status_range *ret, struct fault *f) MUST_USE;

/** `done`, `retry`, `throttle`, `dead` or `pause`. FAULT_CONFIG: it is none of them. */
bool status_verdict_parse(const char *text, enum status_verdict *ret, struct fault *f) MUST_USE;

/** Whether some statuses are in both, and neither covers more than the other: then no key decides. */
bool status_range_conflicts(struct status_range a, struct status_range b);

#endif

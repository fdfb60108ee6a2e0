// Decides what a response means: done, retry, or dead letter. Endpoints only translate responses.
//
//   2xx                                              done
//   429, and 503 with Retry-After                    retry, no attempt consumed, the endpoint is throttled
//   refused, unresolved, TLS: before a byte was sent retry, no attempt consumed, the endpoint is unreachable
//   401 403 404 408 409 425, other 5xx, lost calls   retry, one attempt consumed
//   3xx                                              dead: redirect
//   other 4xx, 1xx                                   dead: rejected; of a batch: bisected
#ifndef BRIDGE_DELIVERY_OUTCOME_H
#define BRIDGE_DELIVERY_OUTCOME_H

#include "bridge/delivery/work_item.h"
#include "bridge/endpoints/endpoint.h"

#define OUTCOME_RETRY_AFTER_MAX_US (INT64_C(300) * 1000000)

enum outcome_kind {
    OUTCOME_DONE,
    OUTCOME_RETRY,        // after a backoff
    OUTCOME_THROTTLE,     // consumes no attempt; the limiter may close
    OUTCOME_UNREACHABLE,  // consumes no attempt; the limiter closes
    OUTCOME_BISECT,       // an event of the batch is rejected: its halves are sent apart, to find it
    OUTCOME_DEAD,
};

struct outcome_policy {
    int64_t attempts_max;  // the first included
    int64_t max_age_us;    // from the first attempt
};

struct outcome {
    enum outcome_kind kind;
    bool is_attempt;     // this response consumes an attempt
    int64_t wait_us;     // what the endpoint asked for; 0: the caller's backoff
    const char *reason;  // RETRY, THROTTLE: metric label; DEAD: dead-letter reason; static
};

/** What a response means for a call of `event_count` events. */
struct outcome outcome_judge(const struct response *r, size_t event_count);

/** What it means for one of these events: a retry becomes DEAD when its attempts or its age are used up. */
struct outcome outcome_of_event(struct outcome o, const struct retry_state *retry, int64_t now_us,
                                const struct outcome_policy *policy);

#endif

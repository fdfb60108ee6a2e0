// Decides what a response means: done, retry, or dead letter. Endpoints only translate responses.
//
//   2xx                                     done; a body may name events that failed (item_failures.h)
//   429, and 503 with Retry-After           retry, no attempt consumed: the endpoint is throttled
//   no byte sent (refused, unresolved, TLS) retry, no attempt consumed: the endpoint is unreachable, or there
//                                           are no credentials for it
//   401 403 404 408 409 425, other 5xx      retry, one attempt consumed; also what is above 599
//   a call that timed out or was lost       the same: its outcome is unknown
//   a failure that the endpoint names       the same, whatever the status
//   3xx                                     dead: redirect
//   other 4xx, 1xx                          dead: rejected
//
// A retry becomes dead: rejected when the response has the header `webhook-delivery: abort-message`, with
// which receivers of webhooks stop retries; a response that names events that failed is no such retry.
// The kind of endpoint may say otherwise for statuses of 200 to 599, and the function's file for both
// (status_table.h): also that a status makes all calls pause, as if the endpoint were unreachable. A batch
// that is rejected is bisected, and one whose call failed may be (bisect.h).
#ifndef BRIDGE_DELIVERY_OUTCOME_H
#define BRIDGE_DELIVERY_OUTCOME_H

#include "bridge/config/status_table.h"
#include "bridge/delivery/work_item.h"
#include "bridge/endpoints/endpoint.h"

#define OUTCOME_RETRY_AFTER_MAX_US (INT64_C(300) * 1000000)

enum outcome_kind {
    OUTCOME_DONE,
    OUTCOME_PARTIAL,      // of a call: some of its events failed, the others are done
    OUTCOME_RETRY,        // after a backoff
    OUTCOME_THROTTLE,     // consumes no attempt; the limiter may close
    OUTCOME_UNREACHABLE,  // consumes no attempt; the limiter closes
    OUTCOME_BISECT,       // of a batch: its halves are sent apart; consumes no attempt
    OUTCOME_DEAD,
};

struct outcome_policy {
    int64_t attempts_max;                      // the first included
    int64_t max_age_us;                        // from the first attempt
    const struct status_table *statuses;       // of the function's file; lent; NULL: it says nothing
    const struct status_table *kind_statuses;  // of the kind of endpoint; lent; NULL: it says nothing
    bool has_partial_failures;                 // the body of a 2xx is read
    bool can_bisect;
};

struct outcome {
    enum outcome_kind kind;
    bool is_attempt;     // this response consumes an attempt
    bool is_aborted;     // it would be retried, and the endpoint said that it must not
    bool is_invalid;     // a 2xx with a body that breaks the rules of item_failures.h
    int64_t wait_us;     // what the endpoint asked for; 0: the caller's backoff
    const char *reason;  // PARTIAL, RETRY, THROTTLE: metric label; DEAD: dead-letter reason; static
};

/**
 * What a response means for a call.
 *
 * @param items  its events, with their records; a PARTIAL outcome sets retry.is_reported of each
 * @param f      is_invalid: what is wrong with the body
 */
struct outcome outcome_judge(const struct outcome_policy *policy, const struct response *r,
                             struct work_item *items, size_t event_count, struct fault *f);

/** Whether a failed call of several events may be bisected, if bisect_blames_event says so: all that consumes
 * attempts. */
bool outcome_may_bisect(const struct outcome_policy *policy, const struct outcome *o, size_t event_count);

/** What it means for one of these events, never PARTIAL: a retry becomes DEAD when its attempts or its age
 * are used up. */
struct outcome outcome_of_event(struct outcome o, const struct retry_state *retry, int64_t now_us,
                                const struct outcome_policy *policy);

#endif

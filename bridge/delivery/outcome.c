#include "bridge/delivery/outcome.h"

#include "bridge/delivery/item_failures.h"

static struct outcome retry(const char *reason)
{
    return (struct outcome){.kind = OUTCOME_RETRY, .is_attempt = true, .reason = reason};
}

static struct outcome throttled(const char *reason, int64_t retry_after_us)
{
    int64_t wait_us = retry_after_us <= 0                           ? 0
                      : retry_after_us > OUTCOME_RETRY_AFTER_MAX_US ? OUTCOME_RETRY_AFTER_MAX_US
                                                                    : retry_after_us;
    return (struct outcome){.kind = OUTCOME_THROTTLE, .wait_us = wait_us, .reason = reason};
}

static struct outcome dead(const char *reason)
{
    return (struct outcome){.kind = OUTCOME_DEAD, .is_attempt = true, .reason = reason};
}

static struct outcome judge_transport(const struct response *r)
{
    if (!r->is_sent) {
        return (struct outcome){.kind = OUTCOME_UNREACHABLE,
                                .reason = r->failure != NULL ? r->failure : "unreachable"};
    }
    return retry(r->is_timeout ? "timeout" : "transport");
}

/** The metric label of a status: few, whatever endpoints respond. */
static const char *label_of(int status)
{
    static const struct {
        int status;
        const char *label;
    } KNOWN[] = {{401, "401"}, {403, "403"}, {404, "404"}, {408, "408"},
                 {409, "409"}, {425, "425"}, {429, "429"}};
    static const char *const CLASSES[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
    for (size_t i = 0; i < COUNT_OF(KNOWN); i++) {
        if (KNOWN[i].status == status) {
            return KNOWN[i].label;
        }
    }
    return status < 100 || status > 599 ? "other" : CLASSES[status / 100 - 1];
}

static bool is_retried(int status)
{
    switch (status) {
    case 401:
    case 403:
    case 404:
    case 408:
    case 409:
    case 425:
        return true;
    default:
        return status >= 500;  // RFC 9110, 15: one above 599 is treated as a 5xx
    }
}

static struct outcome judge_by_default(const struct response *r)
{
    int status = r->status;
    if (status >= 200 && status <= 299) {
        return (struct outcome){.kind = OUTCOME_DONE, .is_attempt = true};
    }
    if (status == 429 || (status == 503 && r->retry_after_us > 0)) {
        return throttled(status == 429 ? "429" : "503", r->retry_after_us);
    }
    if (is_retried(status)) {
        return retry(label_of(status));
    }
    return dead(status >= 300 && status <= 399 ? "redirect" : "rejected");
}

static enum status_verdict verdict_of(const struct outcome_policy *policy, int status)
{
    const struct status_table *const tables[] = {policy->statuses, policy->kind_statuses};
    enum status_verdict ret = STATUS_DEFAULT;
    for (size_t i = 0; i < COUNT_OF(tables) && ret == STATUS_DEFAULT; i++) {
        ret = tables[i] == NULL ? STATUS_DEFAULT : status_table_get(tables[i], status);
    }
    return ret;
}

static struct outcome judge_status(const struct outcome_policy *policy, const struct response *r)
{
    int status = r->status;
    switch (verdict_of(policy, status)) {
    case STATUS_DONE:
        return (struct outcome){.kind = OUTCOME_DONE, .is_attempt = true};
    case STATUS_RETRY:
        return retry(label_of(status));
    case STATUS_THROTTLE:
        return throttled(status == 503 ? "503" : label_of(status), r->retry_after_us);
    case STATUS_DEAD:
        return dead(status >= 300 && status <= 399 ? "redirect" : "rejected");
    case STATUS_SPLIT:
        return dead("oversize");
    case STATUS_PAUSE:
        return (struct outcome){.kind = OUTCOME_UNREACHABLE, .reason = label_of(status)};
    case STATUS_DEFAULT:
        break;
    }
    return judge_by_default(r);
}

/** Of a call that the endpoint accepted. */
static struct outcome judge_items(struct outcome done, const struct response *r, struct work_item *items,
                                  size_t event_count, struct fault *f)
{
    switch (item_failures_read(r->body, items, event_count, f)) {
    case ITEM_FAILURES_NONE:
        break;
    case ITEM_FAILURES_SOME:
        return (struct outcome){.kind = OUTCOME_PARTIAL, .is_attempt = true, .reason = "item_failure"};
    case ITEM_FAILURES_INVALID:
        done = retry("invalid_response");
        done.is_invalid = true;
        break;
    }
    return done;
}

struct outcome outcome_judge(const struct outcome_policy *policy, const struct response *r,
                             struct work_item *items, size_t event_count, struct fault *f)
{
    if (r->transport.kind != FAULT_NONE) {
        return judge_transport(r);
    }
    struct outcome o = r->failure != NULL ? retry(r->failure) : judge_status(policy, r);
    if (r->is_abort && (o.kind == OUTCOME_RETRY || o.kind == OUTCOME_THROTTLE)) {
        o = dead("rejected");
        o.is_aborted = true;
    }
    bool is_2xx = r->status >= 200 && r->status <= 299;
    if (o.kind == OUTCOME_DONE && is_2xx && policy->has_partial_failures) {
        return judge_items(o, r, items, event_count, f);
    }
    bool is_rejected = o.kind == OUTCOME_DEAD && strcmp(o.reason, "rejected") == 0;
    if (is_rejected && event_count > 1 && policy->can_bisect) {
        return (struct outcome){.kind = OUTCOME_BISECT, .reason = "rejected"};
    }
    if (o.kind == OUTCOME_DEAD && strcmp(o.reason, "oversize") == 0 && event_count > 1) {
        return (struct outcome){.kind = OUTCOME_BISECT, .reason = "oversize"};
    }
    return o;
}

bool outcome_may_bisect(const struct outcome_policy *policy, const struct outcome *o, size_t event_count)
{
    return policy->can_bisect && event_count > 1 && o->kind == OUTCOME_RETRY && o->is_attempt;
}

struct outcome outcome_of_event(struct outcome o, const struct retry_state *retry, int64_t now_us,
                                const struct outcome_policy *policy)
{
    if (o.kind == OUTCOME_PARTIAL) {
        o.kind = retry->is_reported ? OUTCOME_RETRY : OUTCOME_DONE;
    }
    if (o.kind == OUTCOME_DONE || o.kind == OUTCOME_DEAD || o.kind == OUTCOME_BISECT) {
        return o;
    }
    if (o.is_attempt && (int64_t)retry->attempts + 1 >= policy->attempts_max) {
        return dead("attempts_exhausted");
    }
    if (now_us - retry->first_attempt_us >= policy->max_age_us) {
        struct outcome expired = dead("expired");
        expired.is_attempt = o.is_attempt;
        return expired;
    }
    return o;
}

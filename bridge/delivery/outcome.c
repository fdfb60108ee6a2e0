#include "bridge/delivery/outcome.h"

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
        return (struct outcome){.kind = OUTCOME_UNREACHABLE, .reason = "unreachable"};
    }
    return retry(r->is_timeout ? "timeout" : "transport");
}

static struct outcome judge_status(const struct response *r, size_t event_count)
{
    int status = r->status;
    if (status >= 200 && status <= 299) {
        return (struct outcome){.kind = OUTCOME_DONE, .is_attempt = true};
    }
    if (status == 429) {
        return throttled("429", r->retry_after_us);
    }
    if (status == 503 && r->retry_after_us > 0) {
        return throttled("503", r->retry_after_us);
    }
    if (status >= 500 && status <= 599) {
        return retry("5xx");
    }
    switch (status) {
    case 401:
        return retry("401");
    case 403:
        return retry("403");
    case 404:
        return retry("404");
    case 408:
        return retry("408");
    case 409:
        return retry("409");
    case 425:
        return retry("425");
    default:
        break;
    }
    if (status >= 300 && status <= 399) {
        return dead("redirect");
    }
    return event_count > 1 ? (struct outcome){.kind = OUTCOME_BISECT, .reason = "rejected"}
                           : dead("rejected");
}

struct outcome outcome_judge(const struct response *r, size_t event_count)
{
    return r->transport.kind != FAULT_NONE ? judge_transport(r) : judge_status(r, event_count);
}

struct outcome outcome_of_event(struct outcome o, const struct retry_state *retry, int64_t now_us,
                                const struct outcome_policy *policy)
{
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

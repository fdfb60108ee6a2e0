#include "bridge/config/function_change.h"

#include "bridge/config/endpoint_options.h"
#include "bridge/config/reply_options.h"
#include "bridge/config/template_options.h"
#include "core/config/config_same.h"

bool function_change_is_same_endpoint(const struct function_config *a, const struct function_config *b)
{
    return a->endpoint == b->endpoint && config_same(endpoint_options, a, b);
}

static bool are_same_limits(const struct function_config *a, const struct function_config *b)
{
    return a->delivery.target_latency_us == b->delivery.target_latency_us &&
           a->delivery.rate.count == b->delivery.rate.count &&
           a->delivery.rate.period_us == b->delivery.rate.period_us &&
           a->delivery.burst == b->delivery.burst && text_is_same(a->delivery.limit, b->delivery.limit) &&
           a->delivery.coalesce_us == b->delivery.coalesce_us &&
           a->delivery.breaker.failures == b->delivery.breaker.failures;
}

static bool is_same_delivery(const struct function_config *a, const struct function_config *b)
{
    return a->delivery.concurrency == b->delivery.concurrency && are_same_limits(a, b) &&
           a->delivery.batch.events == b->delivery.batch.events &&
           a->delivery.batch.bytes == b->delivery.batch.bytes &&
           a->delivery.batch.window_us == b->delivery.batch.window_us &&
           a->delivery.batch.by_key == b->delivery.batch.by_key &&
           a->delivery.batch.partial_failures == b->delivery.batch.partial_failures &&
           a->delivery.timeout_us == b->delivery.timeout_us &&
           a->delivery.retry.attempts == b->delivery.retry.attempts &&
           a->delivery.retry.max_age_us == b->delivery.retry.max_age_us &&
           text_pairs_is_same(&a->delivery.retry.status_texts, &b->delivery.retry.status_texts) &&
           a->delivery.retry.backoff.initial_us == b->delivery.retry.backoff.initial_us &&
           a->delivery.retry.backoff.max_us == b->delivery.retry.backoff.max_us &&
           a->delivery.on_failure.bisect == b->delivery.on_failure.bisect &&
           a->delivery.on_failure.hold_key == b->delivery.on_failure.hold_key &&
           text_is_same(a->delivery.on_failure.dead_letter, b->delivery.on_failure.dead_letter);
}

static bool is_same_payload(const struct function_config *a, const struct function_config *b)
{
    return a->payload == b->payload && a->int64_as_string == b->int64_as_string &&
           a->lambda_kafka.encoding == b->lambda_kafka.encoding &&
           a->lambda_kafka.format == b->lambda_kafka.format &&
           a->dynamodb_stream.view == b->dynamodb_stream.view &&
           a->debezium.decimals == b->debezium.decimals &&
           a->debezium.has_schemas == b->debezium.has_schemas &&
           text_is_same(a->dynamodb_stream.region, b->dynamodb_stream.region) &&
           config_same(template_options, a, b) && config_same(columns_options, a, b);
}

enum function_change function_change_between(const struct function_config *old,
                                             const struct function_config *new)
{
    if (!text_list_is_same(&old->source.topics, &new->source.topics) ||
        old->delivery.order != new->delivery.order) {
        return FUNCTION_CHANGE_RESTART;
    }
    // `start` matters at the registration only: a change of it needs no restart.
    bool is_same =
        function_change_is_same_endpoint(old, new) && is_same_delivery(old, new) &&
        config_same(reply_options, old, new) && text_is_same(old->filter.tree.json, new->filter.tree.json) &&
        old->source.operations == new->source.operations && old->source.start == new->source.start &&
        old->source.start_value == new->source.start_value &&is_same_payload(old, new) &&
        old->paused == new->paused;
    return is_same ? FUNCTION_CHANGE_NONE : FUNCTION_CHANGE_IN_PLACE;
}

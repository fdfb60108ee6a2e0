#include "bridge/config/delivery_options.h"

#include "core/config/config_value.h"

static const struct config_rules topic_rules = {.check = config_value_check_topic};
static const struct config_choice orders[] = {{"key", FUNCTION_ORDER_KEY},
                                              {"partition", FUNCTION_ORDER_PARTITION},
                                              {"none", FUNCTION_ORDER_NONE},
                                              {NULL, 0}};

static const struct config_option batch_options[] = {
    {.key = "events",
     .type = CONFIG_INTEGER,
     .initial = "1",
     .min = 1,
     .max = 10000,
     .offset = offsetof(struct function_config, delivery.batch.events),
     .doc = "Most events of one call; more than 1 needs payload cloudevents-batch or row."},
    {.key = "bytes",
     .type = CONFIG_SIZE,
     .initial = "6MiB",
     .min = 1024,
     .max = INT64_C(1) << 30,
     .offset = offsetof(struct function_config, delivery.batch.bytes),
     .doc = "Largest body of one call; an event that is larger alone goes to the dead-letter topic."},
    {.key = "window",
     .type = CONFIG_DURATION,
     .initial = "0ms",
     .min = 0,
     .max = INT64_C(3600000000),
     .offset = offsetof(struct function_config, delivery.batch.window_us),
     .doc = "How long a batch that isn't full waits for more."},
    {.key = NULL},
};

static const struct config_option backoff_options[] = {
    {.key = "initial",
     .type = CONFIG_DURATION,
     .initial = "200ms",
     .min = 1000,
     .max = INT64_C(86400000000),
     .offset = offsetof(struct function_config, delivery.retry.backoff.initial_us),
     .doc = "Longest wait before the second attempt; it doubles with each. The wait is random below it."},
    {.key = "max",
     .type = CONFIG_DURATION,
     .initial = "1m",
     .min = 1000,
     .max = INT64_C(86400000000),
     .offset = offsetof(struct function_config, delivery.retry.backoff.max_us),
     .doc = "What it doubles up to."},
    {.key = NULL},
};

static const struct config_option retry_options[] = {
    {.key = "attempts",
     .type = CONFIG_INTEGER,
     .initial = "10",
     .min = 1,
     .max = 1000000,
     .offset = offsetof(struct function_config, delivery.retry.attempts),
     .doc = "Calls before an event goes to the dead-letter topic, the first included."},
    {.key = "max_age",
     .type = CONFIG_DURATION,
     .initial = "24h",
     .min = 1000,
     .max = INT64_C(365) * INT64_C(86400000000),
     .offset = offsetof(struct function_config, delivery.retry.max_age_us),
     .doc = "No more attempts this long after the first one."},
    {.key = "backoff", .type = CONFIG_SECTION, .section = backoff_options, .doc = "Waits between attempts."},
    {.key = NULL},
};

static const struct config_option on_failure_options[] = {
    {.key = "dead_letter",
     .type = CONFIG_TEXT,
     .otherwise = "millrace.dlq.NAME",
     .offset = offsetof(struct function_config, delivery.on_failure.dead_letter),
     .rules = &topic_rules,
     .doc = "Topic for events that can't be delivered, with the reason in their headers."},
    {.key = NULL},
};

const struct config_option delivery_options[] = {
    {.key = "order",
     .type = CONFIG_CHOICE,
     .choices = orders,
     .initial = "key",
     .offset = offsetof(struct function_config, delivery.order),
     .doc = "What keeps its order: the events of one row's key, those of one partition, or nothing."},
    {.key = "concurrency",
     .type = CONFIG_INTEGER,
     .initial = "16",
     .min = 1,
     .max = 1000,
     .offset = offsetof(struct function_config, delivery.concurrency),
     .doc = "Most calls under way at once, in each bridge process."},
    {.key = "batch", .type = CONFIG_SECTION, .section = batch_options, .doc = "Events per call."},
    {.key = "timeout",
     .type = CONFIG_DURATION,
     .initial = "30s",
     .min = 1000,
     .max = INT64_C(86400000000),
     .offset = offsetof(struct function_config, delivery.timeout_us),
     .doc = "A call that takes longer has failed."},
    {.key = "retry", .type = CONFIG_SECTION, .section = retry_options, .doc = "After a failed call."},
    {.key = "on_failure",
     .type = CONFIG_SECTION,
     .section = on_failure_options,
     .doc = "After the last attempt."},
    {.key = NULL},
};

void delivery_options_finish(const struct config_file *file, struct function_config *c)
{
    const char *initial = "delivery.retry.backoff.initial";
    const char *max = "delivery.retry.backoff.max";
    if (c->delivery.retry.backoff.initial_us > c->delivery.retry.backoff.max_us &&
        config_is_sound(file, initial) && config_is_sound(file, max)) {
        config_complain(file, initial, "initial: is more than max");
    }
}

#include "bridge/config/delivery_options.h"

#include "core/config/config_value.h"
#include "core/kafka/state_topic.h"

static const struct config_rules rate_rules = {.check = config_rate_check};
static const struct config_rules topic_rules = {.check = config_value_check_topic};
static enum config_verdict check_status(const char *key, const char *value, struct fault *f)
{
    struct status_range range;
    enum status_verdict verdict;
    struct fault why;
    if (!status_range_parse(key, &range, &why)) {
        CLEANUP(bytes_clear) struct bytes quoted = {0};
        config_value_quote(key, &quoted);
        (void)fault_set(f, FAULT_CONFIG, "statuses: %s %s", bytes_text(&quoted), why.text);
        return CONFIG_BAD_KEY;
    }
    return value == NULL || status_verdict_parse(value, &verdict, f) ? CONFIG_GOOD : CONFIG_BAD_VALUE;
}

static bool is_never_secret(const char *key)
{
    (void)key;
    return false;
}

static const struct config_rules statuses_rules = {.check_pair = check_status, .is_secret = is_never_secret};
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
     .doc = "Most events of one call; the payloads cloudevents and cloudevents-structured take one."},
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
     .doc = "How long a batch that isn't full waits for more; needs events."},
    {.key = "by_key",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct function_config, delivery.batch.by_key),
     .doc = "A call carries events of one key only; events without a key are alone. Needs events."},
    {.key = "partial_failures",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct function_config, delivery.batch.partial_failures),
     .doc = "A 2xx response may name the events that failed, as AWS Lambda's `batchItemFailures` "
            "([functions.md](functions.md#partial-failures)): only they are sent again."},
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
    {.key = "statuses",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct function_config, delivery.retry.status_texts),
     .rules = &statuses_rules,
     .doc =
         "What responses mean, by status (404), class (5xx) or range (500-503): `done`, `retry`, `throttle` "
         "(no attempt is used up), `pause` (none is used up, and all calls pause as if the endpoint were "
         "unreachable) or `dead` (the dead-letter topic). The key that covers the fewest statuses decides; "
         "others mean what they mean without it "
         "([functions.md](functions.md#what-a-response-means))."},
    {.key = "backoff", .type = CONFIG_SECTION, .section = backoff_options, .doc = "Waits between attempts."},
    {.key = NULL},
};

static const struct config_option breaker_options[] = {
    {.key = "failures",
     .type = CONFIG_INTEGER,
     .initial = "20",
     .min = 0,
     .max = 100,
     .offset = offsetof(struct function_config, delivery.breaker.failures),
     .doc = "How many different keys fail, without a success in between, until calls pause; 0: never."},
    {.key = NULL},
};

static const struct config_option on_failure_options[] = {
    {.key = "dead_letter",
     .type = CONFIG_TEXT,
     .otherwise = "millrace.dlq.NAME",
     .offset = offsetof(struct function_config, delivery.on_failure.dead_letter),
     .rules = &topic_rules,
     .doc = "Topic for events that can't be delivered, with the reason in their headers."},
    {.key = "hold_key",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct function_config, delivery.on_failure.hold_key),
     .doc = "After an event has gone to the dead-letter topic, later events of its key wait, in order, until "
            "its dead letter is redriven or dropped (`millrace dlq`). With order partition the partition "
            "waits."},
    {.key = "bisect",
     .type = CONFIG_BOOL,
     .initial = "true",
     .offset = offsetof(struct function_config, delivery.on_failure.bisect),
     .doc = "A batch that fails is sent again in two halves, which uses up no attempt, until the event that "
            "fails is alone."},
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
     .doc = "Most calls under way at once, in each bridge process. With endpoint.process the default is "
            "instances × concurrency_per_instance, which is the most, too."},
    {.key = "target_latency",
     .type = CONFIG_DURATION,
     .min = 1000,
     .max = INT64_C(86400000000),
     .offset = offsetof(struct function_config, delivery.target_latency_us),
     .doc = "While most calls take longer than this, fewer run at once, down to one; then more again, up to "
            "concurrency. Must be less than timeout."},
    {.key = "rate",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct function_config, delivery.rate_text),
     .rules = &rate_rules,
     .doc = "Most calls in a time, in each bridge process: `100/s`, `30/m`, `5/h`."},
    {.key = "burst",
     .type = CONFIG_INTEGER,
     .otherwise = "one second's worth, at least 1",
     .min = 1,
     .max = 1000000,
     .offset = offsetof(struct function_config, delivery.burst),
     .doc = "How many calls may begin at once after a pause; needs rate."},
    {.key = "limit",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct function_config, delivery.limit),
     .doc = "A limit of millrace.yaml, which functions share by its name."},
    {.key = "coalesce",
     .type = CONFIG_DURATION,
     .min = 1000,
     .max = INT64_C(86400000000),
     .offset = offsetof(struct function_config, delivery.coalesce_us),
     .doc =
         "Sends of each key only the latest event, once no other has come for this time, or after ten times "
         "as long; needs order key."},
    {.key = "breaker",
     .type = CONFIG_SECTION,
     .section = breaker_options,
     .doc = "When the whole endpoint is taken to have failed."},
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

/** The keys that were accepted, the widest first. */
struct status_entry {
    struct status_range range;
    enum status_verdict verdict;
    const char *key;
};

static int compare_widths(const void *a, const void *b)
{
    const struct status_range *first = &((const struct status_entry *)a)->range;
    const struct status_range *second = &((const struct status_entry *)b)->range;
    int difference = (second->last - second->first) - (first->last - first->first);
    return difference != 0 ? difference : first->first - second->first;
}

static struct yaml_node *key_node(const struct config_file *file, const char *key)
{
    struct yaml_node *map = config_node(file, "delivery.retry.statuses");
    for (size_t i = 0; map != NULL && map->kind == YAML_MAP && i < map->count; i++) {
        if (strcmp(map->keys[i]->text, key) == 0) {
            return map->keys[i];
        }
    }
    return map;
}

static void complain_of_overlaps(const struct config_file *file, const struct status_entry *entries,
                                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (status_range_conflicts(entries[i].range, entries[j].range)) {
                config_complain_at(file, key_node(file, entries[i].key),
                                   "statuses: %s overlaps %s, and neither is within the other",
                                   entries[i].key, entries[j].key);
                return;
            }
        }
    }
}

static void compile_statuses(const struct config_file *file, struct function_config *c)
{
    struct fault f;
    const struct text_pairs *texts = &c->delivery.retry.status_texts;
    CLEANUP(memory_free_pointer)
    struct status_entry *entries = memory_zeroed(texts->count + 1, sizeof(*entries));
    for (size_t i = 0; i < texts->count; i++) {
        entries[i].key = texts->items[i].key;
        INVARIANT(status_range_parse(texts->items[i].key, &entries[i].range, &f) &&
                  status_verdict_parse(texts->items[i].value, &entries[i].verdict, &f));
    }
    qsort(entries, texts->count, sizeof(*entries), compare_widths);
    complain_of_overlaps(file, entries, texts->count);
    for (size_t i = 0; i < texts->count; i++) {
        status_table_set(&c->delivery.retry.statuses, entries[i].range, entries[i].verdict);
    }
}

/** What has no effect while a call carries one event. */
static void check_batch_of_one(const struct config_file *file, const struct function_config *c)
{
    static const char PATH[] = "delivery.batch.events";
    if (c->delivery.batch.events > 1 || !config_is_sound(file, PATH)) {
        return;
    }
    if (c->delivery.batch.by_key) {
        config_complain(file, "delivery.batch.by_key",
                        "by_key: has no effect while a call carries one event; set events, too");
    }
    if (c->delivery.batch.window_us > 0) {
        config_complain(file, "delivery.batch.window",
                        "window: has no effect while a call carries one event; set events, too");
    }
}

static void check_order(const struct config_file *file, const struct function_config *c)
{
    if (c->delivery.batch.by_key && c->delivery.order == FUNCTION_ORDER_NONE) {
        config_complain(
            file, "delivery.batch.by_key",
            "by_key: with order none no events wait together by key; choose order key or partition");
    }
    if (c->delivery.on_failure.hold_key && c->delivery.order == FUNCTION_ORDER_NONE) {
        config_complain(file, "delivery.on_failure.hold_key",
                        "hold_key: with order none no event waits for another of its key; choose order key "
                        "or partition");
    }
    if (c->delivery.on_failure.hold_key && c->delivery.coalesce_us > 0) {
        config_complain(file, "delivery.on_failure.hold_key",
                        "hold_key: with coalesce a later event of a key takes the place of a failed one; "
                        "leave one of them out");
    }
}

/** Records of millrace itself are kept by key in these: a dead letter would destroy them. */
static void check_dead_letter(const struct config_file *file, const struct function_config *c)
{
    static const char *const OWN[] = {STATE_TOPIC_NAME, "millrace.schemas"};
    for (size_t i = 0; i < COUNT_OF(OWN); i++) {
        if (strcmp(c->delivery.on_failure.dead_letter, OWN[i]) == 0) {
            config_complain(file, "delivery.on_failure.dead_letter",
                            "dead_letter: %s holds millrace's own records; choose a topic for this function",
                            OWN[i]);
        }
    }
}

static void check_times(const struct config_file *file, const struct function_config *c)
{
    if (c->delivery.target_latency_us >= c->delivery.timeout_us &&
        config_is_sound(file, "delivery.target_latency") && config_is_sound(file, "delivery.timeout")) {
        config_complain(file, "delivery.target_latency",
                        "target_latency: is not less than timeout, and calls never take longer than that");
    }
    const char *initial = "delivery.retry.backoff.initial";
    const char *max = "delivery.retry.backoff.max";
    if (c->delivery.retry.backoff.initial_us > c->delivery.retry.backoff.max_us &&
        config_is_sound(file, initial) && config_is_sound(file, max)) {
        config_complain(file, initial, "initial: is more than max");
    }
}

void delivery_options_finish(const struct config_file *file, struct function_config *c)
{
    compile_statuses(file, c);
    check_batch_of_one(file, c);
    check_order(file, c);
    check_dead_letter(file, c);
    check_times(file, c);
}

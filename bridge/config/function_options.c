// The tables of functions/NAME.yaml.
#include "bridge/config/function_config.h"

#include "bridge/config/delivery_options.h"
#include "bridge/config/endpoint_options.h"
#include "bridge/config/function_test.h"
#include "bridge/config/payload_options.h"
#include "bridge/config/reply_options.h"
#include "bridge/config/template_options.h"

#include "core/base/memory.h"
#include "core/config/config_value.h"

static bool check_start(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    struct start_position at;
    return start_position_parse(value, &at, f);
}

static const struct config_rules start_rules = {.check = check_start};
static const struct config_rules topics_rules = {.check = config_value_check_topic_glob};

static const struct config_choice operations[] = {{"create", FUNCTION_CREATE},
                                                  {"read", FUNCTION_READ},
                                                  {"update", FUNCTION_UPDATE},
                                                  {"delete", FUNCTION_DELETE},
                                                  {"truncate", FUNCTION_TRUNCATE},
                                                  {"message", FUNCTION_MESSAGE},
                                                  {NULL, 0}};
static const struct config_choice int64s[] = {{"number", 0}, {"string", 1}, {NULL, 0}};

static const struct config_option source_options[] = {
    {.key = "topics",
     .type = CONFIG_LIST,
     .is_required = true,
     .min = 1,
     .offset = offsetof(struct function_config, source.topics),
     .rules = &topics_rules,
     .doc = "Topics whose changes call the function: names, globs, or regular expressions written `/…/`, "
            "which match whole "
            "names."},
    {.key = "operations",
     .type = CONFIG_FLAGS,
     .choices = operations,
     .initial = "create read update delete",
     .min = 1,
     .offset = offsetof(struct function_config, source.operations),
     .doc =
         "Which changes; read is a row of the first snapshot. truncate and message are records that a "
         "connector publishes when asked to (docs/connectors.md); a message's prefix and content are its row "
         "after."},
    {.key = "start",
     .type = CONFIG_TEXT,
     .initial = "latest",
     .offset = offsetof(struct function_config, source.start_text),
     .rules = &start_rules,
     .doc = "Where a new function begins: with what comes from now on (`latest`), with all that Kafka still "
            "has (`earliest`), at a time (`2026-01-02T03:04:05Z`) or at an LSN of the database "
            "(`16/B374D848`)."},
    {.key = NULL},
};

static const struct config_option options[] = {
    {.key = "source",
     .type = CONFIG_SECTION,
     .is_required = true,
     .section = source_options,
     .doc = "Which changes call the function."},
    {.key = "filter",
     .type = CONFIG_TREE,
     .offset = offsetof(struct function_config, filter.tree),
     .doc = "Which events pass: a pattern over `key`, `headers`, `op`, `before`, `after` and `source`, and "
            "`changed`, `changed_from`, `changed_to` ([filters.md](filters.md))."},
    {.key = "payload",
     .type = CONFIG_CHOICE,
     .choices = payload_kinds,
     .initial = "cloudevents",
     .otherwise = "cloudevents; with endpoint.lambda and endpoint.process lambda-kafka",
     .offset = offsetof(struct function_config, payload),
     .doc =
         "What a call carries: a CloudEvent in headers and body (cloudevents), in the body alone "
         "(cloudevents-structured), a JSON array of them (cloudevents-batch), the row (row; with more than "
         "one event a call an array of op, table, id and row), the event that AWS Lambda sends for Kafka "
         "(lambda-kafka) or DynamoDB Streams (dynamodb-stream), the record as JsonConverter writes it "
         "(debezium), or a text of your own (template) ([payloads.md](payloads.md))."},
    {.key = "lambda_kafka",
     .type = CONFIG_SECTION,
     .section = lambda_kafka_options,
     .doc = "Options of payload lambda-kafka."},
    {.key = "dynamodb_stream",
     .type = CONFIG_SECTION,
     .section = dynamodb_stream_options,
     .doc = "Options of payload dynamodb-stream."},
    {.key = "debezium",
     .type = CONFIG_SECTION,
     .section = debezium_options,
     .doc = "Options of payload debezium."},
    {.key = "template",
     .type = CONFIG_SECTION,
     .section = template_options,
     .doc = "The body of payload template."},
    {.key = "columns",
     .type = CONFIG_SECTION,
     .section = columns_options,
     .doc = "Which columns calls carry, in every payload; filters see all "
            "([payloads.md](payloads.md#columns))."},
    {.key = "int64",
     .type = CONFIG_BOOL,
     .choices = int64s,
     .initial = "number",
     .offset = offsetof(struct function_config, int64_as_string),
     .doc = "64-bit integers in JSON: JavaScript rounds numbers beyond 2^53, a string keeps every digit."},
    {.key = "paused",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct function_config, paused),
     .doc = "Starts no calls; the function stays in its group, and its events wait on Kafka."},
    {.key = "endpoint",
     .type = CONFIG_SECTION,
     .is_required = true,
     .section = endpoint_options,
     .doc = "What is called."},
    {.key = "delivery", .type = CONFIG_SECTION, .section = delivery_options, .doc = "How it is called."},
    {.key = "reply",
     .type = CONFIG_SECTION,
     .section = reply_options,
     .doc = "Where to publish what the function responds with ([replies.md](replies.md))."},
    {.key = "tests",
     .type = CONFIG_TREE,
     .offset = offsetof(struct function_config, tests),
     .doc = "Events and what must come of them, for `millrace test` ([functions.md](functions.md#tests))."},
    {.key = NULL},
};

/** A text that start_rules refused leaves the default. */
static void read_start(struct function_config *c)
{
    struct fault f;
    struct start_position at = {FUNCTION_START_LATEST, 0};
    if (c->source.start_text != NULL && start_position_parse(c->source.start_text, &at, &f)) {
        c->source.start = at.kind;
        c->source.start_value = at.value;
    }
}

static void read_rate(const struct config_file *file, struct function_config *c)
{
    struct fault f;
    if (c->delivery.coalesce_us > 0 && c->delivery.order != FUNCTION_ORDER_KEY &&
        config_is_sound(file, "delivery.order")) {
        config_complain(file, "delivery.coalesce",
                        "coalesce: needs order key: it sends the latest event of each key");
    }
    bool has_rate =
        c->delivery.rate_text != NULL && config_rate_parse(c->delivery.rate_text, &c->delivery.rate, &f);
    if (c->delivery.burst > 0 && c->delivery.rate_text == NULL && config_is_sound(file, "delivery.rate")) {
        config_complain(file, "delivery.burst", "burst: has a meaning only with rate");
    }
    if (has_rate && c->delivery.burst == 0) {
        c->delivery.burst = config_rate_default_burst(&c->delivery.rate);
    }
}

static void compile_filter(const struct config_file *file, struct function_config *c)
{
    struct fault f;
    struct json_place place;
    if (c->filter.tree.json != NULL &&
        !pattern_compile_function(slice_of(c->filter.tree.json), &c->filter.tree.places, &c->filter.pattern,
                                  &f)) {
        const char *reason = json_place_split(f.text, &place);
        config_complain_place(file, place.line, place.column, "filter: %s", reason);
    }
}

static void check_tests(const struct config_file *file, const struct function_config *c)
{
    struct fault f;
    struct json_place place;
    CLEANUP(function_tests_clear) struct function_tests tests = {0};
    if (!function_tests_read(&c->tests, &tests, &f)) {
        const char *reason = json_place_split(f.text, &place);
        config_complain_place(file, place.line, place.column, "tests: %s", reason);
    }
}

static void finish(const struct config_file *file, void *config)
{
    struct function_config *c = config;
    c->name = memory_string(file->name);
    read_start(c);
    read_rate(file, c);
    if (c->delivery.on_failure.dead_letter == NULL) {
        c->delivery.on_failure.dead_letter = function_config_dead_letter(c->name);
    }
    endpoint_options_choose_payload(file, c);
    payload_options_finish(file, c);
    compile_filter(file, c);
    check_tests(file, c);
    delivery_options_finish(file, c);
    endpoint_options_finish(file, c);
    template_options_finish(file, c);
    reply_options_finish(file, c);
    for (size_t i = 0; i < c->source.topics.count; i++) {
        if (text_glob_match(c->source.topics.items[i], c->delivery.on_failure.dead_letter)) {
            config_complain(file, "source.topics",
                            "topics: they match the function's own dead-letter topic %s, whose records would "
                            "be delivered again",
                            c->delivery.on_failure.dead_letter);
        }
    }
}

const struct config_kind function_config_kind = {
    .name = "function",
    .place = "functions/NAME.yaml",
    .doc = "One function that changes call. The file's name is the function's.",
    .example = "source: {topics: [shop.public.orders], operations: [create, update]}\n"
               "filter: {after: {status: [paid]}, changed: [status]}\n"
               "payload: cloudevents\n"
               "endpoint:\n"
               "  http:\n"
               "    url: https://fn.example/order-email\n"
               "    auth: {bearer: {env: ORDER_EMAIL_TOKEN}}\n"
               "delivery:\n"
               "  order: key\n"
               "  concurrency: 16\n"
               "  timeout: 30s\n"
               "  retry: {attempts: 10, max_age: 1h, backoff: {initial: 200ms, max: 1m}}\n",
    .options = options,
    .size = sizeof(struct function_config),
    .finish = finish,
};

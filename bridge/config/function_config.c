#include "bridge/config/function_config.h"

#include "bridge/config/function_test.h"

#include "core/base/memory.h"
#include "core/config/config_value.h"

static bool is_printable(const char *value)
{
    for (; *value != '\0'; value++) {
        if (((unsigned char)*value < 0x20 && *value != '\t') || (unsigned char)*value >= 0x7f) {
            return false;
        }
    }
    return true;
}

static bool check_bearer(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    if (!is_printable(value) || strpbrk(value, " \t") != NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "a token must consist of visible ASCII characters, without spaces and line ends");
    }
    return true;
}

// Headers that frame the body or describe the event: millrace sets them.
static bool is_own_header(const char *name)
{
    static const char *const own[] = {"content-length", "content-type", "transfer-encoding", "connection",
                                      "expect"};
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        if (strcasecmp(own[i], name) == 0) {
            return true;
        }
    }
    return strncasecmp(name, "ce-", 3) == 0;
}

static enum config_verdict check_header(const char *name, const char *value, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(name, &quoted);
    // RFC 9110, 5.6.2: a token.
    size_t length =
        strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (length == 0 || name[length] != '\0') {
        (void)fault_set(f, FAULT_CONFIG, "%s is not a valid header name", bytes_text(&quoted));
        return CONFIG_BAD_KEY;
    }
    if (is_own_header(name)) {
        (void)fault_set(f, FAULT_CONFIG, "%s can't be set: millrace sets it", bytes_text(&quoted));
        return CONFIG_BAD_KEY;
    }
    if (value != NULL && !is_printable(value)) {
        (void)fault_set(f, FAULT_CONFIG,
                        "a header value must consist of printable ASCII characters, without line ends");
        return CONFIG_BAD_VALUE;
    }
    return CONFIG_GOOD;
}

static bool is_secret_header(const char *name)
{
    static const char *const secrets[] = {"authorization", "proxy-authorization", "cookie",      "x-api-key",
                                          "api-key",       "x-functions-key",     "x-auth-token"};
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        if (strcasecmp(secrets[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/** Values of all other headers may be keys, because services choose their own header names. */
static bool is_shown_header(const char *name)
{
    static const char *const shown[] = {"accept", "accept-language", "content-type", "user-agent",
                                        "x-request-source"};
    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        if (strcasecmp(shown[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool check_start(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    struct start_position at;
    return start_position_parse(value, &at, f);
}

static const struct config_rules start_rules = {.check = check_start};
static const struct config_rules topics_rules = {.check = config_value_check_topic_glob};
static const struct config_rules url_rules = {.check = config_value_check_url,
                                              .redact = config_value_redact_url};
static const struct config_rules bearer_rules = {.check = check_bearer};
static const struct config_rules topic_rules = {.check = config_value_check_topic};
static const struct config_rules headers_rules = {
    .check_pair = check_header,
    .is_secret = is_secret_header,
    .is_shown = is_shown_header,
};

static const struct config_choice operations[] = {{"create", FUNCTION_CREATE},
                                                  {"read", FUNCTION_READ},
                                                  {"update", FUNCTION_UPDATE},
                                                  {"delete", FUNCTION_DELETE},
                                                  {NULL, 0}};
static const struct config_choice payloads[] = {
    {"cloudevents", FUNCTION_PAYLOAD_CLOUDEVENTS},
    {"cloudevents-structured", FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED},
    {"cloudevents-batch", FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH},
    {"row", FUNCTION_PAYLOAD_ROW},
    {NULL, 0}};
static const struct config_choice int64s[] = {{"number", 0}, {"string", 1}, {NULL, 0}};
static const struct config_choice orders[] = {{"key", FUNCTION_ORDER_KEY},
                                              {"partition", FUNCTION_ORDER_PARTITION},
                                              {"none", FUNCTION_ORDER_NONE},
                                              {NULL, 0}};

static const struct config_option source_options[] = {
    {.key = "topics",
     .type = CONFIG_LIST,
     .is_required = true,
     .min = 1,
     .offset = offsetof(struct function_config, source.topics),
     .rules = &topics_rules,
     .doc = "Topics whose changes call the function: names, globs, or a regular expression written `/…/`."},
    {.key = "operations",
     .type = CONFIG_FLAGS,
     .choices = operations,
     .initial = "create read update delete",
     .min = 1,
     .offset = offsetof(struct function_config, source.operations),
     .doc = "Which changes; read is a row of the first snapshot."},
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

static const struct config_option auth_options[] = {
    {.key = "bearer",
     .type = CONFIG_SECRET,
     .is_required = true,
     .offset = offsetof(struct function_config, http.bearer),
     .rules = &bearer_rules,
     .doc = "Token for `Authorization: Bearer`."},
    {.key = NULL},
};

static const struct config_option http_options[] = {
    {.key = "url",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct function_config, http.url),
     .rules = &url_rules,
     .doc = "Where events are POSTed, http or https."},
    {.key = "headers",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct function_config, http.headers),
     .rules = &headers_rules,
     .doc = "Headers to send along; a value may be a secret."},
    {.key = "auth", .type = CONFIG_SECTION, .section = auth_options, .doc = "Credentials for the endpoint."},
    {.key = NULL},
};

static const struct config_option endpoint_options[] = {
    {.key = "http",
     .type = CONFIG_SECTION,
     .is_required = true,
     .section = http_options,
     .doc = "An HTTP server."},
    {.key = NULL},
};

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

static const struct config_option delivery_options[] = {
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
     .choices = payloads,
     .initial = "cloudevents",
     .offset = offsetof(struct function_config, payload),
     .doc = "What a call carries: a CloudEvent in headers and body (cloudevents), in the body alone "
            "(cloudevents-structured), a JSON array of them (cloudevents-batch), or the row (row; with more "
            "than "
            "one event a call an array of op, table, id and row)."},
    {.key = "int64",
     .type = CONFIG_BOOL,
     .choices = int64s,
     .initial = "number",
     .offset = offsetof(struct function_config, int64_as_string),
     .doc = "64-bit integers in JSON: JavaScript rounds numbers beyond 2^53, a string keeps every digit."},
    {.key = "endpoint",
     .type = CONFIG_SECTION,
     .is_required = true,
     .section = endpoint_options,
     .doc = "What is called."},
    {.key = "delivery", .type = CONFIG_SECTION, .section = delivery_options, .doc = "How it is called."},
    {.key = "tests",
     .type = CONFIG_TREE,
     .offset = offsetof(struct function_config, tests),
     .doc = "Events and what must come of them, for `millrace test` ([functions.md](functions.md#tests))."},
    {.key = NULL},
};

static void check_payload(const struct config_file *file, const struct function_config *c)
{
    bool takes_one =
        c->payload == FUNCTION_PAYLOAD_CLOUDEVENTS || c->payload == FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED;
    if (takes_one && c->delivery.batch.events > 1 && config_is_sound(file, "payload") &&
        config_is_sound(file, "delivery.batch.events")) {
        config_complain(
            file, "delivery.batch.events",
            "events: payload %s carries one event a call; choose cloudevents-batch or row for more",
            payloads[c->payload].word);
    }
}

char *function_config_group(const char *function)
{
    return memory_format("millrace.%s", function);
}

char *function_config_dead_letter(const char *function)
{
    return memory_format("millrace.dlq.%s", function);
}

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
    if (c->delivery.on_failure.dead_letter == NULL) {
        c->delivery.on_failure.dead_letter = function_config_dead_letter(c->name);
    }
    check_payload(file, c);
    compile_filter(file, c);
    check_tests(file, c);
    const char *initial = "delivery.retry.backoff.initial";
    const char *max = "delivery.retry.backoff.max";
    if (c->delivery.retry.backoff.initial_us > c->delivery.retry.backoff.max_us &&
        config_is_sound(file, initial) && config_is_sound(file, max)) {
        config_complain(file, initial, "initial: is more than max");
    }
    for (size_t i = 0; c->http.bearer != NULL && i < c->http.headers.count; i++) {
        if (strcasecmp(c->http.headers.items[i].key, "authorization") == 0) {
            config_complain(file, "endpoint.http.auth.bearer",
                            "bearer: the header authorization is set too; keep one of them");
        }
    }
    for (size_t i = 0; i < c->source.topics.count; i++) {
        if (text_glob_match(c->source.topics.items[i], c->delivery.on_failure.dead_letter)) {
            config_complain(file, "source.topics",
                            "topics: they match the function's own dead-letter topic %s, whose records would "
                            "be delivered again",
                            c->delivery.on_failure.dead_letter);
        }
    }
}

void function_config_clear(struct function_config *c)
{
    if (c == NULL) {
        return;
    }
    free(c->name);
    text_list_clear(&c->source.topics);
    free(c->source.start_text);
    pattern_free(c->filter.pattern);
    config_tree_clear(&c->filter.tree);
    config_tree_clear(&c->tests);
    memory_free_secret(c->http.url);
    text_pairs_clear(&c->http.headers);
    memory_free_secret(c->http.bearer);
    free(c->delivery.on_failure.dead_letter);
    *c = (struct function_config){0};
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

#include "bridge/config/payload_options.h"

#include "bridge/config/function_config.h"

const struct config_choice payload_kinds[] = {
    {"cloudevents", FUNCTION_PAYLOAD_CLOUDEVENTS},
    {"cloudevents-structured", FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED},
    {"cloudevents-batch", FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH},
    {"row", FUNCTION_PAYLOAD_ROW},
    {"lambda-kafka", FUNCTION_PAYLOAD_LAMBDA_KAFKA},
    {"dynamodb-stream", FUNCTION_PAYLOAD_DYNAMODB_STREAM},
    {"debezium", FUNCTION_PAYLOAD_DEBEZIUM},
    {"template", FUNCTION_PAYLOAD_TEMPLATE},
    {NULL, 0}};

static const struct config_choice kafka_encodings[] = {
    {"base64", FUNCTION_KAFKA_BASE64}, {"json", FUNCTION_KAFKA_PLAIN}, {NULL, 0}};
static const struct config_choice kafka_formats[] = {
    {"raw", FUNCTION_KAFKA_RAW}, {"source", FUNCTION_KAFKA_SOURCE}, {"json", FUNCTION_KAFKA_JSON}, {NULL, 0}};

const struct config_option lambda_kafka_options[] = {
    {.key = "encoding",
     .type = CONFIG_CHOICE,
     .choices = kafka_encodings,
     .initial = "base64",
     .offset = offsetof(struct function_config, lambda_kafka.encoding),
     .doc = "How `key` and `value` stand in the event: as base64, as AWS sends them, or, decoded, as JSON "
            "itself (json)."},
    {.key = "format",
     .type = CONFIG_CHOICE,
     .choices = kafka_formats,
     .initial = "raw",
     .offset = offsetof(struct function_config, lambda_kafka.format),
     .doc = "What base64 encodes: the record's bytes (raw, as AWS without a schema registry), its Avro "
            "without the schema's id (source) or its JSON (json), as AWS with a schema registry and that "
            "EventRecordFormat."},
    {.key = NULL},
};

static const struct config_choice views[] = {{"KEYS_ONLY", FUNCTION_IMAGES_NONE},
                                             {"NEW_IMAGE", FUNCTION_IMAGES_NEW},
                                             {"OLD_IMAGE", FUNCTION_IMAGES_OLD},
                                             {"NEW_AND_OLD_IMAGES", FUNCTION_IMAGES_NEW_AND_OLD},
                                             {NULL, 0}};

static bool check_region(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    return (value[0] != '\0' && value[strspn(value, ALLOWED)] == '\0') ||
           fault_set(f, FAULT_CONFIG, "lower-case letters, digits and dashes, as in eu-central-1");
}

static const struct config_rules region_rules = {.check = check_region};

const struct config_option dynamodb_stream_options[] = {
    {.key = "view",
     .type = CONFIG_CHOICE,
     .choices = views,
     .initial = "NEW_AND_OLD_IMAGES",
     .offset = offsetof(struct function_config, dynamodb_stream.view),
     .doc = "Which images of the row an event has, as a stream's StreamViewType. Old images need REPLICA "
            "IDENTITY FULL."},
    {.key = "region",
     .type = CONFIG_TEXT,
     .initial = "local",
     .offset = offsetof(struct function_config, dynamodb_stream.region),
     .rules = &region_rules,
     .doc = "The event's awsRegion, for handlers that read it."},
    {.key = NULL},
};

static const struct config_choice decimals[] = {
    {"base64", FUNCTION_DECIMALS_BASE64}, {"numeric", FUNCTION_DECIMALS_NUMERIC}, {NULL, 0}};

const struct config_option debezium_options[] = {
    {.key = "decimal_format",
     .type = CONFIG_CHOICE,
     .choices = decimals,
     .initial = "base64",
     .offset = offsetof(struct function_config, debezium.decimals),
     .doc = "Decimals as the base64 of their unscaled value, or as numbers: JsonConverter's decimal.format."},
    {.key = "schemas",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct function_config, debezium.has_schemas),
     .doc = "Each event with its schema: JsonConverter's schemas.enable."},
    {.key = NULL},
};

/** Options of another kind would have no effect. Those that `config show` writes have their defaults. */
static void check_lambda_kafka(const struct config_file *file, const struct function_config *c)
{
    bool is_set =
        c->lambda_kafka.encoding != FUNCTION_KAFKA_BASE64 || c->lambda_kafka.format != FUNCTION_KAFKA_RAW;
    if (is_set && c->payload != FUNCTION_PAYLOAD_LAMBDA_KAFKA && config_is_sound(file, "payload")) {
        config_complain(file, "lambda_kafka", "lambda_kafka: has a meaning only with payload lambda-kafka");
    }
    if (c->lambda_kafka.encoding == FUNCTION_KAFKA_PLAIN && c->lambda_kafka.format == FUNCTION_KAFKA_SOURCE) {
        config_complain(file, "lambda_kafka.format",
                        "format: source is binary; with encoding json leave format out");
    }
}

static void check_dynamodb_stream(const struct config_file *file, const struct function_config *c)
{
    bool is_set = c->dynamodb_stream.view != FUNCTION_IMAGES_NEW_AND_OLD ||
                  (c->dynamodb_stream.region != NULL && strcmp(c->dynamodb_stream.region, "local") != 0);
    if (is_set && c->payload != FUNCTION_PAYLOAD_DYNAMODB_STREAM && config_is_sound(file, "payload")) {
        config_complain(file, "dynamodb_stream",
                        "dynamodb_stream: has a meaning only with payload dynamodb-stream");
    }
}

static void check_debezium(const struct config_file *file, const struct function_config *c)
{
    bool is_set = c->debezium.decimals != FUNCTION_DECIMALS_BASE64 || c->debezium.has_schemas;
    if (is_set && c->payload != FUNCTION_PAYLOAD_DEBEZIUM && config_is_sound(file, "payload")) {
        config_complain(file, "debezium", "debezium: has a meaning only with payload debezium");
    }
    if (c->payload == FUNCTION_PAYLOAD_DEBEZIUM && c->delivery.batch.partial_failures &&
        c->delivery.batch.events > 1 && config_is_sound(file, "delivery.batch.events")) {
        config_complain(
            file, "delivery.batch.partial_failures",
            "partial_failures: an event of payload debezium has no id that a response could name; "
            "keep batch.events 1, or choose another payload");
    }
}

void payload_options_finish(const struct config_file *file, const struct function_config *c)
{
    bool takes_one =
        c->payload == FUNCTION_PAYLOAD_CLOUDEVENTS || c->payload == FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED;
    if (takes_one && c->delivery.batch.events > 1 && config_is_sound(file, "payload") &&
        config_is_sound(file, "delivery.batch.events")) {
        config_complain(
            file, "delivery.batch.events",
            "events: payload %s carries one event a call; choose cloudevents-batch or row for more",
            payload_kinds[c->payload].word);
    }
    check_lambda_kafka(file, c);
    check_dynamodb_stream(file, c);
    check_debezium(file, c);
}

#include "bridge/config/payload_options.h"

#include "bridge/config/function_config.h"

const struct config_choice payload_kinds[] = {
    {"cloudevents", FUNCTION_PAYLOAD_CLOUDEVENTS},
    {"cloudevents-structured", FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED},
    {"cloudevents-batch", FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH},
    {"row", FUNCTION_PAYLOAD_ROW},
    {"lambda-kafka", FUNCTION_PAYLOAD_LAMBDA_KAFKA},
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
}

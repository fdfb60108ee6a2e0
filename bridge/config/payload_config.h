// What a function's file says about what a call carries.
#ifndef BRIDGE_CONFIG_PAYLOAD_CONFIG_H
#define BRIDGE_CONFIG_PAYLOAD_CONFIG_H

#include <stdbool.h>

enum function_payload {
    FUNCTION_PAYLOAD_CLOUDEVENTS,
    FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED,
    FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH,
    FUNCTION_PAYLOAD_ROW,
    FUNCTION_PAYLOAD_LAMBDA_KAFKA,
    FUNCTION_PAYLOAD_DYNAMODB_STREAM,
    FUNCTION_PAYLOAD_DEBEZIUM,
    FUNCTION_PAYLOAD_TEMPLATE,
};

enum function_kafka_encoding { FUNCTION_KAFKA_BASE64, FUNCTION_KAFKA_PLAIN };
enum function_kafka_format { FUNCTION_KAFKA_RAW, FUNCTION_KAFKA_SOURCE, FUNCTION_KAFKA_JSON };

/** Of payload lambda-kafka. */
struct lambda_kafka_config {
    enum function_kafka_encoding encoding;
    enum function_kafka_format format;  // of what is encoded; with encoding PLAIN it has no effect
};

enum function_images {  // bits: which images of a row
    FUNCTION_IMAGES_NONE = 0,
    FUNCTION_IMAGES_NEW = 1,
    FUNCTION_IMAGES_OLD = 2,
    FUNCTION_IMAGES_NEW_AND_OLD = 3,
};

/** Of payload dynamodb-stream. */
struct dynamodb_stream_config {
    enum function_images view;
    char *region;
};

enum function_decimals { FUNCTION_DECIMALS_BASE64, FUNCTION_DECIMALS_NUMERIC };

/** Of payload debezium. */
struct debezium_config {
    enum function_decimals decimals;
    bool has_schemas;
};

#endif

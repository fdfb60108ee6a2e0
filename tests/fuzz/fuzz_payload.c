// A schema and a datum, divided by the first NUL: rendered by each kind of payload. What is added makes valid
// JSON; what is refused leaves the body as it was.
#include <stdlib.h>

#include "bridge/payload/payload.h"
#include "core/base/memory.h"
#include "schemas/avro/framing.h"
#include "schemas/json/json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct kind {
    enum function_payload payload;
    enum function_kafka_encoding encoding;
    enum function_kafka_format format;
};

static const struct kind KINDS[] = {
    {FUNCTION_PAYLOAD_CLOUDEVENTS, 0, 0},
    {FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH, 0, 0},
    {FUNCTION_PAYLOAD_ROW, 0, 0},
    {FUNCTION_PAYLOAD_LAMBDA_KAFKA, FUNCTION_KAFKA_BASE64, FUNCTION_KAFKA_RAW},
    {FUNCTION_PAYLOAD_LAMBDA_KAFKA, FUNCTION_KAFKA_BASE64, FUNCTION_KAFKA_JSON},
    {FUNCTION_PAYLOAD_LAMBDA_KAFKA, FUNCTION_KAFKA_PLAIN, FUNCTION_KAFKA_RAW},
    {FUNCTION_PAYLOAD_DYNAMODB_STREAM, 0, 0},
    {FUNCTION_PAYLOAD_DEBEZIUM, 0, 0},
};

/** Twice the same event, in two partitions and back in the first. */
static void render(const struct kind *kind, struct record *r)
{
    static struct payload p;
    bool is_batch = kind->payload != FUNCTION_PAYLOAD_CLOUDEVENTS;
    const struct payload_options options = {.kind = kind->payload,
                                            .operations = FUNCTION_CREATE | FUNCTION_READ | FUNCTION_UPDATE |
                                                          FUNCTION_DELETE,
                                            .is_batch = is_batch,
                                            .bytes_max = 1 << 20,
                                            .kafka_encoding = kind->encoding,
                                            .kafka_format = kind->format,
                                            .view = FUNCTION_IMAGES_NEW_AND_OLD};
    static const int32_t PARTITIONS[] = {0, 1, 0};
    payload_begin(&p, &options);
    for (size_t i = 0; i < (is_batch ? COUNT_OF(PARTITIONS) : 1); i++) {
        struct fault f;
        size_t body_size = p.body.size;
        r->partition = PARTITIONS[i];
        if (payload_add(&p, r, &f) != PAYLOAD_ADDED) {
            INVARIANT(p.body.size == body_size && p.groups.event_count <= i);
        }
    }
    if (p.event_count > 0) {
        payload_finish(&p);
        // Deeply nested data is valid and deeper than the check goes.
        INVARIANT(json_check_value(bytes_slice(&p.body)) || r->value.size > JSON_CHECK_DEPTH_MAX / 4);
        INVARIANT(p.body.size <= options.bytes_max);
    }
    if (p.body.capacity > 1 << 22) {
        payload_clear(&p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    if (end == NULL) {
        return 0;
    }
    struct slice schema = slice_make(data, (size_t)(end - data));
    struct avro_type *type = NULL;
    struct fault f;
    if (!avro_type_parse(schema, &type, &f)) {
        return 0;
    }
    struct bytes framed CLEANUP(bytes_clear) = {0};
    framing_put(&framed, 1);
    bytes_append(&framed, end + 1, size - schema.size - 1);
    // The same bytes serve as the key.
    struct record r = {.topic = "t\"",
                       .id = slice_of("0000000000000010-00000001"),
                       .has_key = true,
                       .key = bytes_slice(&framed),
                       .value = bytes_slice(&framed),
                       .key_type = type,
                       .value_type = type};
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        render(&KINDS[i], &r);
    }
    avro_type_free(type);
    return 0;
}

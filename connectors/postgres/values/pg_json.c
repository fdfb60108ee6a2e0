#include "connectors/postgres/values/pg_json.h"

#include "core/base/text.h"
#include "schemas/avro/avro_read.h"

enum value_step pg_json_long(struct bytes *out, const struct value_type *t, struct slice text,
                             struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes avro = {0};
    enum value_step step = t->ops->append_text(&avro, t, text, f);
    if (step == VALUE_DONE) {
        struct cursor c = cursor_over(bytes_slice(&avro));
        bytes_format(out, "%lld", (long long)avro_read_long(&c));
    }
    return step;
}

// Appends the value as Avro and returns the part behind its length.
static enum value_step append_sized(struct bytes *avro, const struct value_type *t, struct slice text,
                                    struct slice *ret, struct fault *f)
{
    enum value_step step = t->ops->append_text(avro, t, text, f);
    if (step == VALUE_DONE) {
        struct cursor c = cursor_over(bytes_slice(avro));
        *ret = avro_read_bytes(&c);
    }
    return step;
}

enum value_step pg_json_string(struct bytes *out, const struct value_type *t, struct slice text,
                               struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes avro = {0};
    struct slice body;
    enum value_step step = append_sized(&avro, t, text, &body, f);
    if (step == VALUE_DONE) {
        text_append_json(out, body);
    }
    return step;
}

enum value_step pg_json_bytes(struct bytes *out, const struct value_type *t, struct slice text,
                              struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes avro = {0};
    CLEANUP(bytes_clear) struct bytes characters = {0};
    struct slice body;
    enum value_step step = append_sized(&avro, t, text, &body, f);
    for (size_t i = 0; step == VALUE_DONE && i < body.size; i++) {
        if (body.data[i] < 0x80) {
            bytes_append_byte(&characters, body.data[i]);
        } else {
            bytes_append_byte(&characters, (uint8_t)(0xc0 | (body.data[i] >> 6)));
            bytes_append_byte(&characters, (uint8_t)(0x80 | (body.data[i] & 0x3f)));
        }
    }
    if (step == VALUE_DONE) {
        text_append_json(out, bytes_slice(&characters));
    }
    return step;
}

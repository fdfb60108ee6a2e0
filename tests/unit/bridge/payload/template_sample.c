#include "template_sample.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/framing.h"

#define ROW                                                                                                  \
    "{\"type\":\"record\",\"name\":\"Value\",\"namespace\":\"shop.public.orders\",\"fields\":["              \
    "{\"name\":\"id\",\"type\":\"long\"},"                                                                   \
    "{\"name\":\"name\",\"type\":[\"null\",\"string\"],\"default\":null},"                                   \
    "{\"name\":\"price\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":10,"         \
    "\"scale\":2}},"                                                                                         \
    "{\"name\":\"at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"                   \
    "{\"name\":\"data\",\"type\":{\"type\":\"string\",\"connect.name\":\"io.debezium.data.Json\"}},"         \
    "{\"name\":\"blob\",\"type\":\"bytes\"},"                                                                \
    "{\"name\":\"is_paid\",\"type\":\"boolean\"},"                                                           \
    "{\"name\":\"tags\",\"type\":{\"type\":\"array\",\"items\":\"string\"}},"                                \
    "{\"name\":\"place\",\"type\":{\"type\":\"record\",\"name\":\"Place\",\"fields\":["                      \
    "{\"name\":\"city\",\"type\":\"string\"},{\"name\":\"zip\",\"type\":[\"null\",\"int\"]}]}}]}"

static const char KEY[] = "{\"type\":\"record\",\"name\":\"Key\",\"namespace\":\"shop.public.orders\","
                          "\"fields\":[{\"name\":\"id\",\"type\":\"long\"}]}";
static const char ENVELOPE[] =
    "{\"type\":\"record\",\"name\":\"Envelope\",\"namespace\":\"shop.public.orders\",\"fields\":["
    "{\"name\":\"before\",\"type\":[\"null\"," ROW "],\"default\":null},"
    "{\"name\":\"after\",\"type\":[\"null\",\"Value\"],\"default\":null},"
    "{\"name\":\"source\",\"type\":{\"type\":\"record\",\"name\":\"Source\",\"fields\":["
    "{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"schema\",\"type\":\"string\"},"
    "{\"name\":\"table\",\"type\":\"string\"},{\"name\":\"ts_us\",\"type\":\"long\"}]}},"
    "{\"name\":\"op\",\"type\":\"string\"},{\"name\":\"ts_ms\",\"type\":[\"null\",\"long\"]}]}";

struct order order_of(struct slice name)
{
    return (struct order){.id = 7,
                          .name = name,
                          .has_name = true,
                          .data = "{\"a\": {\"b\": [1, \"x\"]}}",
                          .blob = slice_of("\x01\x02\xff")};
}

static void put_row(struct bytes *out, const struct order *o)
{
    avro_encode_long(out, o->id);
    avro_encode_long(out, o->has_name ? 1 : 0);
    if (o->has_name) {
        avro_encode_string(out, o->name);
    }
    avro_encode_string(out, slice_make("\x04\xd2", 2));  // 12.34
    avro_encode_long(out, INT64_C(1704164645678901));
    avro_encode_string(out, slice_of(o->data));
    avro_encode_string(out, o->blob);
    avro_encode_boolean(out, true);
    avro_encode_long(out, 1);
    avro_encode_string(out, slice_of("new"));
    avro_encode_long(out, 0);
    avro_encode_string(out, slice_of("Bonn"));
    avro_encode_long(out, 1);
    avro_encode_long(out, 53111);
}

static void put_image(struct bytes *out, bool is_there, const struct order *o)
{
    avro_encode_long(out, is_there ? 1 : 0);
    if (is_there) {
        put_row(out, o);
    }
}

void order_record_init(struct order_record *r, char op, const struct order *order)
{
    struct fault f;
    *r = (struct order_record){0};
    assert_true(avro_type_parse(slice_of(KEY), &r->key_type, &f));
    assert_true(avro_type_parse(slice_of(ENVELOPE), &r->value_type, &f));
    framing_put(&r->key, 1);
    avro_encode_long(&r->key, order->id);
    framing_put(&r->value, 2);
    put_image(&r->value, op == 'd' || op == 'u', order);
    put_image(&r->value, op != 'd', order);
    avro_encode_string(&r->value, slice_of("shop"));
    avro_encode_string(&r->value, slice_of("public"));
    avro_encode_string(&r->value, slice_of("orders"));
    avro_encode_long(&r->value, INT64_C(1704164645678901));
    avro_encode_string(&r->value, slice_make(&op, 1));
    avro_encode_long(&r->value, 1);
    avro_encode_long(&r->value, INT64_C(1704164645999));
    r->record = (struct record){
        .topic = "shop.public.orders",
        .partition = 3,
        .offset = 41,
        .id = slice_of("0000000000000010-00000001"),
        .has_key = true,
        .key = bytes_slice(&r->key),
        .value = bytes_slice(&r->value),
        .key_type = r->key_type,
        .value_type = r->value_type,
        .headers = rd_kafka_headers_new(1),
    };
    assert_int_equal(rd_kafka_header_add(r->record.headers, "tenant", -1, "a\"b", 3), 0);
}

void order_record_clear(struct order_record *r)
{
    rd_kafka_headers_destroy(r->record.headers);
    avro_type_free(r->key_type);
    avro_type_free(r->value_type);
    bytes_clear(&r->key);
    bytes_clear(&r->value);
}

void template_function_init(struct template_function *t, const char *text)
{
    *t = (struct template_function){0};
    CLEANUP(memory_free_pointer)
    char *whole =
        memory_format("source: {topics: [shop.public.orders]}\n%s%s", text,
                      strstr(text, "endpoint:") == NULL ? "endpoint: {http: {url: http://x}}\n" : "");
    config_case_read(&t->file, &function_config_kind, slice_of(whole), &t->config);
    assert_string_equal(bytes_text(&t->file.text), "");
    t->options = payload_options_of(&t->config, NULL);
    payload_begin(&t->payload, &t->options);
}

void template_function_clear(struct template_function *t)
{
    payload_clear(&t->payload);
    payload_options_clear(&t->options);
    function_config_clear(&t->config);
    config_case_clear(&t->file);
}

char *template_function_body(struct template_function *t, const struct order *order)
{
    struct fault f;
    struct order_record r;
    order_record_init(&r, 'u', order);
    payload_begin(&t->payload, &t->options);
    enum payload_step step = payload_add(&t->payload, &r.record, &f);
    order_record_clear(&r);
    if (step != PAYLOAD_ADDED) {
        assert_int_equal(step, PAYLOAD_REJECTED);
        return memory_format("%s: %s", t->payload.reject_reason, f.text);
    }
    payload_finish(&t->payload);
    return slice_to_string(bytes_slice(&t->payload.body));
}

// The event that AWS Lambda sends for DynamoDB Streams.
//
//   {"Records":[{"eventID":"0000000001a2b3c4-00000000","eventName":"MODIFY","eventVersion":"1.1",
//     "eventSource":"aws:dynamodb","awsRegion":"local",
//     "eventSourceARN":"arn:aws:dynamodb:local:000000000000:table/public.orders/stream/shop",
//     "dynamodb":{"ApproximateCreationDateTime":1704164645,"Keys":{"id":{"N":"7"}},"NewImage":{…},
//       "OldImage":{…},"SequenceNumber":"000000000000274400680000000000","SizeBytes":312,
//       "StreamViewType":"NEW_AND_OLD_IMAGES"}}]}
//
// Source: Amazon DynamoDB Streams API Reference, "Record" and "StreamRecord"; AWS Lambda Developer Guide,
// "Using AWS Lambda with Amazon DynamoDB".
#include "bridge/payload/attributes.h"
#include "bridge/payload/sequence_number.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "schemas/json/attribute_encode.h"
#include "schemas/json/json_text.h"

static const char *event_name(char op)
{
    return op == 'u' ? "MODIFY" : op == 'd' ? "REMOVE" : "INSERT";
}

static bool is_json_object(struct slice json)
{
    size_t at = 0;
    while (at < json.size && strchr(" \t\r\n", json.data[at]) != NULL) {
        at++;
    }
    return at < json.size && json.data[at] == '{';
}

static bool has_members(const struct event_value *value)
{
    switch (value->kind) {
    case EVENT_VALUE_AVRO: {
        bool is_map = value->type->kind == AVRO_KIND_RECORD || value->type->kind == AVRO_KIND_MAP;
        return is_map && value->type->meaning != AVRO_MEANING_VARIABLE_DECIMAL;
    }
    case EVENT_VALUE_JSON:
        return is_json_object(value->bytes);
    case EVENT_VALUE_NULL:
    case EVENT_VALUE_TEXT:
        return false;
    }
    return false;
}

static bool put_members(struct bytes *out, const struct event_value *value, struct fault *f)
{
    if (value->kind == EVENT_VALUE_AVRO) {
        return attribute_encode_members(value->type, value->bytes, out, f);
    }
    attribute_encode_json_members(out, value->bytes);
    return true;
}

static bool put_datum(struct bytes *out, const struct event_value *value, struct fault *f)
{
    switch (value->kind) {
    case EVENT_VALUE_AVRO:
        return attribute_encode_datum(value->type, value->bytes, out, f);
    case EVENT_VALUE_JSON:
        attribute_encode_json(out, value->bytes);
        return true;
    case EVENT_VALUE_NULL:
    case EVENT_VALUE_TEXT:
        break;
    }
    bytes_append_string(out, "{\"S\":");
    text_append_json(out, value->bytes);
    bytes_append_byte(out, '}');
    return true;
}

/** A row's columns; another value has that one name. */
static bool put_item(struct bytes *out, const struct event_value *value, const char *name, struct fault *f)
{
    if (has_members(value)) {
        return put_members(out, value, f);
    }
    bytes_append_string(out, "{\"");
    bytes_append_string(out, name);
    bytes_append_string(out, "\":");
    bool is_good = put_datum(out, value, f);
    bytes_append_byte(out, '}');
    return is_good;
}

/** A key that only looks like Avro is a text. */
static void put_keys(struct bytes *out, const struct record *r, const struct event_view *e)
{
    struct fault f;
    size_t begin = out->size;
    if (e->key.kind == EVENT_VALUE_NULL) {
        bytes_append_string(out, "{}");
    } else if (!put_item(out, &e->key, "key", &f)) {
        const struct event_value text = {EVENT_VALUE_TEXT, NULL, r->key};
        out->size = begin;
        (void)put_item(out, &text, "key", &f);
    }
}

static bool put_image(struct bytes *out, const char *name, const struct event_value *row, struct fault *f)
{
    if (row->kind == EVENT_VALUE_NULL) {
        return true;
    }
    bytes_append_string(out, name);
    return put_item(out, row, "value", f);
}

static bool put_images(struct bytes *out, const struct payload_options *options, const struct event_view *e,
                       struct fault *f)
{
    unsigned view = options->view;
    bool is_insert = e->op != 'u' && e->op != 'd';
    bool has_new = (view & FUNCTION_IMAGES_NEW) != 0 && e->op != 'd';
    bool has_old = (view & FUNCTION_IMAGES_OLD) != 0 && !is_insert;
    return (!has_new || put_image(out, ",\"NewImage\":", &e->after, f)) &&
           (!has_old || put_image(out, ",\"OldImage\":", &e->before, f));
}

static void put_source(struct bytes *out, const struct attributes *a, const char *region)
{
    bytes_append_string(out, ",\"eventVersion\":\"1.1\",\"eventSource\":\"aws:dynamodb\",\"awsRegion\":\"");
    bytes_append_string(out, region);
    bytes_append_string(out, "\",\"eventSourceARN\":\"arn:aws:dynamodb:");
    bytes_append_string(out, region);
    bytes_append_string(out, ":000000000000:table/");
    if (a->schema.size > 0) {
        payload_append_uri_segment(out, a->schema);
        bytes_append_byte(out, '.');
    }
    payload_append_uri_segment(out, a->table);
    bytes_append_string(out, "/stream/");
    payload_append_uri_segment(out, a->prefix);
}

static const char *view_name(enum function_images view)
{
    static const char *const NAMES[] = {"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"};
    return NAMES[view];
}

static bool render(struct payload *p, const struct record *r, const struct event_view *e, struct fault *f)
{
    struct bytes *out = &p->body;
    struct attributes a = attributes_of(r, e);
    const char *region = p->options->region == NULL ? "local" : p->options->region;
    char sequence[SEQUENCE_NUMBER_DIGITS_MAX];
    bytes_append_string(out, "{\"eventID\":");
    text_append_json(out, r->id);
    bytes_append_string(out, ",\"eventName\":\"");
    bytes_append_string(out, event_name(e->op));
    bytes_append_byte(out, '"');
    put_source(out, &a, region);
    bytes_append_string(out, "\",\"dynamodb\":{");
    if (a.time_us != 0) {
        bytes_append_string(out, "\"ApproximateCreationDateTime\":");
        json_text_integer(out, a.time_us / CLOCK_US_PER_S);
        bytes_append_byte(out, ',');
    }
    bytes_append_string(out, "\"Keys\":");
    put_keys(out, r, e);
    if (!put_images(out, p->options, e, f)) {
        return false;
    }
    bytes_append_string(out, ",\"SequenceNumber\":\"");
    bytes_append(out, sequence, sequence_number_of(r->id, sequence));
    bytes_append_string(out, "\",\"SizeBytes\":");
    json_text_integer(out, (int64_t)(r->key.size + r->value.size));
    bytes_append_string(out, ",\"StreamViewType\":\"");
    bytes_append_string(out, view_name(p->options->view));
    bytes_append_string(out, "\"}}");
    return true;
}

const struct payload_type payload_dynamodb_stream = {
    .kind = "dynamodb-stream",
    .content_type = "application/json",
    .can_batch = true,
    .is_always_batch = true,
    .opening = "{\"Records\":[",
    .closing = "]}",
    .render = render,
};

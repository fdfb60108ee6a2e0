#include "bridge/intake/record.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/block_pool.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "schemas/avro/framing.h"
#include "schemas/json/json_check.h"

enum {
    ID_BYTES_MAX = 256,
    HEADER_OVERHEAD = 48,  // what librdkafka adds to a header's name and value
};
#define KEY_UNKNOWN_VALID_US (60 * CLOCK_US_PER_S)  // how long "unknown schema" is cached for keys

static bool read_id(const rd_kafka_headers_t *headers, const char *name, struct slice *ret)
{
    const void *value;
    size_t size;
    if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR || size == 0 ||
        size > ID_BYTES_MAX) {
        return false;
    }
    *ret = slice_make(value, size);
    return true;
}

/** The id in a record's header (a dead letter without a position has that of its event), else
 * topic-partition-offset, written into `buffer`. */
static struct slice id_of(const char *topic, const rd_kafka_message_t *message,
                          const rd_kafka_headers_t *headers, char *buffer, size_t size)
{
    struct slice id;
    if (headers != NULL &&
        (read_id(headers, EVENT_ID_HEADER, &id) || read_id(headers, EVENT_ID_OF_LETTER_HEADER, &id))) {
        return id;
    }
    int written =
        snprintf(buffer, size, "%s-%" PRId32 "-%" PRId64, topic, message->partition, message->offset);
    return slice_make(buffer, (size_t)written < size ? (size_t)written : size - 1);
}

/** Memory that the headers of a record take; `headers` may be NULL. */
static size_t size_of_headers(const rd_kafka_headers_t *headers)
{
    size_t count = headers == NULL ? 0 : rd_kafka_header_cnt(headers);
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = "";
        const void *value;
        size_t size = 0;
        (void)rd_kafka_header_get_all(headers, i, &name, &value, &size);
        total += HEADER_OVERHEAD + strlen(name) + size;
    }
    return total;
}

static struct slice put(uint8_t **at, struct slice s)
{
    struct slice copy = {*at, s.size};
    if (s.size > 0) {
        memcpy(*at, s.data, s.size);
    }
    *at += s.size;
    return copy;
}

struct record *record_new(const char *topic, rd_kafka_message_t *message, int64_t seen_us)
{
    rd_kafka_headers_t *headers = NULL;
    (void)rd_kafka_message_detach_headers(message, &headers);
    char buffer[ID_BYTES_MAX + 64];
    struct slice id = id_of(topic, message, headers, buffer, sizeof(buffer));
    struct slice key = slice_make(message->key, message->key == NULL ? 0 : message->key_len);
    struct slice value = slice_make(message->payload, message->payload == NULL ? 0 : message->len);

    size_t topic_size = strlen(topic) + 1;
    size_t size = sizeof(struct record) + topic_size + id.size + key.size + value.size + 1;
    struct record *r = block_new(size);
    rd_kafka_timestamp_type_t kind;
    *r = (struct record){
        .reference_count = 1,
        .size = size,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, &kind),
        .arrived_us = seen_us,
        .headers = headers,
        .headers_bytes = size_of_headers(headers),
        .has_key = message->key != NULL,
    };
    r->is_append_time = kind == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
    uint8_t *at = (uint8_t *)(r + 1);
    r->topic = (const char *)put(&at, slice_make(topic, topic_size)).data;
    r->id = put(&at, id);
    r->key = put(&at, key);
    r->value = put(&at, value);
    if (message->payload == NULL) {
        r->value.data = NULL;
    }
    return r;
}

void record_release(struct record *r)
{
    if (r == NULL || --r->reference_count > 0) {
        return;
    }
    if (r->headers != NULL) {
        rd_kafka_headers_destroy(r->headers);
    }
    free(r->reject_message);
    free(r->origin_topic);
    block_free(r, r->size);
}

void record_reject(struct record *r, const char *reason, const char *message)
{
    r->reject_reason = reason;
    free(r->reject_message);
    r->reject_message = memory_string(message);
}

/** The type whose id is in framed bytes. SCHEMA_UNKNOWN: *ret_reason and *f say why there is none. */
static enum schema_step find_type(struct schema_cache *schemas, struct slice wire,
                                  const struct schema_age *age, const struct avro_type **ret,
                                  const char **ret_reason, struct fault *f)
{
    int32_t id;
    struct slice avro;
    if (!framing_split(wire, &id, &avro, f)) {
        *ret_reason = "undecodable";
        return SCHEMA_UNKNOWN;
    }
    const char *why = "";
    enum schema_step step = schema_cache_get(schemas, id, age, ret, &why);
    if (step == SCHEMA_UNKNOWN) {
        *ret_reason = "unknown_schema";
        (void)fault_set(f, FAULT_REJECT, "%s", why);
    }
    return step;
}

struct slice record_header(const struct record *r, const char *name)
{
    const void *value = NULL;
    size_t size = 0;
    if (r->headers != NULL) {
        (void)rd_kafka_header_get_last(r->headers, name, &value, &size);
    }
    return slice_make(value, value == NULL ? 0 : size);
}

/** application/json and whatever ends in +json, with any parameters. */
bool record_is_json_type(struct slice content_type)
{
    static const char *const ENDS[] = {"/json", "+json"};
    size_t size = 0;
    while (size < content_type.size && content_type.data[size] != ';' && content_type.data[size] != ' ') {
        size++;
    }
    for (size_t i = 0; i < COUNT_OF(ENDS); i++) {
        size_t end = strlen(ENDS[i]);
        if (size > end && strncasecmp((const char *)content_type.data + size - end, ENDS[i], end) == 0) {
            return true;
        }
    }
    return false;
}

/** Whether the value is JSON and the record says so. False: *f may say what is wrong with it. */
static bool find_json(struct record *r, struct fault *f)
{
    static const char *const REQUIRED[] = {"ce_id", "ce_source", "ce_type"};
    if (!record_is_json_type(record_header(r, "content-type"))) {
        return false;
    }
    if (!json_check_value(r->value)) {
        return fault_set(f, FAULT_REJECT, "its header content-type says JSON, and it is none");
    }
    r->is_json = true;
    r->is_cloud_event = slice_equal(record_header(r, "ce_specversion"), slice_of("1.0"));
    for (size_t i = 0; i < COUNT_OF(REQUIRED); i++) {
        r->is_cloud_event = r->is_cloud_event && record_header(r, REQUIRED[i]).size > 0;
    }
    return true;
}

/** Whether a key looks like framed Avro. Id 0 is never assigned: it would be a small integer of eight bytes.
 */
static bool is_framed_key(struct slice key)
{
    static const uint8_t NONE[FRAMING_SIZE] = {0};
    return key.size > FRAMING_SIZE && key.data[0] == 0 && memcmp(key.data, NONE, FRAMING_SIZE) != 0;
}

// A key of another producer may look like framed Avro and be none, as any big-endian integer below 2^56 does.
// A key without a type is sent as a string.
bool record_resolve_key(struct record *r, struct schema_cache *schemas)
{
    const struct schema_age age = {r->arrived_us, KEY_UNKNOWN_VALID_US};
    const char *reason = NULL;
    struct fault f;
    return r->key_type != NULL || !is_framed_key(r->key) ||
           find_type(schemas, r->key, &age, &r->key_type, &reason, &f) != SCHEMA_WAIT;
}

bool record_resolve(struct record *r, struct schema_cache *schemas)
{
    const struct schema_age value_age = {r->arrived_us, 0};
    const char *reason = NULL;
    struct fault f;
    if (r->reject_reason != NULL) {
        return true;  // of a shared record, another function has found it
    }
    if (r->value_type == NULL && !r->is_json) {
        switch (find_type(schemas, r->value, &value_age, &r->value_type, &reason, &f)) {
        case SCHEMA_READY:
            break;
        case SCHEMA_WAIT:
            return false;
        case SCHEMA_UNKNOWN:
            if (strcmp(reason, "undecodable") == 0 && find_json(r, &f)) {
                break;
            }
            record_reject(r, reason, f.text);
            return true;
        }
    }
    return record_resolve_key(r, schemas);
}

/** The Avro bytes after the frame that record_resolve has checked. */
static struct slice unframed(struct slice wire)
{
    return slice_make(wire.data + FRAMING_SIZE, wire.size - FRAMING_SIZE);
}

/** An absent key is null. One that is not Avro is a text. */
static struct event_value key_of(const struct record *r)
{
    if (r->key_type != NULL) {
        return (struct event_value){EVENT_VALUE_AVRO, r->key_type, unframed(r->key)};
    }
    return (struct event_value){r->has_key ? EVENT_VALUE_TEXT : EVENT_VALUE_NULL, NULL, r->key};
}

void record_decode_key(const struct record *r, const struct json_options *options, struct bytes *out)
{
    struct fault f;
    struct event_value key = key_of(r);
    if (key.kind != EVENT_VALUE_NULL && !event_value_append(out, &key, options, &f)) {
        text_append_json(out, r->key);
    }
}

bool record_view(struct record *r, struct event_view *ret, struct fault *f)
{
    if (r->is_json) {
        *ret = (struct event_view){.op = 'c', .after = {EVENT_VALUE_JSON, NULL, r->value}, .key = key_of(r)};
        ret->whole = ret->after;
        return true;
    }
    if (!event_view_read(r->value_type, unframed(r->value), ret, f)) {
        return fault_context(f, "value");
    }
    ret->key = key_of(r);
    r->commit_time_us = ret->commit_time_us;
    return true;
}

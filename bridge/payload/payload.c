#include "bridge/payload/payload.h"

#include <time.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "schemas/json/json_text.h"

const struct payload_type *payload_type_of(enum function_payload kind)
{
    static const struct payload_type *const TYPES[] = {
        [FUNCTION_PAYLOAD_CLOUDEVENTS] = &payload_cloudevents,
        [FUNCTION_PAYLOAD_CLOUDEVENTS_STRUCTURED] = &payload_cloudevents_structured,
        [FUNCTION_PAYLOAD_CLOUDEVENTS_BATCH] = &payload_cloudevents_batch,
        [FUNCTION_PAYLOAD_ROW] = &payload_row,
        [FUNCTION_PAYLOAD_LAMBDA_KAFKA] = &payload_lambda_kafka,
        [FUNCTION_PAYLOAD_DYNAMODB_STREAM] = &payload_dynamodb_stream,
        [FUNCTION_PAYLOAD_DEBEZIUM] = &payload_debezium,
    };
    INVARIANT((size_t)kind < COUNT_OF(TYPES));
    return TYPES[kind];
}

struct payload_options payload_options_of(const struct function_config *config)
{
    const struct payload_type *type = payload_type_of(config->payload);
    return (struct payload_options){
        .kind = config->payload,
        .operations = config->source.operations,
        .is_batch = type->is_always_batch || (type->can_batch && config->delivery.batch.events > 1),
        .bytes_max = (size_t)config->delivery.batch.bytes,
        .kafka_encoding = config->lambda_kafka.encoding,
        .kafka_format = config->lambda_kafka.format,
        .view = config->dynamodb_stream.view,
        .region = config->dynamodb_stream.region,
        .decimals = config->debezium.decimals,
        .json = {.int64_as_string = config->int64_as_string},
    };
}

void payload_begin(struct payload *p, const struct payload_options *options)
{
    p->options = options;
    bytes_reset(&p->body);
    bytes_reset(&p->lines);
    groups_reset(&p->groups);
    p->event_count = 0;
    p->reject_reason = NULL;
}

void payload_clear(struct payload *p)
{
    bytes_clear(&p->body);
    bytes_clear(&p->lines);
    bytes_clear(&p->key);
    bytes_clear(&p->spare);
    groups_clear(&p->groups);
}

const char *payload_operation_name(char op)
{
    switch (op) {
    case 'c':
        return "create";
    case 'r':
        return "read";
    case 'u':
        return "update";
    case 'd':
        return "delete";
    case 't':
        return "truncate";
    case 'm':
        return "message";
    default:
        return "unknown";
    }
}

static enum payload_step refuse(struct payload *p, const char *reason)
{
    p->reject_reason = reason;
    return PAYLOAD_REJECTED;
}

enum payload_step payload_add(struct payload *p, struct record *r, struct fault *f)
{
    struct event_view e;
    if (!record_view(r, &e, f)) {
        return refuse(p, "undecodable");
    }
    return payload_add_event(p, r, &e, f);
}

/** Appends the event; returns the size of the body that it makes, 0 when it can't be decoded. */
static size_t append(struct payload *p, const struct record *r, const struct event_view *e, struct fault *f)
{
    const struct payload_type *type = payload_type_of(p->options->kind);
    if (type->open != NULL) {
        type->open(p, r);
    } else if (p->options->is_batch) {
        bytes_append_string(&p->body, p->event_count == 0 ? type->opening : ",");
    }
    if (!type->render(p, r, e, f)) {
        (void)fault_context(f, "value");
        return 0;
    }
    return p->body.size + (p->options->is_batch ? strlen(type->closing) : 0);
}

enum payload_step payload_add_event(struct payload *p, const struct record *r, const struct event_view *e,
                                    struct fault *f)
{
    INVARIANT(p->event_count == 0 || p->options->is_batch);
    if (!function_config_wants(p->options->operations, e->op)) {
        return PAYLOAD_FILTERED;
    }
    size_t body_size = p->body.size;
    size_t lines_size = p->lines.size;
    struct groups_mark mark = groups_mark(&p->groups);
    size_t size = append(p, r, e, f);
    if (size > 0 && size <= p->options->bytes_max) {
        p->event_count++;
        return PAYLOAD_ADDED;
    }
    // Remove all of it: the next event would be sent with its attributes.
    p->body.size = body_size;
    p->lines.size = lines_size;
    groups_rewind(&p->groups, mark);
    if (size == 0) {
        return refuse(p, "undecodable");
    }
    if (p->event_count > 0) {
        return PAYLOAD_FULL;
    }
    (void)fault_set(f, FAULT_REJECT, "a body of %zu bytes is over batch.bytes, %zu", size,
                    p->options->bytes_max);
    return refuse(p, "oversize");
}

void payload_finish(struct payload *p)
{
    const struct payload_type *type = payload_type_of(p->options->kind);
    if (type->close != NULL) {
        type->close(p);
    }
    if (p->options->is_batch) {
        bytes_append_string(&p->body, type->closing);
    }
}

static char *put_digits(char *at, int value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + width;
}

/** Formats the time up to the second's fraction. */
static void format_second(time_t second_s, char *ret)
{
    struct tm tm;
    if (gmtime_r(&second_s, &tm) == NULL) {
        memset(&tm, 0, sizeof(tm));
    }
    char *at = put_digits(ret, tm.tm_year + 1900, 4);
    *at++ = '-';
    at = put_digits(at, tm.tm_mon + 1, 2);
    *at++ = '-';
    at = put_digits(at, tm.tm_mday, 2);
    *at++ = 'T';
    at = put_digits(at, tm.tm_hour, 2);
    *at++ = ':';
    at = put_digits(at, tm.tm_min, 2);
    *at++ = ':';
    at = put_digits(at, tm.tm_sec, 2);
    *at = '.';
}

void payload_append_time(struct bytes *out, int64_t wall_us)
{
    // Events of one transaction have the same second: its text is cached.
    static time_t known_s = -1;
    static char known[sizeof("2024-01-02T03:04:05.") - 1];
    int64_t fraction_us = wall_us % CLOCK_US_PER_S;
    time_t second_s = (time_t)(wall_us / CLOCK_US_PER_S);
    if (fraction_us < 0) {
        fraction_us += CLOCK_US_PER_S;
        second_s--;
    }
    if (second_s != known_s || known[0] == '\0') {
        format_second(second_s, known);
        known_s = second_s;
    }
    char fraction[sizeof("678901Z") - 1];
    *put_digits(fraction, (int)fraction_us, 6) = 'Z';
    bytes_append(out, known, sizeof(known));
    bytes_append(out, fraction, sizeof(fraction));
}

/** Marks the high bit of each byte that a header's value has as %XX; 0 bytes are marked. As
 * text_mark_special. */
static uint64_t mark_encoded(uint64_t word)
{
    uint64_t quote = word ^ (TEXT_ONES * '"');
    uint64_t percent = word ^ (TEXT_ONES * '%');
    uint64_t found =
        (word - TEXT_ONES * 0x21) | (word + TEXT_ONES) | (quote - TEXT_ONES) | (percent - TEXT_ONES) | word;
    return found & (TEXT_ONES * 0x80);
}

void payload_append_header_value(struct bytes *out, struct slice text)
{
    static const char HEX[] = "0123456789ABCDEF";
    uint8_t *at = bytes_reserve(out, text.size * 3 + sizeof(uint64_t));
    const uint8_t *begin = at;
    size_t done = 0;
    while (done < text.size) {
        uint64_t word = text_load(text.data + done, text.size - done);
        size_t plain = text_unmarked(mark_encoded(word));
        memcpy(at, &word, sizeof(word));
        at += plain;
        done += plain;
        if (plain < sizeof(word) && done < text.size) {
            uint8_t c = text.data[done++];
            *at++ = '%';
            *at++ = (uint8_t)HEX[c >> 4];
            *at++ = (uint8_t)HEX[c & 15];
        }
    }
    out->size += (size_t)(at - begin);
}

// Source: RFC 3986, 3.3: pchar.
static bool is_uri_character(uint8_t c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || (c != 0 && strchr("-._~!$&'()*+,;=:@", c) != NULL);
}

bool payload_is_uri_segment(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_uri_character(text.data[i])) {
            return false;
        }
    }
    return true;
}

void payload_append_uri_segment(struct bytes *out, struct slice text)
{
    if (payload_is_uri_segment(text)) {
        bytes_append_slice(out, text);
        return;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (is_uri_character(c)) {
            bytes_append_byte(out, c);
        } else {
            bytes_format(out, "%%%02X", c);
        }
    }
}

void payload_append_header_text(struct bytes *out, struct slice text)
{
    const uint8_t *end = text.size > 0 ? text.data + text.size : text.data;
    if (json_text_plain_end(text.data, end) == end) {
        payload_append_header_value(out, text);
        return;
    }
    CLEANUP(bytes_clear) struct bytes escaped = {0};
    CLEANUP(bytes_clear) struct bytes valid = {0};
    json_text_content(&escaped, text);
    json_text_unescape(&valid, bytes_slice(&escaped));
    payload_append_header_value(out, bytes_slice(&valid));
}

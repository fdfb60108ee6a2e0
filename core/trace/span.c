// Source: opentelemetry-proto 1.3: trace/v1/trace.proto, common/v1/common.proto,
// collector/trace/v1/trace_service.proto. A field is a tag (number << 3 | wire type), then its value. The end
// of a span is the last of its fields, so that it can be set later.
#include "core/trace/span.h"

enum { VARINT = 0, FIXED64 = 1, SIZED = 2, FIXED32 = 5 };
#define TAG(number, type) ((uint8_t)((number) << 3 | (type)))

enum {
    REQUEST_RESOURCE_SPANS = TAG(1, SIZED),
    RESOURCE_SPANS_RESOURCE = TAG(1, SIZED),
    RESOURCE_SPANS_SCOPE_SPANS = TAG(2, SIZED),
    RESOURCE_ATTRIBUTES = TAG(1, SIZED),
    SCOPE_SPANS_SCOPE = TAG(1, SIZED),
    SCOPE_SPANS_SPANS = TAG(2, SIZED),
    SCOPE_NAME = TAG(1, SIZED),
    SCOPE_VERSION = TAG(2, SIZED),
    SPAN_TRACE_ID = TAG(1, SIZED),
    SPAN_SPAN_ID = TAG(2, SIZED),
    SPAN_TRACE_STATE = TAG(3, SIZED),
    SPAN_PARENT_SPAN_ID = TAG(4, SIZED),
    SPAN_NAME = TAG(5, SIZED),
    SPAN_KIND = TAG(6, VARINT),
    SPAN_START = TAG(7, FIXED64),
    SPAN_END = TAG(8, FIXED64),
    SPAN_ATTRIBUTES = TAG(9, SIZED),
    SPAN_LINKS = TAG(13, SIZED),
    SPAN_DROPPED_LINKS = TAG(14, VARINT),
    SPAN_STATUS = TAG(15, SIZED),
    LINK_TRACE_ID = TAG(1, SIZED),
    LINK_SPAN_ID = TAG(2, SIZED),
    LINK_TRACE_STATE = TAG(3, SIZED),
    STATUS_MESSAGE = TAG(2, SIZED),
    STATUS_CODE = TAG(3, VARINT),
    STATUS_ERROR = 2,
    PAIR_KEY = TAG(1, SIZED),
    PAIR_VALUE = TAG(2, SIZED),
    VALUE_STRING = TAG(1, SIZED),
    VALUE_INTEGER = TAG(3, VARINT),
};

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7) {
        size++;
    }
    return size;
}

static void put_varint(struct bytes *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        bytes_append_byte(out, (uint8_t)(value | 0x80));
    }
    bytes_append_byte(out, (uint8_t)value);
}

static void put_sized(struct bytes *out, uint8_t tag, struct slice value)
{
    bytes_append_byte(out, tag);
    put_varint(out, value.size);
    bytes_append_slice(out, value);
}

/** The size of put_sized's output. */
static size_t sized_size(size_t size)
{
    return 1 + varint_size(size) + size;
}

static void put_time(struct bytes *out, uint8_t tag, int64_t ns)
{
    bytes_append_byte(out, tag);
    for (int shift = 0; shift < 64; shift += 8) {
        bytes_append_byte(out, (uint8_t)((uint64_t)ns >> shift));
    }
}

/** Whether it may be in a protobuf string. */
static bool is_utf8(struct slice text)
{
    size_t at = 0;
    while (at < text.size) {
        uint8_t c = text.data[at];
        size_t more = c < 0x80                ? 0
                      : c >= 0xc2 && c < 0xe0 ? 1
                      : c >= 0xe0 && c < 0xf0 ? 2
                      : c >= 0xf0 && c < 0xf5 ? 3
                                              : 4;
        if (more == 4 || more >= text.size - at) {
            return false;
        }
        uint8_t second = more > 0 ? text.data[at + 1] : 0x80;
        bool is_overlong = (c == 0xe0 && second < 0xa0) || (c == 0xf0 && second < 0x90);
        bool is_outside = (c == 0xed && second >= 0xa0) || (c == 0xf4 && second >= 0x90);
        for (size_t i = 1; i <= more; i++) {
            is_outside = is_outside || (text.data[at + i] & 0xc0) != 0x80;
        }
        if (is_overlong || is_outside) {
            return false;
        }
        at += more + 1;
    }
    return true;
}

static void put_pair_text(struct bytes *out, uint8_t tag, struct slice key, struct slice value)
{
    size_t value_size = sized_size(value.size);
    bytes_append_byte(out, tag);
    put_varint(out, sized_size(key.size) + sized_size(value_size));
    put_sized(out, PAIR_KEY, key);
    bytes_append_byte(out, PAIR_VALUE);
    put_varint(out, value_size);
    put_sized(out, VALUE_STRING, value);
}

void span_text(struct span_writer *w, const char *key, struct slice value)
{
    if (is_utf8(value)) {
        put_pair_text(&w->body, SPAN_ATTRIBUTES, slice_of(key), value);
    }
}

void span_number(struct span_writer *w, const char *key, int64_t value)
{
    struct slice name = slice_of(key);
    size_t value_size = 1 + varint_size((uint64_t)value);
    bytes_append_byte(&w->body, SPAN_ATTRIBUTES);
    put_varint(&w->body, sized_size(name.size) + sized_size(value_size));
    put_sized(&w->body, PAIR_KEY, name);
    bytes_append_byte(&w->body, PAIR_VALUE);
    put_varint(&w->body, value_size);
    bytes_append_byte(&w->body, VALUE_INTEGER);
    put_varint(&w->body, (uint64_t)value);
}

void span_link(struct span_writer *w, const struct trace_context *to, struct slice tracestate)
{
    size_t state_size = tracestate.size == 0 ? 0 : sized_size(tracestate.size);
    bytes_append_byte(&w->body, SPAN_LINKS);
    put_varint(&w->body, sized_size(TRACE_ID_BYTES) + sized_size(TRACE_SPAN_ID_BYTES) + state_size);
    put_sized(&w->body, LINK_TRACE_ID, slice_make(to->trace_id, TRACE_ID_BYTES));
    put_sized(&w->body, LINK_SPAN_ID, slice_make(to->span_id, TRACE_SPAN_ID_BYTES));
    if (tracestate.size > 0) {
        put_sized(&w->body, LINK_TRACE_STATE, tracestate);
    }
}

void span_dropped_links(struct span_writer *w, size_t count)
{
    bytes_append_byte(&w->body, SPAN_DROPPED_LINKS);
    put_varint(&w->body, count);
}

static void put_status(struct bytes *out, const char *error)
{
    struct slice text = slice_of(error == NULL ? "" : error);
    text.size = is_utf8(text) ? text.size : 0;
    bytes_append_byte(out, SPAN_STATUS);
    put_varint(out, (text.size == 0 ? 0 : sized_size(text.size)) + 2);
    if (text.size > 0) {
        put_sized(out, STATUS_MESSAGE, text);
    }
    bytes_append_byte(out, STATUS_CODE);
    bytes_append_byte(out, STATUS_ERROR);
}

static void put_name(struct bytes *out, const struct span *s)
{
    struct slice first = slice_of(s->name);
    struct slice second = slice_of(s->name_object == NULL ? "" : s->name_object);
    bytes_append_byte(out, SPAN_NAME);
    put_varint(out, first.size + (second.size == 0 ? 0 : 1 + second.size));
    bytes_append_slice(out, first);
    if (second.size > 0) {
        bytes_append_byte(out, ' ');
        bytes_append_slice(out, second);
    }
}

void span_begin(struct span_writer *w, const struct span *s)
{
    struct bytes *out = &w->body;
    bytes_reset(out);
    w->end_ns = s->end_ns;
    put_sized(out, SPAN_TRACE_ID, slice_make(s->context.trace_id, TRACE_ID_BYTES));
    put_sized(out, SPAN_SPAN_ID, slice_make(s->context.span_id, TRACE_SPAN_ID_BYTES));
    if (s->tracestate.size > 0) {
        put_sized(out, SPAN_TRACE_STATE, s->tracestate);
    }
    if (s->parent_span_id != NULL) {
        put_sized(out, SPAN_PARENT_SPAN_ID, slice_make(s->parent_span_id, TRACE_SPAN_ID_BYTES));
    }
    put_name(out, s);
    bytes_append_byte(out, SPAN_KIND);
    bytes_append_byte(out, (uint8_t)s->kind);
    put_time(out, SPAN_START, s->start_ns);
    if (s->is_failed || s->error != NULL) {
        put_status(out, s->error);
    }
}

void span_end(struct span_writer *w, struct bytes *spans)
{
    put_time(&w->body, SPAN_END, w->end_ns);
    put_sized(spans, SCOPE_SPANS_SPANS, bytes_slice(&w->body));
}

void spans_set_end(struct bytes *spans, int64_t end_ns)
{
    size_t at = 0;
    while (at < spans->size) {
        size_t size = 0;
        int shift = 0;
        at++;  // the tag
        do {
            size |= (size_t)(spans->data[at] & 0x7f) << shift;
            shift += 7;
        } while ((spans->data[at++] & 0x80) != 0);
        at += size;
        uint64_t now;
        uint8_t *end = spans->data + at - sizeof(now);
        memcpy(&now, end, sizeof(now));
        for (size_t i = 0; now == 0 && i < sizeof(now); i++) {
            end[i] = (uint8_t)((uint64_t)end_ns >> (8 * i));
        }
    }
}

void span_writer_clear(struct span_writer *w)
{
    bytes_clear(&w->body);
}

void span_resource_text(struct bytes *resource, const char *key, const char *value)
{
    put_pair_text(resource, RESOURCE_ATTRIBUTES, slice_of(key), slice_of(value));
}

void spans_write_request(struct bytes *out, struct slice resource, struct slice spans)
{
    struct slice scope_name = slice_of("millrace");
    struct slice scope_version = slice_of(MILLRACE_VERSION);
    size_t scope_size = sized_size(scope_name.size) + sized_size(scope_version.size);
    size_t scope_spans_size = sized_size(scope_size) + spans.size;
    bytes_append_byte(out, REQUEST_RESOURCE_SPANS);
    put_varint(out, sized_size(resource.size) + sized_size(scope_spans_size));
    put_sized(out, RESOURCE_SPANS_RESOURCE, resource);
    bytes_append_byte(out, RESOURCE_SPANS_SCOPE_SPANS);
    put_varint(out, scope_spans_size);
    bytes_append_byte(out, SCOPE_SPANS_SCOPE);
    put_varint(out, scope_size);
    put_sized(out, SCOPE_NAME, scope_name);
    put_sized(out, SCOPE_VERSION, scope_version);
    bytes_append_slice(out, spans);
}

#include "bridge/reply/reply_headers.h"

#include <openssl/sha.h>
#include <stdio.h>

#include "core/base/memory.h"

#define HOP_HEADER "millrace-hop"

uint32_t reply_hops(const struct record *r)
{
    struct slice text = record_header(r, HOP_HEADER);
    uint32_t hops = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c < '0' || c > '9' || hops > 100000000) {
            return UINT32_MAX;
        }
        hops = hops * 10 + (c - '0');
    }
    return hops;
}

// Source: RFC 9562, 5.5.
void reply_id_write(const struct reply_place *place, char ret[REPLY_ID_SIZE + 1])
{
    static const uint8_t NAMESPACE[16] = {0x6d, 0x69, 0x6c, 0x6c, 0x72, 0x61, 0x43, 0x65,
                                          0x82, 0x65, 0x70, 0x6c, 0x79, 0x00, 0x00, 0x01};
    CLEANUP(bytes_clear) struct bytes name = {0};
    bytes_append(&name, NAMESPACE, sizeof(NAMESPACE));
    bytes_format(&name, "%s\n%s\n", place->function, record_origin(place->source));
    bytes_append_slice(&name, place->source->id);
    bytes_format(&name, "\n%zu", place->index);
    uint8_t d[SHA_DIGEST_LENGTH];
    (void)SHA1(name.data, name.size, d);
    d[6] = (uint8_t)((d[6] & 0x0f) | 0x50);
    d[8] = (uint8_t)((d[8] & 0x3f) | 0x80);
    (void)snprintf(ret, REPLY_ID_SIZE + 1,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", d[0], d[1], d[2],
                   d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
}

static void add(rd_kafka_headers_t *headers, const char *name, struct slice value)
{
    (void)rd_kafka_header_add(headers, name, -1, value.data, (ssize_t)value.size);
}

/** Adds `ce_<name>`, unless the reply has that attribute itself. */
static void add_own(rd_kafka_headers_t *headers, const struct reply *reply, const char *name,
                    struct slice value)
{
    CLEANUP(memory_free_pointer) char *full = memory_format("ce_%s", name);
    if (reply_attribute_of(reply, name).size == 0 && value.size > 0) {
        add(headers, full, value);
    }
}

static void add_attributes(rd_kafka_headers_t *headers, const struct reply *reply)
{
    for (size_t i = 0; i < reply->attribute_count; i++) {
        const struct reply_attribute *a = &reply->attributes[i];
        bool is_id = slice_equal(a->name, slice_of("id"));
        CLEANUP(memory_free_pointer)
        char *name = is_id ? memory_string("ce_replyid")
                           : memory_format("ce_%.*s", (int)a->name.size, (const char *)a->name.data);
        add(headers, name, a->value);
    }
}

static void add_trace(rd_kafka_headers_t *headers, const struct reply_place *place)
{
    char of_call[TRACE_PARENT_CHARS];
    struct slice trace = record_header(place->source, "traceparent");
    struct slice state = record_header(place->source, "tracestate");
    if (place->call != NULL) {
        trace_context_write(place->call, of_call);
        trace = slice_make(of_call, sizeof(of_call));
    }
    if (trace.size > 0) {
        add(headers, "traceparent", trace);
    }
    if (trace.size > 0 && state.size > 0) {
        add(headers, "tracestate", state);
    }
}

/** The event's id as its function knows it: of a CloudEvent the one that its producer gave it. */
static struct slice event_id(const struct record *r)
{
    return r->is_cloud_event ? record_header(r, "ce_id") : r->id;
}

rd_kafka_headers_t *reply_headers_new(const struct reply *reply, const struct reply_place *place)
{
    char id[REPLY_ID_SIZE + 1];
    const struct record *source = place->source;
    struct slice correlation = record_header(source, "ce_correlationid");
    CLEANUP(memory_free_pointer) char *from = memory_format("/millrace/function/%s", place->function);
    CLEANUP(memory_free_pointer) char *hop = memory_format("%u", reply_hops(source) + 1);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(reply->attribute_count + 12);
    reply_id_write(place, id);
    add(headers, EVENT_ID_HEADER, slice_of(id));
    add(headers, HOP_HEADER, slice_of(hop));
    if (reply->content_type.size > 0) {
        add(headers, "content-type", reply->content_type);
    }
    add(headers, "ce_specversion", slice_of("1.0"));
    add(headers, "ce_id", slice_of(id));
    add_attributes(headers, reply);
    add_own(headers, reply, "source", slice_of(from));
    add_own(headers, reply, "type", slice_of("millrace.reply"));
    add_own(headers, reply, "causationid", event_id(source));
    add_own(headers, reply, "correlationid", correlation.size > 0 ? correlation : event_id(source));
    add_trace(headers, place);
    return headers;
}

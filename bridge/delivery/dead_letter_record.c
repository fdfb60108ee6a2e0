#include "bridge/delivery/dead_letter_record.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/clock.h"

#define HEADER_PREFIX "millrace.dlq."

static void set_header(rd_kafka_headers_t *headers, const char *name, const char *value)
{
    char full[64];
    (void)snprintf(full, sizeof(full), HEADER_PREFIX "%s", name);
    (void)rd_kafka_header_remove(headers, full);  // from an earlier dead letter: replaced, never appended
    (void)rd_kafka_header_add(headers, full, -1, value, -1);
}

static void set_number(rd_kafka_headers_t *headers, const char *name, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    set_header(headers, name, text);
}

static rd_kafka_headers_t *make_headers(const struct record *record, const struct dead_letter_cause *cause)
{
    rd_kafka_headers_t *headers =
        record->headers != NULL ? rd_kafka_headers_copy(record->headers) : rd_kafka_headers_new(12);
    CLEANUP(memory_free_pointer) char *id = slice_to_string(record->id);
    set_header(headers, "function", cause->function);
    set_header(headers, "reason", cause->reason);
    set_header(headers, "message", cause->message);
    if (cause->status != 0) {
        set_number(headers, "status", cause->status);
    } else {
        (void)rd_kafka_header_remove(headers, HEADER_PREFIX "status");
    }
    set_number(headers, "attempts", cause->attempts);
    set_header(headers, "topic", record->topic);
    set_number(headers, "partition", record->partition);
    set_number(headers, "offset", record->offset);
    set_number(headers, "timestamp", record->timestamp_ms);
    set_header(headers, "event_id", id);
    set_number(headers, "failed_at", clock_wall_us() / CLOCK_US_PER_MS);
    return headers;
}

struct dead_letter_record *dead_letter_record_new(struct work_item *item,
                                                  const struct dead_letter_cause *cause)
{
    struct dead_letter_record *r = memory_zeroed(1, sizeof(*r));
    r->record.item = item;
    r->record.headers = make_headers(item->record, cause);
    r->record.key = item->record->has_key ? item->record->key : (struct slice){NULL, 0};
    r->record.value = item->record->value;
    return r;
}

static char *header_text(const rd_kafka_headers_t *headers, const char *name)
{
    const void *value = "";
    size_t size = 0;
    (void)rd_kafka_header_get_last(headers, name, &value, &size);
    return slice_to_string(slice_make(value, size));
}

/** Changes the reason to `oversize`; the message keeps the former reason. */
static void explain(struct topic_record *r)
{
    const struct record *record = r->item->record;
    CLEANUP(memory_free_pointer) char *reason = header_text(r->headers, HEADER_PREFIX "reason");
    CLEANUP(memory_free_pointer) char *message = header_text(r->headers, HEADER_PREFIX "message");
    CLEANUP(memory_free_pointer)
    char *text =
        memory_format("%s: %s; its value of %zu bytes is too large for this topic and was left out: "
                      "read it at offset %" PRId64 " of partition %" PRId32 " of %s",
                      reason, message, record->value.size, record->offset, record->partition, record->topic);
    set_header(r->headers, "reason", "oversize");
    set_header(r->headers, "message", text);
}

static void drop_foreign_headers(struct topic_record *r)
{
    rd_kafka_headers_t *own = rd_kafka_headers_new(12);
    const char *name;
    const void *value;
    size_t size;
    for (size_t i = 0;
         rd_kafka_header_get_all(r->headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        if (strncmp(name, HEADER_PREFIX, strlen(HEADER_PREFIX)) == 0) {
            (void)rd_kafka_header_add(own, name, -1, value, (ssize_t)size);
        }
    }
    rd_kafka_headers_destroy(r->headers);
    r->headers = own;
}

bool dead_letter_record_shrink(struct dead_letter_record *r)
{
    switch (r->form) {
    case DEAD_LETTER_WHOLE:
        explain(&r->record);
        r->record.value = (struct slice){NULL, 0};
        r->form = DEAD_LETTER_WITHOUT_VALUE;
        return true;
    case DEAD_LETTER_WITHOUT_VALUE:
        drop_foreign_headers(&r->record);
        r->form = DEAD_LETTER_WITHOUT_HEADERS;
        return true;
    case DEAD_LETTER_WITHOUT_HEADERS:
        r->record.key = (struct slice){NULL, 0};
        r->form = DEAD_LETTER_WITHOUT_KEY;
        return true;
    case DEAD_LETTER_WITHOUT_KEY:
        break;
    }
    return false;
}

#include "bridge/jobs/letter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct slice header(const struct record *r, const char *name)
{
    char full[64];
    const void *value;
    size_t size;
    (void)snprintf(full, sizeof(full), "millrace.dlq.%s", name);
    bool is_there = r->headers != NULL &&
                    rd_kafka_header_get_last(r->headers, full, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR &&
                    value != NULL;
    return is_there ? slice_make(value, size) : slice_make("", 0);
}

static int64_t number(const struct record *r, const char *name)
{
    char text[24];
    struct slice value = header(r, name);
    if (value.size == 0 || value.size >= sizeof(text)) {
        return -1;
    }
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    if (text[strspn(text, "0123456789")] != '\0') {
        return -1;
    }
    errno = 0;
    int64_t read = strtoll(text, NULL, 10);
    return errno == 0 ? read : -1;
}

bool letter_read(const struct record *r, struct letter_info *ret)
{
    *ret = (struct letter_info){
        .reason = header(r, "reason"),
        .message = header(r, "message"),
        .topic = header(r, "topic"),
        .event_id = header(r, "event_id"),
        .status = number(r, "status"),
        .attempts = number(r, "attempts"),
        .partition = number(r, "partition"),
        .offset = number(r, "offset"),
        .timestamp_ms = number(r, "timestamp"),
        .failed_at_ms = number(r, "failed_at"),
    };
    return ret->reason.size > 0;
}

static void strip(struct record *r)
{
    static const char *const NAMES[] = {"function",  "reason", "message",   "status",   "attempts", "topic",
                                        "partition", "offset", "timestamp", "event_id", "failed_at"};
    for (size_t i = 0; r->headers != NULL && i < COUNT_OF(NAMES); i++) {
        char full[64];
        (void)snprintf(full, sizeof(full), "millrace.dlq.%s", NAMES[i]);
        (void)rd_kafka_header_remove(r->headers, full);
    }
}

void letter_unwrap(struct record *r)
{
    struct letter_info letter;
    if (!letter_read(r, &letter)) {
        return;
    }
    if (letter.topic.size > 0) {
        free(r->origin_topic);
        r->origin_topic = slice_to_string(letter.topic);
        bool has_place = letter.partition >= 0 && letter.partition <= INT32_MAX && letter.offset >= 0;
        r->origin_partition = has_place ? (int32_t)letter.partition : -1;
        r->origin_offset = has_place ? letter.offset : -1;
    }
    r->timestamp_ms = letter.timestamp_ms >= 0 ? letter.timestamp_ms : r->timestamp_ms;
    if (record_is_tombstone(r)) {
        record_reject(r, "oversize",
                      "its value was left out; `millrace replay` delivers it from its origin (dlq show)");
    }
    strip(r);
}

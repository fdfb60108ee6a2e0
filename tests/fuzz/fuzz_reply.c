// Any bytes as the response of a function that replies: lines `name: value` up to an empty one, then the
// body. Without such lines it is the response of an endpoint without headers.
#include "bridge/reply/reply.h"
#include "bridge/reply/reply_headers.h"
#include "core/base/memory.h"

enum { FIELDS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Cuts one line off. False: there is no line left, or it is empty. */
static bool take_line(struct slice *rest, struct http_field *ret)
{
    const uint8_t *end = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
    if (end == NULL) {
        return false;
    }
    struct slice line = slice_make(rest->data, (size_t)(end - rest->data));
    const uint8_t *colon = line.size == 0 ? NULL : memchr(line.data, ':', line.size);
    rest->data += line.size + 1;
    rest->size -= line.size + 1;
    if (colon == NULL) {
        return false;
    }
    size_t name = (size_t)(colon - line.data);
    *ret = (struct http_field){slice_make(line.data, name), slice_make(colon + 1, line.size - name - 1)};
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct record SOURCE = {.topic = "t", .id = {(const uint8_t *)"id", 2}};
    struct http_field fields[FIELDS_MAX];
    struct response r = {.status = 200};
    struct slice rest = slice_make(data, size);
    while (r.field_count < FIELDS_MAX && take_line(&rest, &fields[r.field_count])) {
        r.field_count++;
    }
    r.fields = r.field_count > 0 ? fields : NULL;
    uint8_t *body = memory_new(rest.size + 1);
    if (rest.size > 0) {
        memcpy(body, rest.data, rest.size);
    }
    r.body = slice_make(body, rest.size);
    struct fault f = {0};
    struct replies replies = {0};
    enum reply_kind kind = reply_read(&r, &replies, &f);
    INVARIANT((kind == REPLY_INVALID) == (f.text[0] != '\0'));
    INVARIANT(kind != REPLY_PRESENT || replies.count > 0);
    for (size_t i = 0; kind == REPLY_PRESENT && i < replies.count; i++) {
        const struct reply_place place = {.function = "f", .source = &SOURCE, .index = i};
        rd_kafka_headers_destroy(reply_headers_new(&replies.items[i], &place));
    }
    replies_clear(&replies);
    free(body);
    return 0;
}

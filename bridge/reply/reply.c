#include "bridge/reply/reply.h"

#include <strings.h>

#include "bridge/intake/record.h"
#include "bridge/reply/cloud_event.h"
#include "core/base/text.h"
#include "core/http/http_field_list.h"

static const char STRUCTURED[] = "application/cloudevents+json";
enum { REPLIES_MAX = 1000 };
static const char BATCH[] = "application/cloudevents-batch+json";

/** Compares the media type without its parameters. */
static bool is_type(struct slice content_type, const char *type)
{
    size_t size = strlen(type);
    if (content_type.data == NULL || content_type.size < size ||
        strncasecmp((const char *)content_type.data, type, size) != 0) {
        return false;
    }
    return content_type.size == size || content_type.data[size] == ';' || content_type.data[size] == ' ';
}

static bool parse(const struct response *r, struct replies *ret, struct fault *f)
{
    return json_tree_parse(r->body, (struct json_place){1, 1}, &ret->tree, f) ||
           fault_context(f, "the response's body");
}

static enum reply_kind kind_of(bool is_valid)
{
    return is_valid ? REPLY_PRESENT : REPLY_INVALID;
}

/** Values are decoded from the body, so its size is enough for all of them. */
static void reserve(struct replies *ret, size_t events)
{
    replies_reserve(ret, events, ret->tree.count, ret->tree.source.size);
}

static enum reply_kind read_structured(const struct response *r, struct replies *ret, struct fault *f)
{
    if (!parse(r, ret, f)) {
        return REPLY_INVALID;
    }
    reserve(ret, 1);
    return kind_of(cloud_event_read_json(&ret->tree.nodes[0], ret, f));
}

static enum reply_kind read_batch(const struct response *r, struct replies *ret, struct fault *f)
{
    if (!parse(r, ret, f)) {
        return REPLY_INVALID;
    }
    const struct json_node *list = &ret->tree.nodes[0];
    if (list->kind != FILTER_ARRAY) {
        (void)fault_set(f, FAULT_REJECT, "a batch of CloudEvents is no JSON array");
        return REPLY_INVALID;
    }
    if (list->count > REPLIES_MAX) {
        (void)fault_set(f, FAULT_REJECT, "a batch of %u CloudEvents; at most %d are published", list->count,
                        REPLIES_MAX);
        return REPLY_INVALID;
    }
    reserve(ret, list->count);
    for (const struct json_node *n = json_tree_child(&ret->tree, list); n != NULL;
         n = json_tree_next(&ret->tree, n)) {
        if (!cloud_event_read_json(n, ret, f)) {
            return REPLY_INVALID;
        }
    }
    return list->count == 0 ? REPLY_ABSENT : REPLY_PRESENT;
}

static enum reply_kind read_json(const struct response *r, struct slice content_type, struct replies *ret,
                                 struct fault *f)
{
    if (!parse(r, ret, f)) {
        return REPLY_INVALID;
    }
    const struct json_node *root = &ret->tree.nodes[0];
    if (root->kind == FILTER_NULL) {
        return REPLY_ABSENT;
    }
    reserve(ret, 1);
    if (r->fields == NULL && cloud_event_is_json(&ret->tree, root)) {
        return kind_of(cloud_event_read_json(root, ret, f));
    }
    ret->items[ret->count++] = (struct reply){.content_type = content_type, .data = r->body};
    return REPLY_PRESENT;
}

static bool has_no_reply(const struct response *r)
{
    bool is_2xx = r->status >= 200 && r->status <= 299;
    return !is_2xx || r->status == 202 || r->status == 204 || r->status == 205;
}

enum reply_kind reply_read(const struct response *r, struct replies *ret, struct fault *f)
{
    struct slice content_type = r->fields == NULL
                                    ? slice_of("application/json")
                                    : http_field_list_find(r->fields, r->field_count, "content-type");
    bool is_binary = cloud_event_is_binary(r);
    if (has_no_reply(r) || (text_is_blank(r->body) && !is_binary)) {
        return REPLY_ABSENT;
    }
    struct slice encoding = http_field_list_find(r->fields, r->field_count, "content-encoding");
    if (encoding.size > 0 && !is_type(encoding, "identity")) {
        (void)fault_set(f, FAULT_REJECT, "its body is compressed, which was not asked for");
        return REPLY_INVALID;
    }
    if (is_type(content_type, STRUCTURED)) {
        return read_structured(r, ret, f);
    }
    if (is_type(content_type, BATCH)) {
        return read_batch(r, ret, f);
    }
    if (is_binary) {
        return kind_of(cloud_event_read_binary(r, content_type, ret, f));
    }
    return record_is_json_type(content_type) ? read_json(r, content_type, ret, f) : REPLY_FOREIGN;
}

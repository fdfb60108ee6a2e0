#include "bridge/filter/json_event.h"

#include "core/base/text.h"

static uint32_t last_child(const struct json_tree *t, uint32_t parent)
{
    uint32_t at = t->nodes[parent].child;
    while (at != 0 && t->nodes[at].next != 0) {
        at = t->nodes[at].next;
    }
    return at;
}

/** Adds a member behind those that the object has; pointers to nodes are invalid then. */
static uint32_t add_member(struct json_tree *t, uint32_t object, struct slice name, struct json_node node)
{
    uint32_t last = last_child(t, object);
    uint32_t added = json_tree_add(t, node);
    t->nodes[added].name = name;
    t->nodes[added].next = 0;
    *(last == 0 ? &t->nodes[object].child : &t->nodes[last].next) = added;
    t->nodes[object].count++;
    return added;
}

/** A header, and an object of those whose names go on with a dot: both are found, as elements of an array. */
static void pair(struct json_tree *t, uint32_t member, struct json_node header, struct json_node object)
{
    uint32_t second = json_tree_add(t, object);
    uint32_t first = json_tree_add(t, header);
    struct json_node *node = &t->nodes[member];
    t->nodes[second].next = 0;
    t->nodes[first].next = second;
    node->kind = FILTER_ARRAY;
    node->text = (struct slice){0};
    node->child = first;
    node->count = 2;
}

/** The object of that name, which is added if it is not there. */
static uint32_t object_of(struct json_tree *t, uint32_t parent, struct slice name)
{
    const struct json_node *found = json_tree_member(t, &t->nodes[parent], name);
    const struct json_node object = {
        .kind = FILTER_OBJECT, .at = t->nodes[parent].at, .end = t->nodes[parent].end};
    if (found == NULL) {
        return add_member(t, parent, name, object);
    }
    uint32_t member = (uint32_t)(found - t->nodes);
    if (found->kind == FILTER_OBJECT) {
        return member;
    }
    if (found->kind != FILTER_ARRAY) {
        pair(t, member, *found, object);
    }
    return last_child(t, member);
}

static void put_header(struct json_tree *t, uint32_t object, struct slice name, struct json_node header)
{
    const struct json_node *found = json_tree_member(t, &t->nodes[object], name);
    if (found == NULL || (found->kind != FILTER_OBJECT && found->kind != FILTER_ARRAY)) {
        (void)add_member(t, object, name, header);
        return;
    }
    uint32_t member = (uint32_t)(found - t->nodes);
    pair(t, member, header, found->kind == FILTER_OBJECT ? *found : t->nodes[last_child(t, member)]);
}

/** "a.b": "x" is also found as "a": {"b": "x"}. */
static void nest(struct json_tree *t, uint32_t headers, struct json_node header)
{
    const uint8_t *start = header.name.data;
    const uint8_t *end = start + header.name.size;
    uint32_t object = headers;
    for (const uint8_t *dot; (dot = memchr(start, '.', (size_t)(end - start))) != NULL; start = dot + 1) {
        object = object_of(t, object, slice_make(start, (size_t)(dot - start)));
    }
    put_header(t, object, slice_make(start, (size_t)(end - start)), header);
}

static void nest_headers(struct json_tree *t, const struct json_node *event)
{
    const struct json_node *headers = json_tree_member(t, event, slice_of("headers"));
    if (headers == NULL || headers->kind != FILTER_OBJECT) {
        return;
    }
    uint32_t object = (uint32_t)(headers - t->nodes);
    uint32_t count = headers->count;
    uint32_t at = headers->child;
    for (uint32_t i = 0; i < count; i++) {
        struct json_node header = t->nodes[at];
        at = header.next;
        if (header.name.size > 0 && memchr(header.name.data, '.', header.name.size) != NULL) {
            nest(t, object, header);
        }
    }
}

bool json_event_parse(struct slice text, struct json_place start, struct json_tree *tree,
                      struct filter_value *ret, struct fault *f)
{
    if (!json_tree_parse(text, start, tree, f)) {
        return false;
    }
    const struct json_node *event = &tree->nodes[0];
    if (event->kind != FILTER_OBJECT) {
        return json_tree_refuse(tree, event->at, f, "an event is an object");
    }
    const struct json_node *data = json_tree_member(tree, event, slice_of("data"));
    bool is_cloud_event = json_tree_member(tree, event, slice_of("specversion")) != NULL && data != NULL &&
                          data->kind == FILTER_OBJECT;
    event = is_cloud_event ? data : event;
    uint32_t index = (uint32_t)(event - tree->nodes);
    if (json_tree_member(tree, event, slice_of("op")) == NULL) {
        struct json_node op = *event;
        op = (struct json_node){.kind = FILTER_TEXT, .text = slice_of("c"), .at = op.at, .end = op.end};
        (void)add_member(tree, index, slice_of("op"), op);
    }
    nest_headers(tree, &tree->nodes[index]);
    *ret = json_tree_value(tree, &tree->nodes[index]);
    return true;
}

static void put_headers(struct bytes *out, const rd_kafka_headers_t *headers)
{
    const char *name;
    const void *value;
    size_t size;
    bytes_append_string(out, ",\"headers\":{");
    for (size_t i = 0; headers != NULL && rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
                                              RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        bytes_append_string(out, i == 0 ? "" : ",");
        text_append_json(out, slice_of(name));
        bytes_append_byte(out, ':');
        if (value == NULL) {
            bytes_append_string(out, "null");
        } else {
            text_append_json(out, slice_make(value, size));
        }
    }
    bytes_append_byte(out, '}');
}

void json_event_append_record(struct bytes *out, struct slice key, const rd_kafka_headers_t *headers,
                              struct slice value)
{
    bytes_append_string(out, "{\"op\":\"c\",\"before\":null,\"source\":null");
    if (key.size > 0) {
        bytes_append_string(out, ",\"key\":");
        bytes_append_slice(out, key);
    }
    put_headers(out, headers);
    bytes_append_string(out, ",\"after\":");
    bytes_append_slice(out, value);
    bytes_append_byte(out, '}');
}

char json_event_op(struct filter_value event)
{
    const struct json_tree *tree = event.data;
    const struct json_node *op = json_tree_member(tree, &tree->nodes[event.at], slice_of("op"));
    return op != NULL && op->kind == FILTER_TEXT && op->text.size == 1 ? (char)op->text.data[0] : '\0';
}

#include "bridge/delivery/item_failures.h"

#include <inttypes.h>
#include <stdio.h>

#include "bridge/filter/json_tree.h"
#include "bridge/payload/cloud_headers.h"
#include "bridge/payload/sequence_number.h"
#include "core/base/memory.h"
#include "core/base/text.h"

enum {
    BODY_MIN = 16 << 10,
    BODY_PER_EVENT = 512,  // an identifier with its topic's name, indented
    BODY_MAX = 1 << 20,
};

size_t item_failures_body_max(size_t event_count)
{
    size_t size = BODY_MIN + event_count * BODY_PER_EVENT;
    return size < BODY_MAX ? size : BODY_MAX;
}

/** The events of a call by id, by place and, once one is named so, by sequence number; open addressing.
 * Several events may have one id: a change that was published twice. A record that is a CloudEvent has its
 * own id beside that of the record. */
struct event_index {
    struct work_item **slots;
    size_t mask;
    struct work_item *items;
    bool has_sequences;
    bool has_checkpoint;  // an event was named by its sequence number
};

static uint64_t hash_of_place(struct record_place place)
{
    return text_hash(slice_of(place.topic)) + (uint64_t)place.partition * UINT64_C(0x9e3779b97f4a7c15) +
           (uint64_t)place.offset * UINT64_C(0xbf58476d1ce4e5b9);
}

static void index_add(struct event_index *index, uint64_t hash, struct work_item *item)
{
    size_t at = hash & index->mask;
    while (index->slots[at] != NULL) {
        at = (at + 1) & index->mask;
    }
    index->slots[at] = item;
}

static void index_init(struct event_index *index, struct work_item *items, size_t count)
{
    size_t size = 8;
    while (size < 8 * count) {
        size *= 2;
    }
    *index = (struct event_index){memory_zeroed(size, sizeof(*index->slots)), size - 1, items, false, false};
    for (struct work_item *item = items; item != NULL; item = item->next) {
        const struct record *r = item->record;
        index_add(index, text_hash(r->id), item);
        if (r->is_cloud_event) {
            index_add(index, text_hash(cloud_headers_id(r)), item);
        }
        index_add(index, hash_of_place(record_place(r)), item);
    }
}

static void index_clear(struct event_index *index)
{
    free(index->slots);
}

static bool has_id(const struct record *r, struct slice id)
{
    return slice_equal(r->id, id) || (r->is_cloud_event && slice_equal(cloud_headers_id(r), id));
}

/** Whether any event has this id; they are all marked. */
static bool mark_id(const struct event_index *index, struct slice id)
{
    bool is_known = false;
    for (size_t at = text_hash(id) & index->mask; index->slots[at] != NULL; at = (at + 1) & index->mask) {
        struct work_item *item = index->slots[at];
        if (has_id(item->record, id)) {
            item->retry.is_reported = is_known = true;
        }
    }
    return is_known;
}

static uint64_t hash_of_sequence(const struct record *r)
{
    char number[SEQUENCE_NUMBER_DIGITS_MAX];
    return text_hash(slice_make(number, sequence_number_of(r->id, number)));
}

static bool has_sequence(const struct record *r, struct slice text)
{
    char number[SEQUENCE_NUMBER_DIGITS_MAX];
    return slice_equal(slice_make(number, sequence_number_of(r->id, number)), text);
}

/** Whether any event has this SequenceNumber; they are all marked. */
static bool mark_sequence(struct event_index *index, struct slice text)
{
    bool is_known = false;
    if (!sequence_number_is(text)) {
        return false;
    }
    for (struct work_item *item = index->items; item != NULL && !index->has_sequences; item = item->next) {
        index_add(index, hash_of_sequence(item->record), item);
    }
    index->has_sequences = true;
    for (size_t at = text_hash(text) & index->mask; index->slots[at] != NULL; at = (at + 1) & index->mask) {
        struct work_item *item = index->slots[at];
        if (has_sequence(item->record, text)) {
            item->retry.is_reported = is_known = true;
        }
    }
    index->has_checkpoint = index->has_checkpoint || is_known;
    return is_known;
}

/** Adds the events that follow the first named one. */
static void mark_behind(struct work_item *items)
{
    bool is_behind = false;
    for (struct work_item *item = items; item != NULL; item = item->next) {
        item->retry.is_behind = is_behind && !item->retry.is_reported;
        is_behind = is_behind || item->retry.is_reported;
        item->retry.is_reported = is_behind;
    }
}

/** An integer that is written without a fraction or an exponent. */
static bool read_offset(const struct json_node *node, int64_t *ret)
{
    char text[24];
    if (node == NULL || node->kind != FILTER_NUMBER || node->text.size >= sizeof(text)) {
        return false;
    }
    memcpy(text, node->text.data, node->text.size);
    text[node->text.size] = '\0';
    char *end;
    *ret = strtoll(text, &end, 10);
    return *end == '\0';
}

static bool is_place_of(const struct record *r, struct slice partition, int64_t offset)
{
    char name[300];
    struct record_place place = record_place(r);
    int size = snprintf(name, sizeof(name), "%s-%" PRId32, place.topic, place.partition);
    return place.offset == offset && size > 0 && (size_t)size < sizeof(name) &&
           slice_equal(slice_make(name, (size_t)size), partition);
}

/** `<topic>-<partition>`; topics have dashes, too. */
static bool split_partition(struct slice text, char *topic, size_t size, int32_t *ret)
{
    if (text.size == 0 || text.size >= size || memchr(text.data, '\0', text.size) != NULL) {
        return false;
    }
    memcpy(topic, text.data, text.size);
    topic[text.size] = '\0';
    char *dash = strrchr(topic, '-');
    if (dash == NULL) {
        return false;
    }
    *dash = '\0';
    *ret = (int32_t)strtol(dash + 1, NULL, 10);
    return true;
}

static bool mark_place(const struct json_tree *t, const struct event_index *index,
                       const struct json_node *object)
{
    const struct json_node *partition = json_tree_member(t, object, slice_of("partition"));
    const struct json_node *offset = json_tree_member(t, object, slice_of("offset"));
    char topic[300];
    int32_t number;
    int64_t at_offset;
    if (partition == NULL || partition->kind != FILTER_TEXT || !read_offset(offset, &at_offset) ||
        !split_partition(partition->text, topic, sizeof(topic), &number)) {
        return false;
    }
    bool is_known = false;
    const struct record_place place = {topic, number, at_offset};
    for (size_t at = hash_of_place(place) & index->mask; index->slots[at] != NULL;
         at = (at + 1) & index->mask) {
        struct work_item *item = index->slots[at];
        if (is_place_of(item->record, partition->text, at_offset)) {
            item->retry.is_reported = is_known = true;
        }
    }
    return is_known;
}

static bool mark_item(const struct json_tree *t, struct event_index *index, const struct json_node *item,
                      struct fault *f)
{
    const struct json_node *id =
        item->kind == FILTER_OBJECT ? json_tree_member(t, item, slice_of("itemIdentifier")) : NULL;
    if (id == NULL) {
        return json_tree_refuse(t, item->at, f, "an item of batchItemFailures has no itemIdentifier");
    }
    if (id->kind == FILTER_TEXT && id->text.size > 0) {
        return mark_id(index, id->text) || mark_sequence(index, id->text) ||
               json_tree_refuse(t, id->at, f, "no event of the call has this itemIdentifier");
    }
    if (id->kind == FILTER_OBJECT) {
        return mark_place(t, index, id) ||
               json_tree_refuse(t, id->at, f,
                                "no event of the call has this itemIdentifier (partition, offset)");
    }
    return json_tree_refuse(t, id->at, f, "itemIdentifier is not an event's id");
}

static bool mark_items(const struct json_tree *t, const struct json_node *list, struct work_item *items,
                       size_t count, struct fault *f)
{
    struct event_index index;
    index_init(&index, items, count);
    bool is_valid = true;
    for (const struct json_node *n = json_tree_child(t, list); is_valid && n != NULL;
         n = json_tree_next(t, n)) {
        is_valid = mark_item(t, &index, n, f);
    }
    if (is_valid && index.has_checkpoint) {
        mark_behind(items);
    }
    index_clear(&index);
    return is_valid;
}

static enum item_failures read_tree(const struct json_tree *t, struct work_item *items, size_t count,
                                    struct fault *f)
{
    const struct json_node *root = &t->nodes[0];
    if (root->kind == FILTER_NULL || (root->kind == FILTER_ARRAY && root->count == 0)) {
        return ITEM_FAILURES_NONE;
    }
    if (root->kind != FILTER_OBJECT) {
        (void)json_tree_refuse(t, root->at, f, "the body is not an object with batchItemFailures");
        return ITEM_FAILURES_INVALID;
    }
    const struct json_node *list = json_tree_member(t, root, slice_of("batchItemFailures"));
    if (list == NULL || list->kind == FILTER_NULL || (list->kind == FILTER_ARRAY && list->count == 0)) {
        return ITEM_FAILURES_NONE;
    }
    if (list->kind != FILTER_ARRAY) {
        (void)json_tree_refuse(t, list->at, f, "batchItemFailures is not a list");
        return ITEM_FAILURES_INVALID;
    }
    return mark_items(t, list, items, count, f) ? ITEM_FAILURES_SOME : ITEM_FAILURES_INVALID;
}

enum item_failures item_failures_read(struct slice body, struct work_item *items, size_t count,
                                      struct fault *f)
{
    for (struct work_item *item = items; item != NULL; item = item->next) {
        item->retry.is_reported = item->retry.is_behind = false;
    }
    if (body.size > item_failures_body_max(count)) {
        (void)fault_set(f, FAULT_REJECT, "1:1: the body is longer than %zu bytes",
                        item_failures_body_max(count));
        return ITEM_FAILURES_INVALID;
    }
    if (text_is_blank(body)) {
        return ITEM_FAILURES_NONE;
    }
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    if (!json_tree_parse(body, (struct json_place){1, 1}, &tree, f)) {
        return ITEM_FAILURES_INVALID;
    }
    return read_tree(&tree, items, count, f);
}

#include "bridge/payload/groups.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "schemas/json/json_text.h"

static const char BETWEEN[] = "],";  // two groups

enum { CAPACITY_MIN = 8 };

static size_t find(const struct groups *g, const char *topic, int32_t partition)
{
    for (size_t i = g->count; i > 0; i--) {
        const struct group *group = &g->items[i - 1];
        if (group->partition == partition && (group->topic == topic || strcmp(group->topic, topic) == 0)) {
            return i - 1;
        }
    }
    return g->count;
}

static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count == *capacity) {
        *capacity = count == 0 ? CAPACITY_MIN : count * 2;
        items = memory_resize(items, *capacity * size);
    }
    return items;
}

static void add_group(struct groups *g, struct bytes *body, const char *topic, int32_t partition)
{
    g->items = grown(g->items, g->count, &g->capacity, sizeof(*g->items));
    if (g->count > 0) {
        bytes_append_string(body, BETWEEN);
    }
    struct group *group = &g->items[g->count++];
    *group = (struct group){.topic = topic, .partition = partition, .begin = body->size};
    bytes_append_byte(body, '"');
    json_text_content(body, slice_of(topic));
    bytes_append_byte(body, '-');
    json_text_integer(body, partition);
    bytes_append_string(body, "\":[");
    group->end = body->size;
}

static void add_event(struct groups *g, size_t begin, size_t group, int64_t offset)
{
    g->events = grown(g->events, g->event_count, &g->event_capacity, sizeof(*g->events));
    g->events[g->event_count++] = (struct group_event){.begin = begin, .group = group, .offset = offset};
}

void groups_open(struct groups *g, struct bytes *body, const char *topic, int32_t partition, int64_t offset)
{
    size_t at = find(g, topic, partition);
    struct group_event *last = g->event_count == 0 ? NULL : &g->events[g->event_count - 1];
    if (last != NULL) {
        last->end = body->size;
    }
    if (at == g->count) {
        add_group(g, body, topic, partition);
    } else {
        g->is_mixed = g->is_mixed || last->group != at || last->offset > offset;
        bytes_append_byte(body, ',');
    }
    add_event(g, body->size, at, offset);
}

struct groups_mark groups_mark(const struct groups *g)
{
    return (struct groups_mark){g->count, g->event_count, g->is_mixed};
}

void groups_rewind(struct groups *g, struct groups_mark mark)
{
    g->count = mark.count;
    g->event_count = mark.event_count;
    g->is_mixed = mark.is_mixed;
}

/** By group, in the order of their first events, and offset; equal offsets (redriven twice) as they came. */
static int compare(const void *left, const void *right)
{
    const struct group_event *a = left;
    const struct group_event *b = right;
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    if (a->offset != b->offset) {
        return a->offset < b->offset ? -1 : 1;
    }
    return a->begin < b->begin ? -1 : 1;
}

static void append_part(const struct bytes *body, size_t begin, size_t end, struct bytes *out)
{
    bytes_append(out, body->data + begin, end - begin);
}

void groups_close(struct groups *g, struct bytes *body, struct bytes *spare)
{
    if (!g->is_mixed) {
        return;
    }
    g->events[g->event_count - 1].end = body->size;
    qsort(g->events, g->event_count, sizeof(*g->events), compare);
    bytes_reset(spare);
    (void)bytes_reserve(spare, body->size + BYTES_PADDING);
    append_part(body, 0, g->items[0].begin, spare);
    for (size_t i = 0; i < g->event_count; i++) {
        const struct group_event *e = &g->events[i];
        const struct group *group = &g->items[e->group];
        if (i > 0 && g->events[i - 1].group == e->group) {
            bytes_append_byte(spare, ',');
        } else {
            bytes_append_string(spare, i == 0 ? "" : BETWEEN);
            append_part(body, group->begin, group->end, spare);
        }
        append_part(body, e->begin, e->end, spare);
    }
    INVARIANT(spare->size == body->size);
    struct bytes ordered = *spare;
    *spare = *body;
    *body = ordered;
}

void groups_reset(struct groups *g)
{
    groups_rewind(g, (struct groups_mark){0});
}

void groups_clear(struct groups *g)
{
    free(g->items);
    free(g->events);
    *g = (struct groups){0};
}

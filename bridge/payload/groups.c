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

static void add_run(struct groups *g, size_t begin, size_t group)
{
    g->runs = grown(g->runs, g->run_count, &g->run_capacity, sizeof(*g->runs));
    g->runs[g->run_count++] = (struct group_run){.begin = begin, .group = group};
}

static void add_group(struct groups *g, struct bytes *body, const char *topic, int32_t partition)
{
    g->items = grown(g->items, g->count, &g->capacity, sizeof(*g->items));
    if (g->count > 0) {
        bytes_append_string(body, BETWEEN);
    }
    add_run(g, body->size, g->count);
    g->items[g->count++] = (struct group){.topic = topic, .partition = partition};
    bytes_append_byte(body, '"');
    json_text_content(body, slice_of(topic));
    bytes_append_byte(body, '-');
    json_text_integer(body, partition);
    bytes_append_string(body, "\":[");
}

void groups_open(struct groups *g, struct bytes *body, const char *topic, int32_t partition)
{
    size_t at = find(g, topic, partition);
    if (g->run_count > 0) {
        g->runs[g->run_count - 1].end = body->size;
    }
    if (at == g->count) {
        add_group(g, body, topic, partition);
        return;
    }
    if (g->runs[g->run_count - 1].group != at) {
        add_run(g, body->size, at);
        g->is_mixed = true;
    }
    bytes_append_byte(body, ',');
}

struct groups_mark groups_mark(const struct groups *g)
{
    return (struct groups_mark){g->count, g->run_count, g->is_mixed};
}

void groups_rewind(struct groups *g, struct groups_mark mark)
{
    g->count = mark.count;
    g->run_count = mark.run_count;
    g->is_mixed = mark.is_mixed;
}

/** Links the runs of each group. Run 0 is the first of its group, so that 0 can mean none. */
static void link_runs(struct groups *g)
{
    size_t known = 0;  // groups appear in the order of their first runs
    for (size_t i = 0; i < g->run_count; i++) {
        struct group *group = &g->items[g->runs[i].group];
        g->runs[i].next = 0;
        if (g->runs[i].group == known) {
            group->first_run = i;
            known++;
        } else {
            g->runs[group->last_run].next = i;
        }
        group->last_run = i;
    }
}

static void append_group(const struct groups *g, size_t index, const struct bytes *body, struct bytes *out)
{
    size_t run = g->items[index].first_run;
    do {
        const struct group_run *r = &g->runs[run];
        bytes_append(out, body->data + r->begin, r->end - r->begin);
        run = r->next;
    } while (run != 0);
}

void groups_close(struct groups *g, struct bytes *body, struct bytes *spare)
{
    if (!g->is_mixed) {
        return;
    }
    g->runs[g->run_count - 1].end = body->size;
    link_runs(g);
    bytes_reset(spare);
    (void)bytes_reserve(spare, body->size + BYTES_PADDING);
    bytes_append(spare, body->data, g->runs[0].begin);
    for (size_t i = 0; i < g->count; i++) {
        if (i > 0) {
            bytes_append_string(spare, BETWEEN);
        }
        append_group(g, i, body, spare);
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
    free(g->runs);
    *g = (struct groups){0};
}

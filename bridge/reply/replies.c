#include "bridge/reply/replies.h"

#include "core/base/memory.h"

void replies_reserve(struct replies *replies, size_t events, size_t attributes, size_t bytes)
{
    replies->items = memory_zeroed(events + 1, sizeof(*replies->items));
    replies->attributes = memory_zeroed(attributes + 1, sizeof(*replies->attributes));
    (void)bytes_reserve(&replies->text, bytes + 1);
}

void replies_clear(struct replies *replies)
{
    free(replies->items);
    free(replies->attributes);
    bytes_clear(&replies->text);
    json_tree_clear(&replies->tree);
    *replies = (struct replies){0};
}

struct slice reply_attribute_of(const struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->attribute_count; i++) {
        if (slice_equal(reply->attributes[i].name, slice_of(name))) {
            return reply->attributes[i].value;
        }
    }
    return (struct slice){NULL, 0};
}

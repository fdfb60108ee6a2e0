// The events of one response.
#ifndef BRIDGE_REPLY_REPLIES_H
#define BRIDGE_REPLY_REPLIES_H

#include "bridge/filter/json_tree.h"

struct reply_attribute {
    struct slice name;
    struct slice value;  // as text; not empty
};

/** One event; borrowed from the response and from struct replies. */
struct reply {
    bool is_cloud_event;
    struct reply_attribute *attributes;  // those of a CloudEvent, without specversion and datacontenttype
    size_t attribute_count;
    struct slice content_type;  // of the data
    struct slice data;
};

/** Zero-initialised is empty. */
struct replies {
    struct reply *items;
    size_t count;
    struct reply_attribute *attributes;
    size_t attribute_count;
    struct bytes text;  // values that were decoded
    struct json_tree tree;
};

/** Makes room for so many events with so many attributes in all, and for so many bytes of decoded values:
 * nothing moves while they are read. */
void replies_reserve(struct replies *replies, size_t events, size_t attributes, size_t bytes);

void replies_clear(struct replies *replies);

/** The value of an attribute; size 0: it has none. */
struct slice reply_attribute_of(const struct reply *reply, const char *name);

#endif

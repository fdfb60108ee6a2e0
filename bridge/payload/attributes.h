// The CloudEvents 1.0 attributes of one event, for all payloads.
#ifndef BRIDGE_PAYLOAD_ATTRIBUTES_H
#define BRIDGE_PAYLOAD_ATTRIBUTES_H

#include "bridge/payload/payload.h"

/** Borrowed from the event and its JSON. `prefix`, `schema` and `table` are escaped as in JSON. */
struct attributes {
    struct slice id;
    struct slice prefix;    // of source `/millrace/<prefix>`
    const char *operation;  // of type `millrace.change.<operation>`
    struct slice schema;    // of subject `<schema>.<table>`; size 0: the subject is `table` alone
    struct slice table;
    int64_t time_us;   // wall; 0: none
    struct slice key;  // partitionkey, as JSON; size 0: none
};

struct attributes attributes_of(const struct record *r, const struct event_json *json);

#endif

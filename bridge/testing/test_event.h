// An event that was written as JSON, as a function sees it, made into what filter and payload take.
#ifndef BRIDGE_TESTING_TEST_EVENT_H
#define BRIDGE_TESTING_TEST_EVENT_H

#include "bridge/config/function_config.h"
#include "bridge/filter/json_tree.h"
#include "bridge/intake/record.h"

/** Zero-initialised is empty. */
struct test_event {
    struct record record;    // only the members that payloads read; not counted
    struct event_view view;  // of `whole`
    struct bytes whole;      // {"key":…,"headers":…,"op":…,…}: what filters match
    struct json_tree tree;   // of `whole`
    char *topic;
    char *id;
};

/**
 * Reads an event: `op` (c, r, u, d, t, m or create, read …), `before`, `after`, `key`, `headers`, `source`,
 * and `topic`, `id`. What is absent has a default: op u with a before and an after, d with a before alone,
 * else c; the topic is the function's first one, the source its three parts.
 *
 * @param f  FAULT_CONFIG: "LINE:COLUMN: reason"
 */
bool test_event_read(const struct json_tree *t, const struct json_node *event,
                     const struct function_config *config, struct test_event *ret, struct fault *f) MUST_USE;
void test_event_clear(struct test_event *e);

#endif

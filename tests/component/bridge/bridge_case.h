// A whole bridge on one loop: embedded broker, embedded registry, a stub function, and a producer of changes.
#ifndef TESTS_COMPONENT_BRIDGE_BRIDGE_CASE_H
#define TESTS_COMPONENT_BRIDGE_BRIDGE_CASE_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

#include "bridge/bridge.h"
#include "tests/component/bridge/stub_function.h"
#include "tests/component/case_part.h"

#define CASE_TOPIC "shop.public.orders"

struct bridge_case {
    uv_loop_t loop;
    rd_kafka_t *broker;
    struct settings settings;
    struct registry *registry;
    struct metrics *metrics;
    struct bridge *bridge;
    struct stub_function *stub;
    void *script;  // `self` of the stub's script
    rd_kafka_t *producer;
    int32_t key_schema;
    int32_t value_schema;
    int end_count;        // how often on_end was called
    bool is_over_at_end;  // whether all functions had stopped by then
    uv_timer_t timer;
};

/** Starts everything except functions; the script decides the stub's responses. */
void case_start(struct bridge_case *c, stub_script script, void *self);
/** The same; a drain waits this long for calls, and then for Kafka. */
void case_start_limited(struct bridge_case *c, stub_script script, void *self, uint64_t drain_ms,
                        uint64_t leave_ms);
void case_stop(struct bridge_case *c);

/** A configuration with the documented defaults, `start: earliest`, for the stub; the caller changes it. */
struct function_config *case_config(const struct bridge_case *c, const char *name);
void case_apply(struct bridge_case *c, struct function_config *config);

/** Produces one change of order `id` to partition 0: op c, u or d. */
void case_change(struct bridge_case *c, int64_t id, char op, const char *note);
/** As case_change, with a key of any bytes. */
void case_keyed_change(struct bridge_case *c, struct slice key, int64_t id, char op, const char *note);

/** `count` keys from `first_id` on, with one change each. */
void case_distinct_changes(struct bridge_case *c, int count, int64_t first_id);

/** Many of them, about the same order, as fast as it goes. */
void case_changes(struct bridge_case *c, int count, int64_t id, const char *note);
/** Many of one order with the notes "n0", "n1" …, as fast as it goes. */
void case_numbered_changes(struct bridge_case *c, int count, int64_t id);
void case_raw(struct bridge_case *c, struct slice key, struct slice value);
void case_tombstone(struct bridge_case *c, int64_t id);

/** Runs the loop until the condition holds; fails the test after 20 s. */
void case_run_until(struct bridge_case *c, bool (*is_true)(struct bridge_case *c, int64_t n), int64_t n);
void case_run_ms(struct bridge_case *c, uint64_t ms);
void case_drain(struct bridge_case *c);

bool case_has_calls(struct bridge_case *c, int64_t n);
bool case_has_settled(struct bridge_case *c, int64_t n);

/** A series' value in the metrics; 0 when absent. */
double case_metric(const struct bridge_case *c, const char *series);

/** The committed offset of the group for partition 0; -1 for none. Waits. */
int64_t case_committed(const struct bridge_case *c, const char *function);

/** Commits this offset of partition 0, as if the function had run before. Waits. */
void case_register(const struct bridge_case *c, const char *function, int64_t offset);

/** All records of a topic, as "key|value|header=value;…" lines; the caller frees it. Waits. */
char *case_read_topic(const struct bridge_case *c, const char *topic, int count);

#endif

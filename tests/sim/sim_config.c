// The configurations of the simulated function, made when they are needed first.
#include "core/base/memory.h"
#include "tests/sim/sim.h"

enum { VARIANTS = 3, CONFIGS = 2048 };

static struct function_config *configs[CONFIGS];

static const char *const ORDERS[] = {"key", "partition", "none"};

/** What differs between the bridge's processes, and by a reload. */
struct variant {
    int number;
    bool has_rate;
    bool is_paused;
};

static size_t index_of(const struct sim_shape *s, const struct variant *v)
{
    const bool bits[] = {s->is_batch, s->has_bisect, s->has_partial_failures, s->coalesces, s->holds_keys,
                         v->has_rate, v->is_paused};
    size_t index = (size_t)s->order * VARIANTS + (size_t)v->number;
    for (size_t i = 0; i < COUNT_OF(bits); i++) {
        index = index * 2 + (bits[i] ? 1 : 0);
    }
    INVARIANT(index < CONFIGS);
    return index;
}

static void write_delivery(struct bytes *out, const struct sim_shape *s, const struct variant *v)
{
    static const char *const SINGLE[VARIANTS] = {"concurrency: 4", "concurrency: 1", "concurrency: 16"};
    static const char *const BATCH[VARIANTS] = {"concurrency: 4, batch: {events: 4",
                                                "concurrency: 2, batch: {events: 8, by_key: true",
                                                "concurrency: 3, batch: {events: 3, window: 200ms"};
    const char *batch = s->order == FUNCTION_ORDER_NONE && v->number == 1
                            ? "concurrency: 2, batch: {events: 8"
                            : BATCH[v->number];
    bytes_format(out, "{order: %s, %s%s%s", ORDERS[s->order], s->is_batch ? batch : SINGLE[v->number],
                 s->has_partial_failures ? ", partial_failures: true" : "", s->is_batch ? "}" : "");
    bytes_format(out, ", timeout: 5s, retry: {attempts: %d}%s%s, on_failure: {bisect: %s, hold_key: %s}}",
                 ATTEMPTS_MAX, v->has_rate ? ", rate: 10/s, burst: 3" : "",
                 s->coalesces ? ", coalesce: 700ms" : "", s->has_bisect ? "true" : "false",
                 s->holds_keys ? "true" : "false");
}

static struct function_config *make(const struct sim_shape *s, const struct variant *v)
{
    struct complaints complaints = {0};
    CLEANUP(bytes_clear) struct bytes text = {0};
    bytes_format(&text,
                 "source: {topics: [" SIM_TOPIC "]}\npayload: %s\npaused: %s\n"
                 "endpoint: {http: {url: http://x}}\ndelivery: ",
                 s->is_batch ? "cloudevents-batch" : "cloudevents", v->is_paused ? "true" : "false");
    write_delivery(&text, s, v);
    bytes_format(&text, "\n");
    struct function_config *config = memory_zeroed(1, sizeof(*config));
    struct config_file file = {.path = "f.yaml", .name = "f", .is_private = true, .complaints = &complaints};
    if (!config_read(&function_config_kind, &file, bytes_slice(&text), config)) {
        CLEANUP(bytes_clear) struct bytes why = {0};
        complaints_write(&complaints, "error", &why);
        sim_fail("configuration: %s", bytes_text(&why));
    }
    yaml_node_free(file.root);
    complaints_clear(&complaints);
    return config;
}

struct function_config *sim_config_pick(void)
{
    const struct sim_shape *s = &sim.shape;
    struct variant v;
    v.number = (int)sim_roll(VARIANTS);
    v.has_rate = s->has_rate && sim_chance(2);
    v.is_paused = s->has_pauses && sim.has_faults && sim_chance(3);
    size_t index = index_of(s, &v);
    if (configs[index] == NULL) {
        configs[index] = make(s, &v);
    }
    return configs[index];
}

void sim_config_free_all(void)
{
    for (size_t i = 0; i < CONFIGS; i++) {
        if (configs[i] != NULL) {
            function_config_clear(configs[i]);
            free(TAKE(configs[i]));
        }
    }
}

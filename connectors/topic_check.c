#include "connectors/topic_check.h"

#include <stdlib.h>
#include <uthash.h>

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/kafka/topic_describer.h"

#define MAX_BYTES "max.message.bytes"
#define TIMESTAMP "message.timestamp."

struct topic {
    struct topic_check *check;
    char *name;
    bool is_asked;
    bool is_known;
    bool is_wanted;  // somebody waits for the limits
    bool differs;
    bool is_counted;
    struct topic_limits limits;
    UT_hash_handle hh;
};

struct topic_check {
    struct topic_check_params params;
    struct kafka_sink *sink;
    struct topic_describer *describer;
    struct topic *topics;
    size_t differing;
};

static struct topic *get_topic(struct topic_check *c, const char *name)
{
    struct topic *t = NULL;
    HASH_FIND_STR(c->topics, name, t);
    if (t == NULL) {
        t = memory_zeroed(1, sizeof(*t));
        t->check = c;
        t->name = memory_string(name);
        t->limits = (struct topic_limits){INT64_MAX, INT64_MAX};
        HASH_ADD_KEYPTR(hh, c->topics, t->name, strlen(t->name), t);
    }
    return t;
}

// --- differences ---

static void note_difference(struct topic *t)
{
    struct topic_check *c = t->check;
    c->differing += t->differs ? 0 : 1;
    t->differs = true;
    metric_set(c->params.differing, (double)c->differing);
}

static void compare_property(struct topic *t, const struct text_pair *asked, const char *is)
{
    if (is == NULL || strcmp(is, asked->value) == 0) {
        return;
    }
    note_difference(t);
    log_warn(t->check->params.component, "topic_differs",
             LOG_WITH(LOG_TEXT("topic", t->name), LOG_TEXT("setting", asked->key), LOG_TEXT("is", is),
                      LOG_TEXT("asked", asked->value)),
             "topic %s was there before with %s=%s, the file asks for %s: it stays so; run kafka-configs.sh "
             "--alter --entity-type topics --entity-name %s --add-config '%s=%s', or change the file",
             t->name, asked->key, is, asked->value, t->name, asked->key, asked->value);
}

// Records up to our limit would be refused.
static void compare_size(struct topic *t, const char *is)
{
    size_t ours = kafka_sink_message_max_bytes(t->check->sink);
    if (is == NULL || strtoll(is, NULL, 10) >= (long long)ours) {
        return;
    }
    CLEANUP(memory_free_pointer) char *asked = memory_format("%zu", ours);
    note_difference(t);
    log_warn(t->check->params.component, "topic_differs",
             LOG_WITH(LOG_TEXT("topic", t->name), LOG_TEXT("setting", MAX_BYTES), LOG_TEXT("is", is),
                      LOG_TEXT("asked", asked)),
             "topic %s refuses records over %s bytes (" MAX_BYTES "), and we send records up to %s: run "
             "kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config " MAX_BYTES
             "=%s, or lower message.max.bytes under kafka:",
             t->name, is, asked, t->name, asked);
}

static void compare(struct topic *t, const struct text_pairs *config)
{
    struct kafka_topic_spec spec = {.name = t->name};
    topic_settings_apply(t->check->params.settings, &spec);
    for (size_t i = 0; i < spec.config->count; i++) {
        compare_property(t, &spec.config->items[i], text_pairs_get(config, spec.config->items[i].key));
    }
    if (text_pairs_get(spec.config, MAX_BYTES) == NULL) {
        compare_size(t, text_pairs_get(config, MAX_BYTES));
    }
}

static void on_count(void *self, const char *name, int32_t partitions)
{
    struct topic *t = get_topic(self, name);
    struct kafka_topic_spec spec = {.name = name};
    if (t->is_counted) {
        return;
    }
    t->is_counted = true;
    topic_settings_apply(t->check->params.settings, &spec);
    if (partitions >= spec.partitions) {
        return;
    }
    note_difference(t);
    log_warn(t->check->params.component, "topic_differs",
             LOG_WITH(LOG_TEXT("topic", name), LOG_TEXT("setting", "partitions"),
                      LOG_NUMBER("is", partitions), LOG_NUMBER("asked", spec.partitions)),
             "topic %s was there before with %d partitions, the file asks for %d: it stays so; run "
             "kafka-topics.sh --alter --topic %s --partitions %d, which moves keys, or change the file",
             name, (int)partitions, spec.partitions, name, spec.partitions);
}

// --- reading ---

static int64_t least(int64_t limit, const char *other)
{
    int64_t number = other == NULL ? INT64_MAX : strtoll(other, NULL, 10);
    return number < limit ? number : limit;
}

// Brokers before 3.6 have one limit for both directions, and newer ones still heed it.
static void read_limits(const struct text_pairs *config, struct topic_limits *ret)
{
    const char *type = text_pairs_get(config, TIMESTAMP "type");
    if (type != NULL && strcmp(type, "LogAppendTime") == 0) {
        return;  // ours are not used
    }
    const char *both = text_pairs_get(config, TIMESTAMP "difference.max.ms");
    ret->before_ms = least(least(INT64_MAX, both), text_pairs_get(config, TIMESTAMP "before.max.ms"));
    ret->after_ms = least(least(INT64_MAX, both), text_pairs_get(config, TIMESTAMP "after.max.ms"));
}

static void set_known(struct topic *t)
{
    struct topic_check *c = t->check;
    t->is_known = true;
    if (t->is_wanted) {
        t->is_wanted = false;
        c->params.on_change(c->params.self);  // may detach the sink
    }
}

static void on_described(void *self, const struct text_pairs *config)
{
    struct topic *t = self;
    if (config != NULL) {
        read_limits(config, &t->limits);
        compare(t, config);
    }
    set_known(t);
}

static void describe(struct topic *t)
{
    static const char *const always[] = {MAX_BYTES, TIMESTAMP "type", TIMESTAMP "difference.max.ms",
                                         TIMESTAMP "before.max.ms", TIMESTAMP "after.max.ms"};
    CLEANUP(text_list_clear) struct text_list names = {0};
    struct kafka_topic_spec spec = {.name = t->name};
    topic_settings_apply(t->check->params.settings, &spec);
    for (size_t i = 0; i < COUNT_OF(always); i++) {
        text_list_add(&names, always[i]);
    }
    for (size_t i = 0; i < spec.config->count; i++) {
        if (!text_list_has(&names, spec.config->items[i].key)) {
            text_list_add(&names, spec.config->items[i].key);
        }
    }
    t->is_asked = true;
    topic_describer_ask(t->check->describer, t->name, &names, on_described, t);
}

void topic_check_see(void *self, const char *topic)
{
    struct topic_check *c = self;
    struct topic *t = get_topic(c, topic);
    if (t->is_known || t->is_asked || c->describer == NULL) {
        return;
    }
    if (kafka_admin_is_embedded(kafka_sink_admin(c->sink))) {
        set_known(t);  // it has no settings
    } else {
        describe(t);
    }
}

const struct topic_limits *topic_check_limits(struct topic_check *c, const char *topic)
{
    struct topic *t = get_topic(c, topic);
    t->is_wanted = !t->is_known;
    return t->is_known ? &t->limits : NULL;
}

size_t topic_check_differing(const struct topic_check *c)
{
    return c->differing;
}

// --- lifecycle ---

void topic_check_attach(struct topic_check *c, struct kafka_sink *sink)
{
    struct topic *t;
    struct topic *next;
    topic_describer_stop(TAKE(c->describer));
    HASH_ITER (hh, c->topics, t, next) {
        t->is_asked = false;
    }
    c->sink = sink;
    if (sink != NULL) {
        c->describer = topic_describer_start(c->params.loop, kafka_sink_client(sink));
        kafka_sink_on_count(sink, on_count, c);
    }
}

struct topic_check *topic_check_new(const struct topic_check_params *params)
{
    struct topic_check *c = memory_zeroed(1, sizeof(*c));
    c->params = *params;
    return c;
}

void topic_check_free(struct topic_check *c)
{
    if (c == NULL) {
        return;
    }
    struct topic *t;
    struct topic *next;
    topic_check_attach(c, NULL);
    HASH_ITER (hh, c->topics, t, next) {
        HASH_DEL(c->topics, t);
        free(t->name);
        free(t);
    }
    free(c);
}

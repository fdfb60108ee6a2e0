#include "connectors/config/connector_topics.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/config/config_value.h"

#define OWN "millrace."
#define INTERNAL "__"
#define HEARTBEAT "__debezium-heartbeat."
#define DEAD_LETTERS "millrace.dlq.connector."

static const char RESERVED[] = "is reserved: names that begin with " OWN " are millrace's own, those that "
                               "begin with " INTERNAL " Kafka's; choose another one, as in shop.orders";

static const struct {
    const char *path;  // of the option that asks for it
    const char *records;
} KINDS[] = {
    [CONNECTOR_TRANSACTIONS] = {"transactions.topic", "transactions (transactions.topic)"},
    [CONNECTOR_MESSAGES] = {"messages.include", "logical messages (messages.include)"},
    [CONNECTOR_SCHEMA_CHANGES] = {"schema_changes.topic", "schema changes (schema_changes.topic)"},
    [CONNECTOR_HEARTBEATS] = {"heartbeat.topic", "heartbeats (heartbeat.topic)"},
    [CONNECTOR_DEAD_LETTERS] = {"on_bad_row", "dead letters (on_bad_row)"},
    [CONNECTOR_EVENTS] = {"outbox.topic", "events of the outbox (outbox.topic)"},
    [CONNECTOR_ROWS] = {"routes", "rows of tables (routes)"},
};

static bool has_reference(const char *form)
{
    return strchr(form, '{') != NULL;
}

// A name in two parts, so that a row's topic is compared without making it; `begin` NULL: there is none.
struct parts {
    const char *begin;
    const char *end;
};

static struct parts parts_of(const struct connector_config *c, enum connector_records kind)
{
    switch (kind) {
    case CONNECTOR_TRANSACTIONS:
        return c->transactions.name != NULL ? (struct parts){c->transactions.name, ""}
                                            : (struct parts){c->topic_prefix, ".transaction"};
    case CONNECTOR_MESSAGES:
        return (struct parts){c->topic_prefix, ".message"};
    case CONNECTOR_SCHEMA_CHANGES:
        return (struct parts){c->topic_prefix, ""};
    case CONNECTOR_HEARTBEATS:
        return c->heartbeat.topic != NULL ? (struct parts){c->heartbeat.topic, ""}
                                          : (struct parts){HEARTBEAT, c->topic_prefix};
    case CONNECTOR_DEAD_LETTERS:
        return (struct parts){DEAD_LETTERS, c->name};  // no function has a dot in its name
    case CONNECTOR_EVENTS:
        return c->outbox.topic == NULL || has_reference(c->outbox.topic)
                   ? (struct parts){NULL, NULL}
                   : (struct parts){c->outbox.topic, ""};
    case CONNECTOR_ROWS:
        break;
    }
    return (struct parts){NULL, NULL};
}

char *connector_topics_name(const struct connector_config *c, enum connector_records kind)
{
    struct parts parts = parts_of(c, kind);
    return parts.begin == NULL ? NULL : memory_format("%s%s", parts.begin, parts.end);
}

bool connector_topics_has(const struct connector_config *c, enum connector_records kind)
{
    switch (kind) {
    case CONNECTOR_TRANSACTIONS:
        return c->transactions.topic;
    case CONNECTOR_MESSAGES:
        return c->messages.include.count > 0;
    case CONNECTOR_SCHEMA_CHANGES:
        return c->schema_changes.topic;
    case CONNECTOR_HEARTBEATS:
        return c->heartbeat.interval_us > 0;
    case CONNECTOR_DEAD_LETTERS:
        return c->on_bad_row == CONNECTOR_BAD_ROW_DEAD_LETTER;
    case CONNECTOR_EVENTS:
        return c->outbox.table != NULL;
    case CONNECTOR_ROWS:
        return true;
    }
    return false;
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

// `beginning` may be that of a name.
static bool is_reserved(enum connector_records kind, const char *beginning)
{
    return (begins_with(beginning, OWN) &&
            (kind != CONNECTOR_DEAD_LETTERS || !begins_with(beginning, DEAD_LETTERS))) ||
           (begins_with(beginning, INTERNAL) &&
            (kind != CONNECTOR_HEARTBEATS || !begins_with(beginning, HEARTBEAT)));
}

// The first of the kinds below `end` whose records go to this topic; `end`: none.
static size_t find_kind(const struct connector_config *c, enum connector_records kind, size_t end,
                        const char *topic)
{
    for (enum connector_records i = 0; i < end; i++) {
        struct parts parts = parts_of(c, i);
        if (i != kind && connector_topics_has(c, i) && parts.begin != NULL &&
            begins_with(topic, parts.begin) && strcmp(topic + strlen(parts.begin), parts.end) == 0) {
            return i;
        }
    }
    return end;
}

static bool permits_below(const struct connector_config *c, enum connector_records kind, size_t end,
                          const char *topic, struct fault *f)
{
    if (!config_value_check_topic(NULL, topic, f)) {
        return false;
    }
    if (is_reserved(kind, topic)) {
        return fault_set(f, FAULT_CONFIG, "topic %s %s", topic, RESERVED);
    }
    size_t other = find_kind(c, kind, end, topic);
    return other == end ||
           fault_set(f, FAULT_CONFIG,
                     "topic %s is that of %s, and a topic has records of one kind; choose another one", topic,
                     KINDS[other].records);
}

bool connector_topics_permits(const struct connector_config *c, enum connector_records kind,
                              const char *topic, struct fault *f)
{
    return permits_below(c, kind, COUNT_OF(KINDS), topic, f);
}

// --- forms: names with references, as in {prefix}.{table} ---

// The form with the prefix in its place, and up to the first other reference, or with `*` for each of them.
static void expand(const struct connector_config *c, const char *form, bool is_glob, struct bytes *out)
{
    static const char prefix[] = "{prefix}";
    while (*form != '\0') {
        const char *end = *form == '{' ? strchr(form, '}') : NULL;
        if (end == NULL) {
            bytes_append_byte(out, (uint8_t)*form++);
        } else if (begins_with(form, prefix)) {
            bytes_append_string(out, c->topic_prefix);
            form = end + 1;
        } else if (is_glob) {
            bytes_append_byte(out, '*');
            form = end + 1;
        } else {
            return;
        }
    }
}

static bool permits_form(const struct connector_config *c, enum connector_records kind, size_t end,
                         const char *form, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes beginning = {0};
    CLEANUP(bytes_clear) struct bytes glob = {0};
    expand(c, form, false, &beginning);
    expand(c, form, true, &glob);
    if (strchr(bytes_text(&glob), '*') == NULL) {
        return permits_below(c, kind, end, bytes_text(&glob), f);
    }
    return !is_reserved(kind, bytes_text(&beginning)) ||
           fault_set(f, FAULT_CONFIG, "topic %s %s", form, RESERVED);
}

static void add_form(const struct connector_config *c, const char *form, struct text_list *out)
{
    CLEANUP(bytes_clear) struct bytes glob = {0};
    expand(c, form, true, &glob);
    text_list_add(out, bytes_text(&glob));
    if (c->on_incompatible == CONNECTOR_INCOMPATIBLE_FORK) {
        bytes_append_string(&glob, ".v*");
        text_list_add(out, bytes_text(&glob));
    }
}

void connector_topics_globs(const struct connector_config *c, struct text_list *out)
{
    for (enum connector_records i = 0; i < CONNECTOR_EVENTS; i++) {
        CLEANUP(memory_free_pointer) char *name = connector_topics_name(c, i);
        if (connector_topics_has(c, i)) {
            text_list_add(out, name);
        }
    }
    if (connector_topics_has(c, CONNECTOR_EVENTS)) {
        add_form(c, c->outbox.topic, out);
    }
    for (size_t i = 0; i < c->routes.count; i++) {
        if (c->routes.items[i].topic != NULL) {
            add_form(c, c->routes.items[i].topic, out);
        }
    }
    CLEANUP(memory_free_pointer) char *rows = memory_format("%s.*.*", c->topic_prefix);
    text_list_add(out, rows);
}

// --- the file ---

static void check_routes(const struct config_file *file, const struct connector_config *c)
{
    const struct yaml_node *routes = config_node(file, "routes");
    for (size_t i = 0; i < c->routes.count; i++) {
        struct fault f;
        const char *form = c->routes.items[i].topic;
        if (form != NULL && !permits_form(c, CONNECTOR_ROWS, CONNECTOR_ROWS, form, &f)) {
            config_complain_at(file, yaml_get(routes->items[i], "topic"), "%s", f.text);
        }
    }
}

void connector_topics_check(const struct config_file *file, const struct connector_config *c)
{
    struct fault f;
    if (c->topic_prefix == NULL || !config_is_sound(file, "topic_prefix")) {
        return;
    }
    CLEANUP(memory_free_pointer) char *beginning = memory_format("%s.", c->topic_prefix);
    if (is_reserved(CONNECTOR_ROWS, beginning)) {
        config_complain(file, "topic_prefix", "topic_prefix: %s %s", c->topic_prefix, RESERVED);
        return;
    }
    for (enum connector_records i = 0; i < CONNECTOR_EVENTS; i++) {
        CLEANUP(memory_free_pointer) char *name = connector_topics_name(c, i);
        if (connector_topics_has(c, i) && !permits_below(c, i, i, name, &f)) {
            config_complain(file, KINDS[i].path, "%s: %s", strrchr(KINDS[i].path, '.') + 1, f.text);
        }
    }
    if (connector_topics_has(c, CONNECTOR_EVENTS) && c->outbox.topic != NULL &&
        !permits_form(c, CONNECTOR_EVENTS, CONNECTOR_EVENTS, c->outbox.topic, &f)) {
        config_complain(file, KINDS[CONNECTOR_EVENTS].path, "topic: %s", f.text);
    }
    check_routes(file, c);
}

#include "bridge/testing/test_event.h"

#include "bridge/filter/json_event.h"
#include "core/base/memory.h"
#include "core/base/text.h"

static const char DEFAULT_ID[] = "0000000000000001-00000000";

/** The members of an event as they are written; NULL: absent. */
struct members {
    const struct json_node *op;
    const struct json_node *before;
    const struct json_node *after;
    const struct json_node *key;
    const struct json_node *headers;
    const struct json_node *source;
    const struct json_node *topic;
    const struct json_node *id;
};

static const struct json_node **member_of(struct members *m, struct slice name)
{
    const struct {
        const char *name;
        const struct json_node **node;
    } KNOWN[] = {{"op", &m->op},           {"before", &m->before}, {"after", &m->after}, {"key", &m->key},
                 {"headers", &m->headers}, {"source", &m->source}, {"topic", &m->topic}, {"id", &m->id}};
    for (size_t i = 0; i < COUNT_OF(KNOWN); i++) {
        if (slice_equal(name, slice_of(KNOWN[i].name))) {
            return KNOWN[i].node;
        }
    }
    return NULL;
}

static bool is_object(const struct json_node *node)
{
    return node != NULL && node->kind == FILTER_OBJECT;
}

static bool is_map_or_null(const struct json_node *node)
{
    return node == NULL || node->kind == FILTER_OBJECT || node->kind == FILTER_NULL;
}

/** As in the bridge, where a wrong kind would never come. */
static bool check_members(const struct json_tree *t, const struct members *m, struct fault *f)
{
    const struct json_node *const TEXTS[] = {m->topic, m->id, m->op};
    const struct json_node *const ROWS[] = {m->before, m->after, m->source, m->headers};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        if (TEXTS[i] != NULL && TEXTS[i]->kind != FILTER_TEXT) {
            return json_tree_refuse(t, TEXTS[i]->at, f, "op, topic and id are texts");
        }
    }
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        if (!is_map_or_null(ROWS[i])) {
            return json_tree_refuse(t, ROWS[i]->at, f, "before, after, source and headers are maps, or null");
        }
    }
    const struct json_node *header = is_object(m->headers) ? json_tree_child(t, m->headers) : NULL;
    for (; header != NULL; header = json_tree_next(t, header)) {
        if (header->kind != FILTER_TEXT && header->kind != FILTER_NULL) {
            return json_tree_refuse(t, header->at, f, "a header is a text: put it in quotes");
        }
    }
    return true;
}

static bool read_members(const struct json_tree *t, const struct json_node *event, struct members *ret,
                         struct fault *f)
{
    *ret = (struct members){0};
    if (event->kind != FILTER_OBJECT) {
        return json_tree_refuse(t, event->at, f, "an event is a map: {op: c, after: {…}}");
    }
    for (const struct json_node *m = json_tree_child(t, event); m != NULL; m = json_tree_next(t, m)) {
        const struct json_node **place = member_of(ret, m->name);
        if (place == NULL) {
            return json_tree_refuse(
                t, m->name_at, f,
                "unknown key \"%.*s\"; an event has op, before, after, key, headers, source, topic "
                "and id",
                (int)m->name.size, (const char *)m->name.data);
        }
        *place = m;
    }
    return check_members(t, ret, f);
}

/** An op as a letter, 0: it is none. */
static char op_of(struct slice word)
{
    static const char LETTERS[] = "crudtm";
    static const char *const WORDS[] = {"create", "read", "update", "delete", "truncate", "message"};
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if ((word.size == 1 && word.data[0] == (uint8_t)LETTERS[i]) ||
            slice_equal(word, slice_of(WORDS[i]))) {
            return LETTERS[i];
        }
    }
    return 0;
}

static bool choose_op(const struct json_tree *t, const struct members *m, char *ret, struct fault *f)
{
    if (m->op == NULL) {
        *ret = is_object(m->before) ? (is_object(m->after) ? 'u' : 'd') : 'c';
        return true;
    }
    *ret = op_of(m->op->text);
    return *ret != 0 || json_tree_refuse(t, m->op->at, f, "op is c, r, u, d, t or m");
}

/** A topic that the glob matches: `table` for each `*`, `x` for each `?`. NULL: one of other forms. */
static char *topic_of_glob(const char *glob)
{
    struct bytes out = {0};
    for (const char *c = glob; *c != 0; c++) {
        bytes_append_string(&out, *c == '*' ? "table" : *c == '?' ? "x" : (const char[]){*c, 0});
    }
    char *topic = slice_to_string(bytes_slice(&out));
    bytes_clear(&out);
    return glob[0] != '/' && text_glob_match(glob, topic) ? topic : (free(topic), NULL);
}

/** The first of the function's topics that is a name, else one that its first glob matches. */
static bool choose_topic(const struct json_tree *t, const struct json_node *event, const struct members *m,
                         const struct function_config *config, char **ret, struct fault *f)
{
    const struct text_list *topics = &config->source.topics;
    *ret = m->topic != NULL ? slice_to_string(m->topic->text) : NULL;
    for (size_t i = 0; *ret == NULL && i < topics->count; i++) {
        *ret = strpbrk(topics->items[i], "*?[/") == NULL ? memory_string(topics->items[i]) : NULL;
    }
    for (size_t i = 0; *ret == NULL && i < topics->count; i++) {
        *ret = topic_of_glob(topics->items[i]);
    }
    return *ret != NULL ||
           json_tree_refuse(t, event->at, f,
                            "the event needs a topic: source.topics has no name and no glob with "
                            "* or ? alone to take one from");
}

/** Appends `"NAME":VALUE`; an absent value is `null`, or what is given. */
static void put(struct bytes *out, const char *name, const struct json_tree *t, const struct json_node *value,
                const char *otherwise)
{
    bytes_format(out, "%s\"%s\":", out->data[out->size - 1] == '{' ? "" : ",", name);
    if (value == NULL) {
        bytes_append_string(out, otherwise);
    } else {
        bytes_append(out, t->source.data + value->at, value->end - value->at);
    }
}

/** A topic is PREFIX.SCHEMA.TABLE. */
static void put_source(struct bytes *out, const char *topic)
{
    const char *schema = strchr(topic, '.');
    const char *table = schema == NULL ? NULL : strchr(schema + 1, '.');
    bytes_append_string(out, ",\"source\":{\"name\":");
    text_append_json(out, table == NULL ? slice_of(topic) : slice_make(topic, (size_t)(schema - topic)));
    bytes_append_string(out, ",\"schema\":");
    text_append_json(out,
                     table == NULL ? slice_of("") : slice_make(schema + 1, (size_t)(table - schema - 1)));
    bytes_append_string(out, ",\"table\":");
    text_append_json(out, slice_of(table == NULL ? topic : table + 1));
    bytes_append_byte(out, '}');
}

/** A member of the event, as it is written. */
static struct event_value value_of(const struct test_event *e, const char *name)
{
    const struct json_node *node = json_tree_member(&e->tree, &e->tree.nodes[0], slice_of(name));
    if (node == NULL || node->kind == FILTER_NULL) {
        return (struct event_value){EVENT_VALUE_NULL, NULL, {NULL, 0}};
    }
    return (struct event_value){EVENT_VALUE_JSON, NULL,
                                slice_make(e->tree.source.data + node->at, node->end - node->at)};
}

static struct slice text_of(const struct json_tree *t, const struct json_node *source, const char *name)
{
    const struct json_node *node = is_object(source) ? json_tree_member(t, source, slice_of(name)) : NULL;
    return node != NULL && node->kind == FILTER_TEXT ? node->text : (struct slice){NULL, 0};
}

static int64_t number_of(const struct json_tree *t, const struct json_node *source, const char *name)
{
    const struct json_node *node = is_object(source) ? json_tree_member(t, source, slice_of(name)) : NULL;
    if (node == NULL || node->kind != FILTER_NUMBER) {
        return 0;
    }
    CLEANUP(memory_free_pointer) char *text = slice_to_string(node->text);
    return strtoll(text, NULL, 10);
}

static void find_parts(struct test_event *e, char op)
{
    const struct json_tree *t = &e->tree;
    const struct json_node *source = json_tree_member(t, &t->nodes[0], slice_of("source"));
    int64_t ts_us = number_of(t, source, "ts_us");
    e->view = (struct event_view){
        .is_envelope = true,
        .op = op,
        .before = value_of(e, "before"),
        .after = value_of(e, "after"),
        .source = value_of(e, "source"),
        .prefix = text_of(t, source, "name"),
        .schema = text_of(t, source, "schema"),
        .table = text_of(t, source, "table"),
        .commit_time_us = ts_us != 0 ? ts_us : number_of(t, source, "ts_ms") * 1000,
    };
}

/** NULL: the event has none. */
static rd_kafka_headers_t *headers_of(const struct json_tree *t, const struct json_node *headers)
{
    if (!is_object(headers)) {
        return NULL;
    }
    rd_kafka_headers_t *ret = rd_kafka_headers_new(headers->count);
    for (const struct json_node *h = json_tree_child(t, headers); h != NULL; h = json_tree_next(t, h)) {
        const void *value = h->kind == FILTER_NULL ? NULL : h->text.data;
        (void)rd_kafka_header_add(ret, (const char *)h->name.data, (ssize_t)h->name.size, value,
                                  value == NULL ? 0 : (ssize_t)h->text.size);
    }
    return ret;
}

bool test_event_read(const struct json_tree *t, const struct json_node *event,
                     const struct function_config *config, struct test_event *ret, struct fault *f)
{
    struct members m;
    char op;
    *ret = (struct test_event){0};
    if (!read_members(t, event, &m, f) || !choose_op(t, &m, &op, f) ||
        !choose_topic(t, event, &m, config, &ret->topic, f)) {
        return false;
    }
    ret->id = m.id == NULL ? memory_string(DEFAULT_ID) : slice_to_string(m.id->text);
    bytes_append_byte(&ret->whole, '{');
    put(&ret->whole, "key", t, m.key, "null");
    put(&ret->whole, "headers", t, m.headers, "{}");
    bytes_format(&ret->whole, ",\"op\":\"%c\"", op);
    put(&ret->whole, "before", t, m.before, "null");
    put(&ret->whole, "after", t, m.after, "null");
    if (m.source == NULL) {
        put_source(&ret->whole, ret->topic);
    } else {
        put(&ret->whole, "source", t, m.source, "null");
    }
    bytes_append_byte(&ret->whole, '}');
    struct filter_value root;
    INVARIANT(json_event_parse(bytes_slice(&ret->whole), (struct json_place){1, 1}, &ret->tree, &root, f));
    find_parts(ret, op);
    ret->view.key =
        m.key == NULL ? (struct event_value){EVENT_VALUE_NULL, NULL, {NULL, 0}}
                      : (struct event_value){EVENT_VALUE_JSON, NULL,
                                             slice_make(t->source.data + m.key->at, m.key->end - m.key->at)};
    ret->record = (struct record){.topic = ret->topic,
                                  .timestamp_ms = -1,
                                  .id = slice_of(ret->id),
                                  .headers = headers_of(t, m.headers)};
    return true;
}

void test_event_clear(struct test_event *e)
{
    if (e->record.headers != NULL) {
        rd_kafka_headers_destroy(e->record.headers);
    }
    json_tree_clear(&e->tree);
    bytes_clear(&e->whole);
    free(e->topic);
    free(e->id);
    *e = (struct test_event){0};
}

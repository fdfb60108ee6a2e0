#include "bridge/config/function_test.h"

#include "core/base/memory.h"
#include "core/base/text.h"

static bool is_text(const struct json_node *node, const char *text)
{
    return node->kind == FILTER_TEXT && slice_equal(node->text, slice_of(text));
}

static bool check_word(const struct json_tree *t, const struct json_node *node, struct fault *f)
{
    return is_text(node, "delivered") || is_text(node, "filtered") ||
           json_tree_refuse(t, node->at, f,
                            "expect is delivered or filtered, or a list with one of them for each event");
}

static bool check_expect(const struct json_tree *t, const struct json_node *node, struct fault *f)
{
    if (node == NULL || node->kind != FILTER_ARRAY) {
        return node == NULL || check_word(t, node, f);
    }
    for (const struct json_node *word = json_tree_child(t, node); word != NULL;
         word = json_tree_next(t, word)) {
        if (!check_word(t, word, f)) {
            return false;
        }
    }
    return true;
}

static bool check_kind(const struct json_tree *t, const struct json_node *node, enum filter_kind kind,
                       const char *what, struct fault *f)
{
    return node == NULL || node->kind == kind || json_tree_refuse(t, node->at, f, "%s", what);
}

static bool check_events(const struct json_tree *t, const struct function_test *test, struct fault *f)
{
    if (test->event == NULL && test->events == NULL) {
        return json_tree_refuse(t, test->node->at, f,
                                "a test needs an event: {op: c, after: {…}}, or events");
    }
    if (test->event != NULL && test->events != NULL) {
        return json_tree_refuse(t, test->events->name_at, f, "a test has an event or events, and not both");
    }
    if (test->events == NULL || test->events->kind == FILTER_TEXT) {
        return check_kind(t, test->event, FILTER_OBJECT, "an event is a map: {op: c, after: {…}}", f);
    }
    static const char WHAT[] = "events are a list of maps, or the name of a file with an event on each line";
    if (test->events->kind != FILTER_ARRAY || test->events->count == 0) {
        return json_tree_refuse(t, test->events->at, f, "%s", WHAT);
    }
    for (const struct json_node *e = json_tree_child(t, test->events); e != NULL; e = json_tree_next(t, e)) {
        if (!check_kind(t, e, FILTER_OBJECT, WHAT, f)) {
            return false;
        }
    }
    return true;
}

/** Of JSON pointers to parts of the body. */
static bool check_body(const struct json_tree *t, const struct json_node *body, struct fault *f)
{
    if (!check_kind(t, body, FILTER_OBJECT, "body is a map by JSON pointer: {/after/status: paid}", f)) {
        return false;
    }
    for (const struct json_node *m = body == NULL ? NULL : json_tree_child(t, body); m != NULL;
         m = json_tree_next(t, m)) {
        if (m->name.size > 0 && m->name.data[0] != '/') {
            return json_tree_refuse(t, m->name_at, f,
                                    "\"%.*s\" is no JSON pointer: each name in it begins with a slash, as "
                                    "/after/status; \"\" is the whole body",
                                    m->name.size > 64 ? 64 : (int)m->name.size, (const char *)m->name.data);
        }
    }
    return true;
}

/** A member's place among `names`, which end with NULL; refuses names that are none of them. */
static bool find_name(const struct json_tree *t, const struct json_node *member, const char *const names[],
                      size_t *ret, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *name = slice_to_string(member->name);
    for (*ret = 0; names[*ret] != NULL; (*ret)++) {
        if (strcmp(names[*ret], name) == 0) {
            return true;
        }
    }
    const char *near = text_nearest(name, names);
    return json_tree_refuse(t, member->name_at, f, "unknown key \"%.64s\" in a test%s%s%s", name,
                            near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
                            near == NULL ? "" : "\"?");
}

static bool read_members(const struct json_tree *t, const struct json_node *object, const char *const names[],
                         const struct json_node **const fields[], struct fault *f)
{
    for (const struct json_node *m = json_tree_child(t, object); m != NULL; m = json_tree_next(t, m)) {
        size_t at;
        if (!find_name(t, m, names, &at, f)) {
            return false;
        }
        *fields[at] = m;
    }
    return true;
}

static bool read_test(const struct json_tree *t, const struct json_node *node, struct function_test *ret,
                      struct fault *f)
{
    static const char *const NAMES[] = {"name", "event", "events", "expect", "request", NULL};
    static const char *const PARTS[] = {"headers", "body", "url", NULL};
    const struct json_node *request = NULL;
    *ret = (struct function_test){.node = node};
    if (!check_kind(t, node, FILTER_OBJECT, "a test is a map with an event and what is expected", f) ||
        !read_members(
            t, node, NAMES,
            (const struct json_node **const[]){&ret->name, &ret->event, &ret->events, &ret->expect, &request},
            f) ||
        !check_kind(t, ret->name, FILTER_TEXT, "name is a text", f) || !check_events(t, ret, f) ||
        !check_expect(t, ret->expect, f) ||
        !check_kind(t, request, FILTER_OBJECT, "request is a map of url, headers and body", f)) {
        return false;
    }
    if (ret->expect == NULL && request == NULL) {
        return json_tree_refuse(t, node->at, f, "a test has expect or request, or both");
    }
    return request == NULL ||
           (read_members(t, request, PARTS,
                         (const struct json_node **const[]){&ret->headers, &ret->body, &ret->url}, f) &&
            check_kind(t, ret->headers, FILTER_OBJECT, "headers are a map: {ce-type: millrace.change.create}",
                       f) &&
            check_kind(t, ret->url, FILTER_TEXT, "url is a text: https://fn.example/orders/7", f) &&
            check_body(t, ret->body, f));
}

bool function_tests_read(const struct config_tree *tree, struct function_tests *ret, struct fault *f)
{
    *ret = (struct function_tests){0};
    if (tree->json == NULL) {
        return true;
    }
    if (!json_tree_parse_placed(slice_of(tree->json), &tree->places, &ret->tree, f)) {
        return false;
    }
    const struct json_node *list = &ret->tree.nodes[0];
    if (list->kind != FILTER_ARRAY) {
        return json_tree_refuse(&ret->tree, list->at, f, "tests are a list");
    }
    ret->items = memory_zeroed(list->count + 1, sizeof(*ret->items));
    for (const struct json_node *n = json_tree_child(&ret->tree, list); n != NULL;
         n = json_tree_next(&ret->tree, n)) {
        if (!read_test(&ret->tree, n, &ret->items[ret->count++], f)) {
            return false;
        }
    }
    return true;
}

void function_tests_clear(struct function_tests *t)
{
    free(t->items);
    json_tree_clear(&t->tree);
    *t = (struct function_tests){0};
}

#include "bridge/testing/test_run.h"

#include <errno.h>
#include <stdio.h>

#include "bridge/filter/match.h"
#include "bridge/payload/payload.h"
#include "bridge/testing/json_pointer.h"
#include "bridge/testing/test_event.h"
#include "core/base/line_reader.h"
#include "core/base/memory.h"

enum { VALUE_SHOWN_MAX_BYTES = 2000 };

/** One test while it runs. */
struct run {
    const struct function_config *config;
    const struct function_tests *tests;
    const struct function_test *test;
    struct bytes *diff;
    struct payload_options options;
    struct payload payload;  // of the first request
    bool is_request_full;    // further events would go into another request
    size_t event_count;      // events so far
    struct bytes scratch;
};

static bool is_delivered(struct run *r, const struct test_event *e)
{
    const struct function_config *c = r->config;
    if (!text_list_glob_match(&c->source.topics, e->topic) ||
        !function_config_wants(c->source.operations, e->view.op)) {
        return false;
    }
    return c->filter.pattern == NULL ||
           match_event(c->filter.pattern, &JSON_EVENT_OPS, json_tree_value(&e->tree, &e->tree.nodes[0]),
                       &r->scratch);
}

/** What is expected of the event with this index; NULL: nothing. */
static const struct json_node *expected_of(const struct run *r, size_t index)
{
    const struct json_node *expect = r->test->expect;
    if (expect == NULL || expect->kind != FILTER_ARRAY) {
        return expect;
    }
    const struct json_node *word = json_tree_child(&r->tests->tree, expect);
    for (; word != NULL && index > 0; index--) {
        word = json_tree_next(&r->tests->tree, word);
    }
    return word;
}

/** The clause of the filter that refused the event, for the diff. */
static void explain(struct run *r, const struct test_event *e)
{
    const struct function_config *c = r->config;
    if (!text_list_glob_match(&c->source.topics, e->topic)) {
        bytes_format(r->diff, ": its topic %s is not in source.topics", e->topic);
    } else if (!function_config_wants(c->source.operations, e->view.op)) {
        bytes_format(r->diff, ": its op %c is not in source.operations", e->view.op);
    } else if (c->filter.pattern != NULL) {
        const struct pattern_term *term = match_explain(
            c->filter.pattern, &JSON_EVENT_OPS, json_tree_value(&e->tree, &e->tree.nodes[0]), &r->scratch);
        if (term != NULL) {
            bytes_format(r->diff, ": filter at %u:%u, %.*s", term->place.line, term->place.column,
                         (int)term->path.size, (const char *)term->path.data);
        }
    }
}

static void add_to_request(struct run *r, struct test_event *e)
{
    struct fault f;
    bool takes_more =
        r->options.is_batch && r->payload.event_count < (size_t)r->config->delivery.batch.events;
    if (r->is_request_full || (r->payload.event_count > 0 && !takes_more)) {
        r->is_request_full = true;
        return;
    }
    switch (payload_add_event(&r->payload, &e->record, &e->view, &f)) {
    case PAYLOAD_ADDED:
        break;
    case PAYLOAD_FULL:
        r->is_request_full = true;
        break;
    case PAYLOAD_REJECTED:
        bytes_format(r->diff, "    event %zu is dead-lettered (%s): %s\n", r->event_count,
                     r->payload.reject_reason, f.text);
        break;
    case PAYLOAD_FILTERED:
        break;
    }
}

static void check_word(struct run *r, const struct test_event *e, bool is_sent)
{
    const struct json_node *word = expected_of(r, r->event_count);
    const char *got = is_sent ? "delivered" : "filtered";
    bool is_list = r->test->expect != NULL && r->test->expect->kind == FILTER_ARRAY;
    if (word == NULL) {
        if (is_list) {
            bytes_format(r->diff, "    event %zu was %s, and expect has no word for it\n", r->event_count + 1,
                         got);
        }
        return;
    }
    if (!slice_equal(word->text, slice_of(got))) {
        bytes_format(r->diff, "    event %zu: expected %.*s, was %s", r->event_count + 1,
                     (int)word->text.size, (const char *)word->text.data, got);
        if (!is_sent) {
            explain(r, e);
        }
        bytes_append_string(r->diff, "\n");
    }
}

static void show(struct bytes *out, const char *sign, struct slice value)
{
    bool is_long = value.size > VALUE_SHOWN_MAX_BYTES;
    bytes_format(out, "      %s %.*s%s\n", sign, (int)(is_long ? VALUE_SHOWN_MAX_BYTES : value.size),
                 (const char *)value.data, is_long ? " …" : "");
}

static struct slice text_of(const struct json_tree *t, const struct json_node *node)
{
    return slice_make(t->source.data + node->at, node->end - node->at);
}

/** The value of a header in `name: value` lines joined by CR LF; false: it is not there. */
static bool find_header(struct slice lines, struct slice name, struct slice *ret)
{
    for (size_t at = 0; at < lines.size;) {
        const uint8_t *cr = memchr(lines.data + at, '\r', lines.size - at);
        size_t end = cr == NULL ? lines.size : (size_t)(cr - lines.data);
        bool is_it = end - at > name.size && lines.data[at + name.size] == ':' &&
                     strncasecmp((const char *)lines.data + at, (const char *)name.data, name.size) == 0;
        if (is_it) {
            size_t from = at + name.size + 1;
            from += from < end && lines.data[from] == ' ' ? 1 : 0;
            *ret = slice_make(lines.data + from, end - from);
            return true;
        }
        at = end + 2;
    }
    return false;
}

/** All headers that the function's payload and file give the request, as lines. */
static void write_headers(const struct run *r, struct bytes *out)
{
    bytes_format(out, "content-type: %s", payload_content_type(&r->options));
    for (size_t i = 0; i < r->config->http.headers.count; i++) {
        const struct text_pair *pair = &r->config->http.headers.items[i];
        if (template_config_is_header(pair)) {
            continue;  // the request's own lines have it
        }
        bytes_format(out, "\r\n%s: %s", pair->key, pair->is_secret ? "(secret)" : pair->value);
    }
    if (r->payload.lines.size > 0) {
        bytes_append_string(out, "\r\n");
        bytes_append_slice(out, bytes_slice(&r->payload.lines));
    }
}

/** The URL of the first request. */
static void check_url(struct run *r)
{
    const struct json_node *wanted = r->test->url;
    const char *target = payload_target(&r->payload);
    const char *url = r->config->http.url == NULL ? "" : r->config->http.url;
    CLEANUP(bytes_clear) struct bytes got = {0};
    if (wanted == NULL) {
        return;
    }
    if (target == NULL) {
        bytes_append_string(&got, url);
    } else {
        CLEANUP(memory_free_pointer) char *origin = template_config_origin(url);
        bytes_format(&got, "%s%s", origin, target + 1);
    }
    if (!slice_equal(bytes_slice(&got), wanted->text)) {
        bytes_append_string(r->diff, "    url\n");
        show(r->diff, "-", wanted->text);
        show(r->diff, "+", bytes_slice(&got));
    }
}

static void check_headers(struct run *r)
{
    CLEANUP(bytes_clear) struct bytes lines = {0};
    const struct json_tree *t = &r->tests->tree;
    write_headers(r, &lines);
    for (const struct json_node *h = r->test->headers == NULL ? NULL : json_tree_child(t, r->test->headers);
         h != NULL; h = json_tree_next(t, h)) {
        struct slice got;
        struct slice wanted = h->kind == FILTER_TEXT ? h->text : text_of(t, h);
        bool is_there = find_header(bytes_slice(&lines), h->name, &got);
        bool must_be_there = h->kind != FILTER_NULL;
        if (is_there == must_be_there && (!is_there || slice_equal(got, wanted))) {
            continue;
        }
        bytes_format(r->diff, "    header %.*s\n", (int)h->name.size, (const char *)h->name.data);
        show(r->diff, "-", must_be_there ? wanted : slice_of("(absent)"));
        show(r->diff, "+", is_there ? got : slice_of("(absent)"));
    }
}

/** Whether the body is the text that the test has for all of it. */
static bool is_text_body(const struct run *r)
{
    const struct json_node *body = r->test->body;
    const struct json_node *whole = body->count == 1 ? json_tree_child(&r->tests->tree, body) : NULL;
    return whole != NULL && whole->name.size == 0 && whole->kind == FILTER_TEXT &&
           slice_equal(whole->text, bytes_slice(&r->payload.body));
}

static void check_body(struct run *r)
{
    CLEANUP(json_tree_clear) struct json_tree body = {0};
    struct fault f;
    const struct json_tree *t = &r->tests->tree;
    if (r->test->body == NULL) {
        return;
    }
    if (!json_tree_parse(bytes_slice(&r->payload.body), (struct json_place){1, 1}, &body, &f)) {
        if (!is_text_body(r)) {
            bytes_format(r->diff, "    the body is no JSON: %s\n", f.text);
            show(r->diff, "+", bytes_slice(&r->payload.body));
        }
        return;
    }
    for (const struct json_node *m = json_tree_child(t, r->test->body); m != NULL; m = json_tree_next(t, m)) {
        const struct json_node *got = json_pointer_find(&body, m->name);
        if (got != NULL && json_pointer_equal(t, m, &body, got)) {
            continue;
        }
        bytes_format(r->diff, "    body \"%.*s\"\n", (int)m->name.size, (const char *)m->name.data);
        show(r->diff, "-", text_of(t, m));
        show(r->diff, "+", got == NULL ? slice_of("(absent)") : text_of(&body, got));
    }
}

static bool has_request(const struct run *r)
{
    return r->test->url != NULL || r->test->headers != NULL || r->test->body != NULL;
}

/** Compares the first request with the one that is expected. */
static void check_request(struct run *r)
{
    if (!has_request(r)) {
        return;
    }
    if (r->payload.event_count == 0) {
        bytes_append_string(r->diff, "    expected a request, was none: no event was delivered\n");
        return;
    }
    check_url(r);
    check_headers(r);
    check_body(r);
}

static bool run_event(struct run *r, const struct json_tree *t, const struct json_node *node, struct fault *f)
{
    CLEANUP(test_event_clear) struct test_event event = {0};
    if (!test_event_read(t, node, r->config, &event, f)) {
        return false;
    }
    bool is_sent = is_delivered(r, &event);
    check_word(r, &event, is_sent);
    if (!is_sent && r->test->expect == NULL) {
        bytes_format(r->diff, "    event %zu was filtered", r->event_count + 1);
        explain(r, &event);
        bytes_append_string(r->diff, "\n");
    }
    r->event_count++;
    if (is_sent) {
        add_to_request(r, &event);
    }
    return true;
}

static bool run_line(struct run *r, struct slice line, uint32_t number, const char *path, struct fault *f)
{
    struct fault cause;
    CLEANUP(json_tree_clear) struct json_tree tree = {0};
    return (json_tree_parse(line, (struct json_place){number, 1}, &tree, &cause) &&
            run_event(r, &tree, &tree.nodes[0], &cause)) ||
           fault_set(f, FAULT_CONFIG, "%s:%s", path, cause.text);
}

static bool run_lines(struct run *r, FILE *in, const char *path, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes line = {0};
    enum line_step step;
    for (uint32_t number = 1; (step = line_reader_next(in, &line)) != LINE_END; number++) {
        if (step == LINE_TOO_LONG) {
            return fault_set(f, FAULT_CONFIG, "%s:%u:1: the line is longer than %d bytes", path, number,
                             LINE_READER_MAX_BYTES);
        }
        if (!line_reader_is_blank(&line) && !run_line(r, bytes_slice(&line), number, path, f)) {
            return false;
        }
    }
    return true;
}

static bool run_file(struct run *r, const char *folder, struct fault *f)
{
    const struct json_tree *t = &r->tests->tree;
    size_t at = r->test->events->at;
    CLEANUP(memory_free_pointer) char *name = slice_to_string(r->test->events->text);
    CLEANUP(memory_free_pointer)
    char *path = name[0] == '/' ? memory_string(name) : memory_format("%s/%s", folder, name);
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        return json_tree_refuse(t, at, f, "%s: %s", path, strerror(errno));
    }
    bool is_run = run_lines(r, in, path, f);
    if (is_run && ferror(in) != 0) {  // fopen opens folders, too
        is_run = json_tree_refuse(t, at, f, "%s: %s", path, strerror(errno));
    }
    (void)fclose(in);
    return is_run && (r->event_count > 0 || json_tree_refuse(t, at, f, "%s has no events", path));
}

static bool run_events(struct run *r, const char *folder, struct fault *f)
{
    const struct json_tree *t = &r->tests->tree;
    if (r->test->event != NULL) {
        return run_event(r, t, r->test->event, f);
    }
    if (r->test->events->kind == FILTER_TEXT) {
        return run_file(r, folder, f);
    }
    for (const struct json_node *n = json_tree_child(t, r->test->events); n != NULL;
         n = json_tree_next(t, n)) {
        if (!run_event(r, t, n, f)) {
            return false;
        }
    }
    return true;
}

/** A list of words says how many events there are. */
static void check_count(struct run *r)
{
    const struct json_node *expect = r->test->expect;
    if (expect != NULL && expect->kind == FILTER_ARRAY && expect->count > r->event_count) {
        bytes_format(r->diff, "    expect has %u words for %zu event%s\n", expect->count, r->event_count,
                     r->event_count == 1 ? "" : "s");
    }
}

bool test_run(const struct function_config *config, const struct function_tests *tests,
              const struct function_test *test, const char *folder, struct bytes *diff, struct fault *f)
{
    struct run r = {.config = config,
                    .tests = tests,
                    .test = test,
                    .diff = diff,
                    .options = payload_options_of(config, NULL)};
    payload_begin(&r.payload, &r.options);
    bool is_read = run_events(&r, folder, f);
    if (is_read) {
        check_count(&r);
        if (r.payload.event_count > 0) {
            payload_finish(&r.payload);
        }
        check_request(&r);
    }
    payload_clear(&r.payload);
    payload_options_clear(&r.options);
    bytes_clear(&r.scratch);
    return is_read;
}

#include "cli/filter_lines.h"

#include "bridge/filter/json_tree.h"
#include "bridge/filter/match.h"
#include "bridge/filter/pattern.h"
#include "cli/cli.h"
#include "core/base/line_reader.h"

static bool find_member(const struct json_tree *line, const char *name, const struct json_node **ret,
                        struct fault *f)
{
    *ret = json_tree_member(line, &line->nodes[0], slice_of(name));
    return *ret != NULL || json_tree_refuse(line, line->nodes[0].at, f, "\"%s\" is missing", name);
}

/** Compiles the line's pattern, at its place in the line, and evaluates it on the line's event. */
static bool judge(const struct json_tree *line, bool *ret, struct fault *f)
{
    const struct json_node *text = NULL;
    const struct json_node *event = NULL;
    CLEANUP(pattern_free_pointer) struct pattern *pattern = NULL;
    CLEANUP(bytes_clear) struct bytes scratch = {0};
    if (line->nodes[0].kind != FILTER_OBJECT) {
        return json_tree_refuse(line, line->nodes[0].at, f, "a line is {\"pattern\":…,\"event\":…}");
    }
    if (!find_member(line, "pattern", &text, f) || !find_member(line, "event", &event, f) ||
        !pattern_compile(slice_make(line->source.data + text->at, text->end - text->at),
                         json_tree_place(line, text->at), &pattern, f)) {
        return false;
    }
    if (event->kind != FILTER_OBJECT) {
        return json_tree_refuse(line, event->at, f, "an event is an object");
    }
    *ret = match_event(pattern, &JSON_TREE_OPS, json_tree_value(line, event), &scratch);
    return true;
}

static bool judge_text(struct slice text, uint32_t number, bool *ret, struct fault *f)
{
    CLEANUP(json_tree_clear) struct json_tree line = {0};
    return json_tree_parse(text, (struct json_place){number, 1}, &line, f) && judge(&line, ret, f);
}

int filter_lines(FILE *in, FILE *out)
{
    CLEANUP(bytes_clear) struct bytes line = {0};
    enum line_step step = LINE_END;
    for (uint32_t number = 1; (step = line_reader_next(in, &line)) != LINE_END; number++) {
        struct fault f;
        bool is_match = false;
        if (step == LINE_TOO_LONG) {
            (void)fprintf(out, "error: %u:1: the line is longer than %d bytes\n", number,
                          LINE_READER_MAX_BYTES);
        } else if (judge_text(bytes_slice(&line), number, &is_match, &f)) {
            (void)fputs(is_match ? "true\n" : "false\n", out);
        } else {
            (void)fprintf(out, "error: %s\n", f.text);
        }
        if (ferror(out) != 0) {
            break;
        }
    }
    bool is_done = ferror(in) == 0 && fflush(out) == 0 && ferror(out) == 0;
    if (!is_done) {
        perror("millrace filter");
    }
    return is_done ? CLI_DONE : CLI_FAILED;
}

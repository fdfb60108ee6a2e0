// millrace filter: tests filter patterns on events.
#include <getopt.h>
#include <stdio.h>

#include "bridge/filter/json_tree.h"
#include "bridge/filter/match.h"
#include "bridge/filter/pattern.h"
#include "cli/cli.h"

static const char USAGE[] =
    "usage: millrace filter --lines\n"
    "\n"
    "Reads lines {\"pattern\":…,\"event\":…} from standard input. For each it prints true when the event\n"
    "matches the pattern, false when it does not, or error: LINE:COLUMN: reason when the line or its "
    "pattern\n"
    "is wrong. Connects to no server. The patterns are those of Amazon EventBridge and AWS Lambda: "
    "docs/filters.md.\n";

enum { LINE_MAX_BYTES = 4 * 1024 * 1024 };

enum read_step { READ_LINE, READ_TOO_LONG, READ_END };

/** The next line without its end; of one that is too long the beginning. */
static enum read_step read_line(FILE *in, struct bytes *line)
{
    bytes_reset(line);
    bool is_too_long = false;
    int byte = getc(in);
    if (byte == EOF) {
        return READ_END;
    }
    for (; byte != EOF && byte != '\n'; byte = getc(in)) {
        is_too_long = is_too_long || line->size == LINE_MAX_BYTES;
        if (!is_too_long) {
            bytes_append_byte(line, (uint8_t)byte);
        }
    }
    return is_too_long ? READ_TOO_LONG : READ_LINE;
}

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

static int filter_lines(FILE *in, FILE *out)
{
    CLEANUP(bytes_clear) struct bytes line = {0};
    enum read_step step = READ_END;
    for (uint32_t number = 1; (step = read_line(in, &line)) != READ_END; number++) {
        struct fault f;
        bool is_match = false;
        if (step == READ_TOO_LONG) {
            (void)fprintf(out, "error: %u:1: the line is longer than %d bytes\n", number, LINE_MAX_BYTES);
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

int filter_command(int argc, char **argv)
{
    static const struct option options[] = {
        {"lines", no_argument, NULL, 'l'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    bool is_lines = false;
    optind = 0;  // main may have parsed options already
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            (void)fputs(USAGE, stdout);
            return CLI_DONE;
        }
        if (option != 'l') {
            (void)fputs(USAGE, stderr);
            return CLI_USAGE;
        }
        is_lines = true;
    }
    if (optind < argc) {
        (void)fprintf(stderr, "millrace filter: unexpected argument \"%s\"\n%s", argv[optind], USAGE);
        return CLI_USAGE;
    }
    if (!is_lines) {
        (void)fputs(USAGE, stderr);
        return CLI_USAGE;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);  // another program may wait for each verdict
    return filter_lines(stdin, stdout);
}

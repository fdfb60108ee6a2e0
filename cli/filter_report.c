#include "cli/filter_report.h"

#include <stdio.h>

#include "core/base/memory.h"

static size_t term_count(const struct function_config *config)
{
    return config->filter.pattern == NULL ? 0 : pattern_term_count(config->filter.pattern);
}

void filter_report_init(struct filter_report *r, const struct function_config *config, const char *path,
                        bool is_json)
{
    *r = (struct filter_report){.config = config, .path = path, .is_json = is_json};
    r->refused = memory_zeroed(term_count(config) + 1, sizeof *r->refused);
}

void filter_report_clear(struct filter_report *r)
{
    free(r->refused);
    *r = (struct filter_report){0};
}

bool filter_report_wants(const struct function_config *config, char op)
{
    return function_config_wants(config->source.operations, op);
}

static void append_term(struct bytes *out, const struct filter_report *r, const struct pattern_term *term)
{
    CLEANUP(memory_free_pointer) char *path = slice_to_string(term->path);
    if (r->is_json) {
        bytes_append_string(out, "{\"path\":");
        text_append_json(out, slice_of(path));
        bytes_append_string(out, ",\"file\":");
        text_append_json(out, slice_of(r->path));
        bytes_format(out, ",\"line\":%u,\"column\":%u", term->place.line, term->place.column);
        return;
    }
    bytes_format(out, "%s (%s:%u:%u)", term->is_or ? "$or" : path, r->path, term->place.line,
                 term->place.column);
}

static const char *word_of(enum filter_verdict verdict)
{
    static const char *const words[VERDICT_COUNT] = {
        [VERDICT_PASSES] = "passes",
        [VERDICT_REFUSED] = "refused",
        [VERDICT_OPERATION] = "operation not wanted",
        [VERDICT_TOMBSTONE] = "tombstone",
        [VERDICT_UNREADABLE] = "can't be read",
    };
    return words[verdict];
}

static void append_json_event(struct bytes *out, const struct filter_report *r,
                              const struct filter_event_place *at, enum filter_verdict verdict,
                              const struct pattern_term *term, const char *detail)
{
    bytes_append_string(out, "{\"event\":");
    text_append_json(out, slice_of(at->label));
    bytes_append_byte(out, ',');
    bytes_append_string(out, at->members);
    bytes_format(out, ",\"passes\":%s,\"verdict\":\"%s\"", verdict == VERDICT_PASSES ? "true" : "false",
                 word_of(verdict));
    if (term != NULL) {
        bytes_append_string(out, ",\"refused_by\":");
        append_term(out, r, term);
        bytes_append_byte(out, '}');
    }
    if (detail != NULL) {
        bytes_append_string(out, ",\"detail\":");
        text_append_json(out, slice_of(detail));
    }
    bytes_append_string(out, "}\n");
}

static size_t index_of(const struct filter_report *r, const struct pattern_term *term)
{
    for (size_t i = 0; i < term_count(r->config); i++) {
        if (pattern_term(r->config->filter.pattern, i) == term) {
            return i;
        }
    }
    INVARIANT(false);
    return 0;
}

void filter_report_event(struct filter_report *r, const struct filter_event_place *at,
                         enum filter_verdict verdict, const struct pattern_term *term, const char *detail)
{
    CLEANUP(bytes_clear) struct bytes out = {0};
    r->counts[verdict]++;
    if (term != NULL) {
        r->refused[index_of(r, term)]++;
    }
    if (r->is_json) {
        append_json_event(&out, r, at, verdict, term, detail);
    } else {
        bytes_format(&out, "%s: %s", at->label, word_of(verdict));
        if (term != NULL) {
            bytes_append_string(&out, " by ");
            append_term(&out, r, term);
        }
        bytes_append_string(&out, detail == NULL ? "" : ": ");
        bytes_append_string(&out, detail == NULL ? "" : detail);
        bytes_append_byte(&out, '\n');
    }
    (void)fputs(bytes_text(&out), stdout);
}

static size_t total(const struct filter_report *r)
{
    size_t count = 0;
    for (size_t i = 0; i < VERDICT_COUNT; i++) {
        count += r->counts[i];
    }
    return count;
}

static void append_json_summary(struct bytes *out, const struct filter_report *r)
{
    bytes_format(out,
                 "{\"events\":%zu,\"passed\":%zu,\"operation_not_wanted\":%zu,\"tombstones\":%zu,"
                 "\"unreadable\":%zu,\"refused\":[",
                 total(r), r->counts[VERDICT_PASSES], r->counts[VERDICT_OPERATION],
                 r->counts[VERDICT_TOMBSTONE], r->counts[VERDICT_UNREADABLE]);
    const char *between = "";
    for (size_t i = 0; i < term_count(r->config); i++) {
        bytes_append_string(out, between);
        append_term(out, r, pattern_term(r->config->filter.pattern, i));
        bytes_format(out, ",\"count\":%zu}", r->refused[i]);
        between = ",";
    }
    bytes_append_string(out, "]}\n");
}

static void append_count(struct bytes *out, size_t count, const char *what)
{
    if (count > 0) {
        bytes_format(out, "  %zu %s\n", count, what);
    }
}

static void append_summary(struct bytes *out, const struct filter_report *r)
{
    bytes_format(out, "%zu of %zu events pass\n", r->counts[VERDICT_PASSES], total(r));
    for (size_t i = 0; i < term_count(r->config); i++) {
        if (r->refused[i] > 0) {
            bytes_format(out, "  %zu refused by ", r->refused[i]);
            append_term(out, r, pattern_term(r->config->filter.pattern, i));
            bytes_append_byte(out, '\n');
        }
    }
    append_count(out, r->counts[VERDICT_OPERATION], "have an operation that source.operations does not name");
    append_count(out, r->counts[VERDICT_TOMBSTONE], "are tombstones");
    append_count(out, r->counts[VERDICT_UNREADABLE], "can't be read: they would go to the dead-letter topic");
}

void filter_report_summary(const struct filter_report *r)
{
    CLEANUP(bytes_clear) struct bytes out = {0};
    if (r->is_json) {
        append_json_summary(&out, r);
    } else {
        append_summary(&out, r);
    }
    (void)fputs(bytes_text(&out), stdout);
}

// millrace dlq list: counts by reason, then a line for each letter.
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/dlq.h"
#include "core/base/clock.h"

enum { LIMIT = 100, REASONS_MAX = 16, REASON_BYTES = 32 };

struct reason_count {
    char reason[REASON_BYTES];
    int64_t count;
};

struct listing {
    const struct dlq_options *options;
    int64_t limit;
    int64_t count;
    int64_t shown;
    struct reason_count reasons[REASONS_MAX];
    size_t reason_count;
    struct bytes lines;  // for people, or the items of a JSON array
};

/** Reasons beyond the table, which only other programs write, are counted as its last. */
static void count_reason(struct listing *l, struct slice reason)
{
    size_t size = reason.size < REASON_BYTES ? reason.size : REASON_BYTES - 1;
    struct reason_count *r = l->reasons;
    while (r < l->reasons + l->reason_count &&
           (strlen(r->reason) != size || memcmp(r->reason, reason.data, size) != 0)) {
        r++;
    }
    if (r == l->reasons + l->reason_count) {
        if (l->reason_count < REASONS_MAX) {
            l->reason_count++;
            memcpy(r->reason, reason.data, size);
        } else {
            r--;
        }
    }
    r->count++;
}

/** Text from headers, which anybody may have written: without bytes that a terminal acts on. */
static void append_plain(struct bytes *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bytes_append_byte(out, byte < 0x20 || byte == 0x7f ? ' ' : byte);
    }
}

static void append_line(struct bytes *out, const struct letter_found *found)
{
    const struct letter_info *letter = found->letter;
    text_append_time(out, letter->failed_at_ms * CLOCK_US_PER_MS);
    bytes_append_byte(out, ' ');
    append_plain(out, letter->reason);
    if (letter->status > 0) {
        bytes_format(out, " %" PRId64, letter->status);
    } else {
        bytes_append_string(out, " -");
    }
    bytes_format(out, " %" PRId64 " ", letter->attempts);
    append_plain(out, letter->topic);
    bytes_format(out, "-%" PRId64 "@%" PRId64 " %" PRId32 ":%" PRId64 " ", letter->partition, letter->offset,
                 found->record->partition, found->record->offset);
    append_plain(out, letter->event_id);
    bytes_append_byte(out, ' ');
    append_plain(out, found->key.size == 0 ? slice_of("-") : found->key);
    bytes_append_byte(out, ' ');
    append_plain(out, letter->message);
    bytes_append_byte(out, '\n');
}

static void append_json_text(struct bytes *out, const char *name, struct slice text)
{
    bytes_format(out, ",\"%s\":", name);
    text_append_json(out, text);
}

static void append_json(struct bytes *out, const struct letter_found *found)
{
    const struct letter_info *letter = found->letter;
    bytes_append_string(out, out->size == 0 ? "{\"failed_at\":\"" : ",{\"failed_at\":\"");
    text_append_time(out, letter->failed_at_ms * CLOCK_US_PER_MS);
    bytes_append_byte(out, '"');
    append_json_text(out, "reason", letter->reason);
    append_json_text(out, "message", letter->message);
    if (letter->status > 0) {
        bytes_format(out, ",\"status\":%" PRId64, letter->status);
    }
    bytes_format(out, ",\"attempts\":%" PRId64, letter->attempts);
    append_json_text(out, "topic", letter->topic);
    bytes_format(out,
                 ",\"partition\":%" PRId64 ",\"offset\":%" PRId64 ",\"place\":\"%" PRId32 ":%" PRId64 "\"",
                 letter->partition, letter->offset, found->record->partition, found->record->offset);
    append_json_text(out, "id", letter->event_id);
    bytes_append_string(out, ",\"key\":");
    bytes_append_slice(out, found->key.size == 0 ? slice_of("null") : found->key);
    bytes_append_byte(out, '}');
}

static bool visit(void *self, const struct letter_found *found)
{
    struct listing *l = self;
    l->count++;
    count_reason(l, found->letter->reason);
    if (l->shown < l->limit) {
        l->shown++;
        if (l->options->is_json) {
            append_json(&l->lines, found);
        } else {
            append_line(&l->lines, found);
        }
    }
    return true;
}

static void print_json(const struct listing *l)
{
    (void)printf("{\"waiting\":%" PRId64 ",\"reasons\":{", l->count);
    for (size_t i = 0; i < l->reason_count; i++) {
        CLEANUP(bytes_clear) struct bytes name = {0};
        text_append_json(&name, slice_of(l->reasons[i].reason));
        (void)printf("%s%s:%" PRId64, i == 0 ? "" : ",", bytes_text(&name), l->reasons[i].count);
    }
    (void)printf("},\"letters\":[%.*s]}\n", (int)l->lines.size,
                 l->lines.size == 0 ? "" : (char *)l->lines.data);
}

static void print_text(struct listing *l)
{
    for (size_t i = 0; i < l->reason_count; i++) {
        CLEANUP(bytes_clear) struct bytes reason = {0};
        append_plain(&reason, slice_of(l->reasons[i].reason));
        (void)printf("%10" PRId64 " %s\n", l->reasons[i].count, bytes_text(&reason));
    }
    (void)printf("%10" PRId64 " waiting\n", l->count);
    if (l->shown > 0) {
        (void)printf("\nfailed at, reason, status, attempts, from, place, id, key, message\n%s",
                     bytes_text(&l->lines));
    }
    if (l->shown < l->count) {
        (void)printf("… and %" PRId64 " more (--limit)\n", l->count - l->shown);
    }
}

int dlq_list(struct job_setup *s, const struct dlq_options *options)
{
    struct listing l = {.options = options, .limit = options->limit < 0 ? LIMIT : options->limit};
    const struct letter_scan_params params = {.loop = &s->loop,
                                              .settings = s->set.settings,
                                              .config = s->config,
                                              .schemas = s->schemas,
                                              .filter = &options->filter};
    struct fault f;
    CLEANUP(letter_scan_result_clear) struct letter_scan_result scanned = {0};
    bool is_good = letter_scan(&params, visit, &l, &scanned, &f);
    if (is_good && options->is_json) {
        print_json(&l);
    } else if (is_good) {
        print_text(&l);
    }
    bytes_clear(&l.lines);
    if (!is_good) {
        return job_setup_fail(s, &f);
    }
    if (l.count == 0 && scanned.seen > 0) {
        (void)fprintf(stderr, "millrace %s: none of the %" PRId64 " waiting letters is selected\n",
                      s->command, scanned.seen);
    }
    return fflush(stdout) == 0 ? CLI_DONE : CLI_FAILED;
}

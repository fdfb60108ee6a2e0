#include "cli/try/handler_watch.h"

#include <jansson.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"

enum { LINES_MAX = 20, LINE_BYTES_MAX = 1000, FAILURES_MAX = 8, FAILING_MAX_S = 30 };

struct handler_watch {
    struct handler_watch_params params;
    struct call_observer observer;
    char *lines[LINES_MAX];  // the last ones since the last call or start; a ring
    size_t line_count;       // also those that the ring has no more
    int failures;            // calls in a row
    int64_t failing_since_us;
};

static void forget_output(struct handler_watch *w)
{
    for (size_t i = 0; i < COUNT_OF(w->lines); i++) {
        free(w->lines[i]);
        w->lines[i] = NULL;
    }
    w->line_count = 0;
}

/** Appends the text as one line that a terminal shows as it is: control characters become blanks, and so
 * does what is not UTF-8. */
static void append_line(struct bytes *out, struct slice text)
{
    struct slice cut = text_cut(text, LINE_BYTES_MAX);
    bool is_utf8 = text_is_utf8(cut);
    for (size_t i = 0; i < cut.size; i++) {
        uint8_t byte = cut.data[i];
        bool is_c1 = byte == 0xc2 && i + 1 < cut.size && cut.data[i + 1] < 0xa0;  // U+0080 to U+009F
        bool is_shown = byte >= 0x20 && byte != 0x7f && (byte < 0x80 || is_utf8) && !is_c1;
        i += is_utf8 && is_c1 ? 1 : 0;
        bytes_append_byte(out, is_shown ? byte : ' ');
    }
    bytes_append_string(out, cut.size < text.size ? "…\n" : "\n");
}

static void append_output(const struct handler_watch *w, struct bytes *out)
{
    size_t first = w->line_count > LINES_MAX ? w->line_count - LINES_MAX : 0;
    if (first > 0) {
        bytes_format(out, "| … (%zu lines more)\n", first);
    }
    for (size_t i = first; i < w->line_count; i++) {
        bytes_append_string(out, "| ");
        append_line(out, slice_of(w->lines[i % LINES_MAX]));
    }
}

static void on_log(void *self, const char *event, const char *message)
{
    struct handler_watch *w = self;
    if (strcmp(event, "process_started") == 0) {
        forget_output(w);
    } else if (strcmp(event, "process_output") == 0) {
        char **place = &w->lines[w->line_count++ % LINES_MAX];
        free(*place);
        *place = memory_string(message);
    }
}

/** The row's key: the shop's tables have one column for it, a number. */
static int64_t row_id_of(struct slice key)
{
    json_t *json = json_loadb((const char *)key.data, key.size, 0, NULL);
    json_int_t id = 0;
    bool is_read = json_unpack(json, "{s:I}", "id", &id) == 0;
    json_decref(json);
    return is_read ? id : 0;
}

static void write_details(const struct handler_watch *w, const struct observed_event *e, struct bytes *out)
{
    if (e->end == OBSERVED_DELIVERED) {
        CLEANUP(bytes_clear) struct bytes result = {0};
        bytes_append_slice(&result, e->result);
        bytes_append_string(&result, e->is_cut ? "…" : "");
        append_line(out, result.size > 0 ? bytes_slice(&result) : slice_of("(an empty result)"));
        return;
    }
    CLEANUP(memory_free_pointer)
    char *error = memory_format("%s (attempt %u)", e->error, (unsigned)e->attempts);
    append_line(out, slice_of(error));
    if (!w->params.hides_output) {
        append_output(w, out);
    }
}

static void report(struct handler_watch *w, const struct observed_event *e)
{
    CLEANUP(bytes_clear) struct bytes details = {0};
    CLEANUP(memory_free_pointer) char *id = slice_to_string(e->id);
    const char *table = strrchr(e->topic, '.');
    write_details(w, e, &details);
    const struct try_ledger_call call = {
        .id = id,
        .op = e->op,
        .table = table == NULL ? e->topic : table + 1,
        .row_id = row_id_of(e->key),
        .status = e->status,
        .latency_us = clock_wall_us() - e->commit_time_us,
        .is_failed = e->end == OBSERVED_FAILED,
        .details = bytes_text(&details),
    };
    if (e->end != OBSERVED_RETRIED) {
        w->params.on_call(w->params.self, &call);
        return;
    }
    CLEANUP(memory_free_pointer) char *topic = memory_string(e->topic);
    w->params.on_retry(w->params.self, &(struct try_ledger_event){
                                           .id = id,
                                           .topic = topic,
                                           .partition = e->partition,
                                           .offset = e->offset,
                                           .op = call.op,
                                           .table = call.table,
                                           .row_id = call.row_id,
                                           .is_retried = true,
                                           .details = (char *)(uintptr_t)call.details,
                                       });
}

static void give_up(struct handler_watch *w, const char *why, const char *text)
{
    struct fault f = {0};
    CLEANUP(bytes_clear) struct bytes details = {0};
    (void)fault_from(&f, FAULT_FATAL, HANDLER_WATCH_HOPELESS, 0, "%s%s", why, text);
    if (!w->params.hides_output) {
        append_output(w, &details);
    }
    w->params.on_hopeless(w->params.self, &f, bytes_text(&details));
}

/** How long no call has succeeded decides: each call that times out takes long, and one that crashes is soon
 * tried less and less often. */
static void note_failure(struct handler_watch *w)
{
    int64_t now_us = clock_now_us();
    w->failing_since_us = w->failures == 0 ? now_us : w->failing_since_us;
    w->failures++;
    if (w->failures >= FAILURES_MAX || now_us - w->failing_since_us >= FAILING_MAX_S * CLOCK_US_PER_S) {
        CLEANUP(memory_free_pointer) char *text = memory_format("%d calls in a row", w->failures);
        give_up(w, "the handler failed in ", text);
    }
}

static void on_event(void *self, const struct observed_event *e)
{
    struct handler_watch *w = self;
    bool is_started = e->status != 0 || e->is_attempt;
    if (e->end == OBSERVED_RETRIED && !is_started) {
        give_up(w, "the handler's process does not start: ", e->error);
        return;
    }
    report(w, e);
    forget_output(w);
    if (e->end == OBSERVED_DELIVERED) {
        w->failures = 0;
    } else {
        note_failure(w);
    }
}

struct handler_watch *handler_watch_new(const struct handler_watch_params *params)
{
    struct handler_watch *w = memory_zeroed(1, sizeof *w);
    w->params = *params;
    w->observer = (struct call_observer){on_event, w};
    log_listen("process_", on_log, w);
    return w;
}

const struct call_observer *handler_watch_observer(const struct handler_watch *w)
{
    return &w->observer;
}

void handler_watch_free(struct handler_watch *w)
{
    if (w != NULL) {
        log_listen(NULL, NULL, NULL);
        forget_output(w);
        free(w);
    }
}

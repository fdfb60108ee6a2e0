#include "cli/try/try_report.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/try/shell_word.h"
#include "core/base/clock.h"
#include "core/base/memory.h"

enum { MISSING_SHOWN_MAX = 10, TABLE_WIDTH = 11, DETAILS_INDENT = 10 };

static const char bold[] = "\033[1m";
static const char dim[] = "\033[2m";
static const char green[] = "\033[32m";
static const char red[] = "\033[31m";
static const char plain[] = "\033[0m";

static const char *colour(const struct try_report *r, const char *code)
{
    return r->is_coloured ? code : "";
}

void try_report_init(struct try_report *r, FILE *out, bool is_silent, const char *schema)
{
    const char *no_colour = getenv("NO_COLOR");
    setvbuf(out, NULL, _IOLBF, 0);  // each line at once, in a pipe too
    *r = (struct try_report){
        .out = out,
        .is_coloured = isatty(fileno(out)) == 1 && (no_colour == NULL || *no_colour == '\0'),
        .is_silent = is_silent,
        .subject_width = (int)strlen(schema) + 1 + TABLE_WIDTH,
    };
}

void try_report_started(struct try_report *r, const char *what, const char *format, ...)
{
    if (r->is_silent) {
        return;
    }
    va_list values;
    va_start(values, format);
    fprintf(r->out, "%s%-10s%s ", colour(r, bold), what, colour(r, plain));
    vfprintf(r->out, format, values);
    fputc('\n', r->out);
    va_end(values);
}

void try_report_lsn(struct bytes *out, const char *event_id)
{
    char *end = NULL;
    unsigned long long lsn = strtoull(event_id, &end, 16);
    if (end != event_id + 16 || *end != '-') {
        bytes_append_string(out, event_id);
        return;
    }
    bytes_format(out, "%X/%X", (unsigned)(lsn >> 32), (unsigned)(lsn & 0xFFFFFFFF));
}

static const char *verb(char op)
{
    switch (op) {
    case 'r':
        return "read";
    case 'c':
        return "insert";
    case 'u':
        return "update";
    case 'd':
        return "delete";
    default:
        return "?";
    }
}

/** The columns fit into 80 characters for tables of schema public. */
static void write_head(struct try_report *r)
{
    fprintf(r->out, "\n%s%-9s %-23s %-*s %-6s %7s%s\n", colour(r, bold), "LSN", "CHANGE",
            r->subject_width + (int)sizeof "try. [0] 000", "TOPIC [PARTITION] OFFSET", "ANSWER", "MS",
            colour(r, plain));
}

static void write_answer(const struct try_report *r, const struct try_ledger_event *event)
{
    char number[16];
    bool is_good = !event->is_failed && !event->is_retried && event->status < 300;
    (void)snprintf(number, sizeof number, "%d", event->status);
    const char *word = event->is_failed         ? "failed"
                       : event->is_retried      ? "again"
                       : event->details != NULL ? "ok"
                                                : number;
    fprintf(r->out, "%s%-6s%s ", colour(r, is_good ? green : red), word, colour(r, plain));
}

/** What a handler answered, a line each, below the change. */
static void write_details(const struct try_report *r, const char *details)
{
    while (details != NULL && *details != '\0') {
        int size = (int)strcspn(details, "\n");
        fprintf(r->out, "%s%*s%.*s%s\n", colour(r, dim), DETAILS_INDENT, "", size, details, colour(r, plain));
        details += size;
        details += *details == '\n';
    }
}

void try_report_event(struct try_report *r, const struct try_ledger_event *event)
{
    if (r->is_silent) {
        return;
    }
    if (r->lines++ == 0) {
        write_head(r);
    }
    CLEANUP(bytes_clear) struct bytes lsn = {0};
    CLEANUP(bytes_clear) struct bytes change = {0};
    CLEANUP(bytes_clear) struct bytes place = {0};
    try_report_lsn(&lsn, event->id);
    bytes_format(&change, "%-9s %s %lld", verb(event->op), event->table, (long long)event->row_id);
    bytes_format(&place, "%s [%d] %lld", event->topic, (int)event->partition, (long long)event->offset);
    fprintf(r->out, "%-9s %-23s %-*s ", bytes_text(&lsn), bytes_text(&change),
            r->subject_width + (int)sizeof "try. [0] 000", bytes_text(&place));
    write_answer(r, event);
    if (event->is_before || event->is_failed || event->is_retried) {
        fprintf(r->out, "%s%7s%s\n", colour(r, dim), "-", colour(r, plain));
    } else {
        fprintf(r->out, "%7.1f\n", (double)event->latency_us / (double)CLOCK_US_PER_MS);
    }
    write_details(r, event->details);
}

void try_report_summary(struct try_report *r, const struct try_ledger_counts *counts)
{
    if (r->is_silent) {
        return;
    }
    const char *mark = colour(r, counts->failed == 0 ? green : red);
    fprintf(r->out, "\n%s%lld changes made, %lld published, %lld delivered, %lld failed%s\n", mark,
            (long long)counts->changes, (long long)counts->published, (long long)counts->invoked,
            (long long)counts->failed, colour(r, plain));
    if (counts->invoked > 0) {
        fprintf(r->out, "commit to answer: p50 %.1f ms, p99 %.1f ms\n", (double)counts->p50_us / 1000.0,
                (double)counts->p99_us / 1000.0);
    }
    fprintf(r->out, "%lld of %lld rows that were there before were delivered by the snapshot\n",
            (long long)counts->before_invoked, (long long)counts->before);
    if (counts->repeated > 0) {
        fprintf(r->out, "%lld calls were repeated, with the same event id\n", (long long)counts->repeated);
    }
    if (counts->strange > 0) {
        fprintf(r->out, "%lld calls match no change\n", (long long)counts->strange);
    }
}

/** What to type to start this program: its name if the shell found it by that, else its path. */
static const char *command_name(void)
{
    static char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
    bool is_found_by_name = strchr(program_invocation_name, '/') == NULL;
    if (is_found_by_name || size <= 0) {
        return program_invocation_short_name;
    }
    path[size] = '\0';
    return path;
}

void try_report_next(struct try_report *r, const char *function)
{
    if (r->is_silent) {
        return;
    }
    const char *program = command_name();
    CLEANUP(memory_free_pointer)
    char *text =
        memory_format("{source: {topics: [shop.public.*]}, %s}",
                      function == NULL ? "endpoint: {http: {url: \"http://localhost:8080/\"}}" : function);
    CLEANUP(bytes_clear) struct bytes file = {0};
    shell_word_append(&file, text);
    fprintf(
        r->out,
        "\n%sNext%s: the same with your own database, Kafka and function. Three files and two commands:\n\n"
        "  mkdir -p millrace/connectors millrace/functions\n"
        "  echo 'kafka: {bootstrap.servers: \"localhost:9092\"}' > millrace/millrace.yaml\n"
        "  echo '{postgres: {dsn: \"host=localhost dbname=shop\"}, topic_prefix: shop}'"
        " > millrace/connectors/shop.yaml\n"
        "  echo %s > millrace/functions/hello.yaml\n"
        "  %s check\n"
        "  %s run\n",
        colour(r, bold), colour(r, plain), bytes_text(&file), program, program);
}

void try_report_json(FILE *out, const struct try_ledger_counts *counts)
{
    fprintf(out,
            "{\"changes\":%lld,\"published\":%lld,\"invoked\":%lld,\"failed\":%lld,"
            "\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
            (long long)counts->changes, (long long)counts->published, (long long)counts->invoked,
            (long long)counts->failed, (double)counts->p50_us / 1000.0, (double)counts->p99_us / 1000.0);
    fflush(out);
}

void try_report_interrupted(FILE *err, const char *why, const struct try_ledger_counts *counts)
{
    fprintf(err,
            "millrace try: %s: of %lld changes %lld were delivered by then; the rest was not waited for\n",
            why, (long long)counts->changes, (long long)counts->invoked);
}

struct missing {
    FILE *err;
    int64_t count;
};

static void on_missing(void *self, char op, const char *table, int64_t row_id)
{
    struct missing *m = self;
    if (m->count++ < MISSING_SHOWN_MAX) {
        fprintf(m->err, "  %-9s %s %lld\n", verb(op), table, (long long)row_id);
    }
}

void try_report_missing(FILE *err, const struct try_ledger *ledger)
{
    struct try_ledger_counts counts;
    try_ledger_count(ledger, &counts);
    fprintf(err,
            "millrace try: not everything arrived: of %lld changes %lld were published and %lld delivered; "
            "of %lld rows from before, %lld were delivered. Missing at the function:\n",
            (long long)counts.changes, (long long)counts.published, (long long)counts.invoked,
            (long long)counts.before, (long long)counts.before_invoked);
    struct missing m = {err, 0};
    try_ledger_missing(ledger, &m, on_missing);
    if (m.count > MISSING_SHOWN_MAX) {
        fprintf(err, "  and %lld more\n", (long long)(m.count - MISSING_SHOWN_MAX));
    }
}

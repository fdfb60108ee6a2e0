// What `millrace try` says: a line for each change's way, a summary, or one line of JSON.
#ifndef CLI_TRY_TRY_REPORT_H
#define CLI_TRY_TRY_REPORT_H

#include <stdio.h>

#include "cli/try/try_ledger.h"

struct try_report {
    FILE *out;
    bool is_coloured;
    bool is_silent;     // --json: nothing but try_report_json
    int subject_width;  // of "schema.table"
    int lines;
};

/** Colour only on a terminal, and not with NO_COLOR set. */
void try_report_init(struct try_report *r, FILE *out, bool is_silent, const char *schema);

/** One of the lines above the table: what was started, in two columns. */
void try_report_started(struct try_report *r, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** LSN, operation and row, topic, call, answer, milliseconds; the table's head before the first one. */
void try_report_event(struct try_report *r, const struct try_ledger_event *event);

void try_report_summary(struct try_report *r, const struct try_ledger_counts *counts);

/** What to type next. */
void try_report_next(struct try_report *r);

/** {"changes":…,"published":…,"invoked":…,"failed":…,"p50_ms":…,"p99_ms":…} and a line end. */
void try_report_json(FILE *out, const struct try_ledger_counts *counts);

/** It was ended before everything could arrive: how far it had come. */
void try_report_interrupted(FILE *err, const char *why, const struct try_ledger_counts *counts);

/** To `err`: how many did not arrive, how far they came, and which (the first ten). */
void try_report_missing(FILE *err, const struct try_ledger *ledger);

/** Appends the LSN half of an event id as PostgreSQL writes it, "0/1A2B3C8"; else the id itself. */
void try_report_lsn(struct bytes *out, const char *event_id);

#endif

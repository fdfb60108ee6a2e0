// The output of `millrace try`: a line for each change and a summary, or one line of JSON.
#ifndef CLI_TRY_TRY_REPORT_H
#define CLI_TRY_TRY_REPORT_H

#include <stdio.h>

#include "cli/try/try_ledger.h"

struct try_report {
    FILE *out;
    bool is_coloured;
    bool is_silent;     // --json: prints only try_report_json
    int subject_width;  // of "schema.table"
    int lines;
};

/** Uses colours only on a terminal and without NO_COLOR. */
void try_report_init(struct try_report *r, FILE *out, bool is_silent, const char *schema);

/** Prints one of the lines above the table: a started part and its description. */
void try_report_started(struct try_report *r, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Prints LSN, operation and row, topic, call, response, milliseconds, and below what a handler answered;
 * before the first one the table's head.
 */
void try_report_event(struct try_report *r, const struct try_ledger_event *event);

void try_report_summary(struct try_report *r, const struct try_ledger_counts *counts);

/** Prints the next steps. @param function  members of its file; NULL: an HTTP server's */
void try_report_next(struct try_report *r, const char *function);

/** Prints {"changes":…,"published":…,"invoked":…,"failed":…,"p50_ms":…,"p99_ms":…} and a line end. */
void try_report_json(FILE *out, const struct try_ledger_counts *counts);

/** After an early end: prints how far the changes have come. */
void try_report_interrupted(FILE *err, const char *why, const struct try_ledger_counts *counts);

/** Prints how many changes did not arrive, how far they came, and the first ten of them. */
void try_report_missing(FILE *err, const struct try_ledger *ledger);

/** Appends the LSN half of an event id as PostgreSQL writes it, "0/1A2B3C8"; else the id itself. */
void try_report_lsn(struct bytes *out, const char *event_id);

#endif

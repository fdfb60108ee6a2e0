// The subcommands of millrace dlq, one file each.
#ifndef CLI_DLQ_H
#define CLI_DLQ_H

#include "bridge/jobs/letter_filter.h"
#include "bridge/jobs/letter_scan.h"
#include "cli/job_setup.h"

/** The command line. Texts point into argv. */
struct dlq_options {
    const char *dir;
    const char *function;
    const char *place;  // show: PARTITION:OFFSET or an event id
    struct letter_filter filter;
    int64_t limit;  // -1: none given
    int64_t rate;   // letters a second; redrive
    bool is_json;
    bool is_yes;
    bool is_dry_run;
};

/** Each returns the exit code. The setup is open. */
int dlq_list(struct job_setup *s, const struct dlq_options *options);
int dlq_redrive(struct job_setup *s, const struct dlq_options *options);
int dlq_drop(struct job_setup *s, const struct dlq_options *options);
int dlq_show(struct job_setup *s, const struct dlq_options *options);

#endif

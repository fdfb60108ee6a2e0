// Runs a job (bridge/intake/job.h) in this process until it is done or a signal ends it, and says how far it
// is.
#ifndef CLI_JOB_RUN_H
#define CLI_JOB_RUN_H

#include "bridge/intake/job.h"
#include "cli/job_setup.h"

struct job_run_params {
    struct job_setup *setup;
    struct job job;  // without on_event and self
    enum job_step (*select)(void *self, struct record *r);
    void *self;               // of select
    const char *verb;         // "redriven"
    const char *failed_verb;  // "failed again"
    int64_t total;            // records that the job is about; -1: not known
};

struct job_run_result {
    int64_t done;  // delivered, or settled without a call
    int64_t filtered;
    int64_t failed;    // kept or dead-lettered
    bool is_complete;  // up to the ends, of all partitions that this process had
    bool is_interrupted;
};

/**
 * Takes the function's configuration out of the setup.
 *
 * @return  CLI_DONE, CLI_FAILED (something failed, or it was interrupted), CLI_CONFIG; with CLI_AT_ONCE when
 *          calls were still running
 */
int job_run(const struct job_run_params *params, struct job_run_result *ret);

#endif

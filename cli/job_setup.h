// What dlq and replay share: the function's file, a loop, the registry.
#ifndef CLI_JOB_SETUP_H
#define CLI_JOB_SETUP_H

#include <uv.h>

#include "bridge/intake/record.h"
#include "cli/config_dir.h"

/** Zero-initialised before job_setup_open. */
struct job_setup {
    const char *command;  // for messages: "dlq list"
    const char *dir;      // the configuration folder
    uv_loop_t loop;
    struct config_set set;
    struct function_config *config;  // in `set`
    struct registry *registry;
    struct schema_cache *schemas;
    bool has_loop;
};

/**
 * Loads the folder and finds the function's file; starts the log at level warn or above; waits for Kafka to
 * respond, 30 s at most.
 *
 * @param dir       as -c gives it; NULL: the default
 * @param ret_exit  the exit code, when the result is false: then stderr says why
 */
bool job_setup_open(struct job_setup *s, const char *command, const char *dir, const char *function,
                    int *ret_exit) MUST_USE;

/** False, and stderr says why: the function's file says that no call starts. */
bool job_setup_may_call(const struct job_setup *s) MUST_USE;

/** Runs the loop until its handles are closed. */
void job_setup_close(struct job_setup *s);

/** Prints "millrace COMMAND: …" and returns the exit code for the fault. */
int job_setup_fail(const struct job_setup *s, const struct fault *f);

/** Parses a time for --since and --until: RFC 3339, or how long ago (30m, 2h, 7d). Prints why not. */
bool job_setup_time(const char *command, const char *option, const char *text, int64_t *ret_ms) MUST_USE;

/** Parses 10/s, 600/m or 36000/h into events a second, at least 1. Prints why not. */
bool job_setup_rate(const char *command, const char *text, int64_t *ret) MUST_USE;

/** Checks the value of --key. Prints what is wrong with it. */
bool job_setup_key(const char *command, const char *text) MUST_USE;

/** Parses a number from 0 on. Prints why not. */
bool job_setup_number(const char *command, const char *option, const char *text, int64_t *ret) MUST_USE;

#endif

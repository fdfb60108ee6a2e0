// A program that gives credentials: `credential_process` of a profile. It runs without a shell, in a process
// group of its own, and gets the variables that begin with AWS_ and those that any program needs. It is done
// when it ends: what it leaves running is neither waited for nor ended. Source:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
#ifndef BRIDGE_ENDPOINTS_AWS_AWS_PROCESS_H
#define BRIDGE_ENDPOINTS_AWS_AWS_PROCESS_H

#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/fault.h"
#include "core/base/text.h"

struct aws_process;

/**
 * @param output  what it wrote to its standard output; secret, lent for the call; empty with a fault
 * @param f       NULL: it ended with 0; FAULT_RETRY: how it failed, with the end of its standard error
 */
typedef void (*aws_process_on_done)(void *self, struct slice output, const struct fault *f);

struct aws_process_params {
    const char *command;  // as aws_process_split
    uint64_t timeout_ms;
    aws_process_on_done on_done;  // called later on the loop, once, unless cancelled
    void *self;
};

/**
 * Starts it.
 *
 * @param params  lent for the call
 * @param f       FAULT_CONFIG: the command is invalid; FAULT_RETRY: it can't be started
 */
bool aws_process_start(uv_loop_t *loop, const struct aws_process_params *params, struct aws_process **ret,
                       struct fault *f) MUST_USE;

/** Kills it, and what it started; on_done is not called. It is freed by itself later on the loop. Accepts
 * NULL. */
void aws_process_cancel(struct aws_process *p);

/**
 * Splits a command into program and arguments, as AWS's SDKs for Python and Java do: at blanks, with single
 * and double quotes, and a backslash before any character outside of quotes, before " and \ within double
 * quotes. Nothing is expanded.
 *
 * @param f  FAULT_CONFIG: it is empty, or a quote is not closed
 */
bool aws_process_split(const char *command, struct text_list *ret, struct fault *f) MUST_USE;

#endif

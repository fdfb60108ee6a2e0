// The environment of a local function's process: what Lambda's runtimes expect, and what the file adds.
#ifndef BRIDGE_ENDPOINTS_PROCESS_INSTANCE_ENVIRONMENT_H
#define BRIDGE_ENDPOINTS_PROCESS_INSTANCE_ENVIRONMENT_H

#include "bridge/config/process_config.h"

/**
 * Makes the environment of one instance. Of millrace's own environment only PATH, LANG and TZ go into it, and
 * HOME when `user` names no other user; the file's `env` replaces these. Reads the user database.
 *
 * Source: the variables that Lambda defines for runtimes ("Using Lambda environment variables"), as far as
 * awslambdaric, the Node runtime interface client and the runtimes of Go and Rust read them.
 *
 * @param function  its name
 * @param port      of 127.0.0.1, where the instance's Runtime API is
 * @return          NULL-ended, in one block; instance_environment_free releases it
 */
char **instance_environment_make(const struct process_config *c, const char *function, int port);

/** Overwrites it first: the file's `env` may have secrets. Accepts NULL. */
void instance_environment_free(char **environment);

#endif

// How a function on this machine is run: the section `endpoint.process` of a function's file.
#ifndef BRIDGE_CONFIG_PROCESS_CONFIG_H
#define BRIDGE_CONFIG_PROCESS_CONFIG_H

#include "core/base/text.h"

/** Owned strings. */
struct process_config {
    struct text_list command;  // argv of its runtime client
    char *handler;             // what the client is to call; NULL: the command says
    char *directory;           // where it runs, absolute; NULL: where millrace does
    struct text_pairs env;     // added to a small environment; nothing else is inherited
    int64_t instances;         // at most
    int64_t warm_instances;    // that run without calls, too
    int64_t concurrency_per_instance;
    int64_t idle_stop_us;     // without a call, of those beyond warm_instances; 0: never
    int64_t init_timeout_us;  // from the start to the first request for an invocation
    int64_t memory_bytes;     // of one instance and its children; 0: no limit
    char *cpu_text;           // as in the file; NULL: no limit
    int64_t cpu_millis;       // of one instance and its children, in thousandths of a core; 0: no limit
    char *user;               // name or number; NULL: millrace's own
};

/** The PATH of its processes, borrowed. */
const char *process_config_path(const struct process_config *c);

/** A copy of its own; process_config_clear releases it. */
void process_config_copy(const struct process_config *from, struct process_config *ret);

void process_config_clear(struct process_config *c);

#endif

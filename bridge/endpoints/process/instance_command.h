// The command line that starts a local function's process with its limits.
#ifndef BRIDGE_ENDPOINTS_PROCESS_INSTANCE_COMMAND_H
#define BRIDGE_ENDPOINTS_PROCESS_INSTANCE_COMMAND_H

#include <sys/types.h>

#include "bridge/config/process_config.h"

enum { INSTANCE_COMMAND_NUMBER_MAX = 24 };

/** `millrace exec-function --parent PID … -- COMMAND`; in place while it is used. */
struct instance_command {
    char **arguments;  // NULL-ended; its strings are constants, the configuration's, and those below
    char parent[INSTANCE_COMMAND_NUMBER_MAX];
    char memory[INSTANCE_COMMAND_NUMBER_MAX];
};

/** The command of this process's children. `config` is lent until instance_command_clear. */
void instance_command_make(struct instance_command *ret, const struct process_config *config);

void instance_command_clear(struct instance_command *c);

#endif

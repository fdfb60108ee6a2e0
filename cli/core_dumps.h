// Core dumps would contain secrets.
#ifndef CLI_CORE_DUMPS_H
#define CLI_CORE_DUMPS_H

/** Switches off core dumps of this process, and reading its memory by others of the same user, unless
 * MILLRACE_CORE_DUMPS=1. */
void core_dumps_forbid(void);

#endif

#include "cli/core_dumps.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void core_dumps_forbid(void)
{
    const char *wanted = getenv("MILLRACE_CORE_DUMPS");
    if (wanted != NULL && strcmp(wanted, "1") == 0) {
        return;
    }
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__          // LeakSanitizer must be able to attach
    (void)prctl(PR_SET_DUMPABLE, 0);  // RLIMIT_CORE does not stop a core_pattern that is a program
#endif
}

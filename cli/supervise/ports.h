// The listening ports of a process: the admin port, and the embedded registry's own.
#ifndef CLI_SUPERVISE_PORTS_H
#define CLI_SUPERVISE_PORTS_H

#include "cli/supervise/health.h"
#include "schemas/registry/registry.h"

/** Zero-initialised has none. */
struct ports {
    struct admin *admin;     // NULL: admin.listen is off
    struct admin *registry;  // NULL: no registry.listen
};

struct ports_params {
    uv_loop_t *loop;
    const struct settings *settings;         // lent until ports_close
    struct registry *registry;               // lent until ports_close; served by both
    const struct health_provider *provider;  // lent until ports_close
    const char *component;                   // for the log
};

/** Whether the settings name any port. */
bool ports_are_wanted(const struct settings *settings);

/** Opens what the settings name. FAULT_CONFIG when an address can't be listened on; ports_close in any case.
 */
bool ports_open(const struct ports_params *params, struct ports *ret, struct fault *f) MUST_USE;

/** To be called in the same turn of the loop as registry_close. */
void ports_close(struct ports *p);

#endif

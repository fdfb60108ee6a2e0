// The admin port's health routes: /healthz, /readyz, /metrics, /api/status.
#ifndef CLI_SUPERVISE_HEALTH_H
#define CLI_SUPERVISE_HEALTH_H

#include "cli/supervise/health_part.h"
#include "core/http/admin.h"

/** Adds the four routes; the provider must live as long as the server. */
void health_serve(struct admin *admin, const struct health_provider *provider);

#endif

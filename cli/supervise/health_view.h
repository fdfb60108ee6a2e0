// The state of all connectors, functions and processes as JSON, collected from all health_parts.
#ifndef CLI_SUPERVISE_HEALTH_VIEW_H
#define CLI_SUPERVISE_HEALTH_VIEW_H

#include <jansson.h>

#include "cli/supervise/health_part.h"

struct health_view {
    json_t *connectors;  // entries as reported; those without a report have the state of their process
    json_t *functions;   // likewise; an entry for each bridge process that runs the function
    json_t *processes;
    json_t *rejected;  // {"kind","name","error"} for each file that can't be used
    bool is_healthy;
    bool is_ready;
};

struct health_view health_view_make(const struct health_provider *provider);
void health_view_clear(struct health_view *view);

#endif

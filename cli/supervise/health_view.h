// What is known of connectors, functions and processes, gathered over all parts as JSON.
#ifndef CLI_SUPERVISE_HEALTH_VIEW_H
#define CLI_SUPERVISE_HEALTH_VIEW_H

#include <jansson.h>

#include "cli/supervise/health_part.h"

struct health_view {
    json_t *connectors;  // entries as reported, or what is known of those that do not report
    json_t *functions;   // the same; one for each bridge process that has it
    json_t *processes;
    json_t *rejected;  // {"kind","name","error"} for each file that can't be used
    bool is_healthy;
    bool is_ready;
};

struct health_view health_view_make(const struct health_provider *provider);
void health_view_clear(struct health_view *view);

#endif

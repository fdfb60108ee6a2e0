// What `millrace filter FUNCTION` says of events: which pass, and what refused each other one.
#ifndef CLI_FILTER_REPORT_H
#define CLI_FILTER_REPORT_H

#include "bridge/config/function_config.h"

enum filter_verdict {
    VERDICT_PASSES,
    VERDICT_REFUSED,    // by the filter
    VERDICT_OPERATION,  // not in source.operations
    VERDICT_TOMBSTONE,
    VERDICT_UNREADABLE,  // goes to the dead-letter topic
    VERDICT_COUNT,
};

struct filter_report {
    const struct function_config *config;
    const char *path;  // of the function's file
    bool is_json;
    size_t counts[VERDICT_COUNT];
    size_t *refused;  // by the index of the pattern's term
};

void filter_report_init(struct filter_report *r, const struct function_config *config, const char *path,
                        bool is_json);
void filter_report_clear(struct filter_report *r);

/**
 * Prints and counts one event.
 *
 * @param label   where it is: "line 7", "shop.public.orders/0 offset 12"
 * @param detail  TERM: what refused it; else a text or NULL
 */
void filter_report_event(struct filter_report *r, const char *label, enum filter_verdict verdict,
                         const struct pattern_term *term, const char *detail);

void filter_report_summary(const struct filter_report *r);

/** Whether the function's `source.operations` has the operation. */
bool filter_report_wants(const struct function_config *config, char op);

#endif

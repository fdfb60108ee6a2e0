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

/** Where an event is; borrowed for a call. */
struct filter_event_place {
    const char *label;    // "line 7", "shop.public.orders/0 offset 12 key 3"
    const char *members;  // the same for scripts, of a JSON object: "\"line\":7"
};

/**
 * Prints and counts one event.
 *
 * @param detail  TERM: what refused it; else a text or NULL
 */
void filter_report_event(struct filter_report *r, const struct filter_event_place *at,
                         enum filter_verdict verdict, const struct pattern_term *term, const char *detail);

void filter_report_summary(const struct filter_report *r);

/** Whether the function's `source.operations` has the operation. */
bool filter_report_wants(const struct function_config *config, char op);

#endif

// Responses that break a rule: each is counted, and a line a minute is logged for each rule.
#ifndef BRIDGE_DELIVERY_RESPONSE_LOG_H
#define BRIDGE_DELIVERY_RESPONSE_LOG_H

#include "bridge/delivery/function_metrics.h"

struct response_lines {
    int64_t logged_us;  // 0: never
    uint64_t count;     // responses since then
};

/** Embedded; zero-initialised. */
struct response_log {
    struct response_lines invalid;
    struct response_lines cut;
};

/** The body should name events that failed, and is invalid at `where`. */
void response_log_invalid(struct response_log *l, struct function_metrics *metrics, const char *component,
                          int status, const char *where);

/** The body was cut off: its status counts. */
void response_log_cut(struct response_log *l, struct function_metrics *metrics, const char *component,
                      int status);

#endif

#include "bridge/delivery/response_log.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#define PAUSE_US (60 * CLOCK_US_PER_S)

/** Counts a response. Returns how many came since the last line, this one included; 0: no line is due. */
static uint64_t count_response(struct response_lines *l)
{
    int64_t now_us = clock_now_us();
    l->count++;
    if (l->logged_us != 0 && now_us - l->logged_us < PAUSE_US) {
        return 0;
    }
    uint64_t count = l->count;
    *l = (struct response_lines){.logged_us = now_us};
    return count;
}

void response_log_invalid(struct response_log *l, struct function_metrics *metrics, const char *component,
                          int status, const char *where)
{
    metric_add(metrics->invalid_responses, 1);
    uint64_t count = count_response(&l->invalid);
    if (count > 0) {
        log_warn(component, "response_invalid",
                 LOG_WITH(LOG_NUMBER("status", status), LOG_NUMBER("responses", count)),
                 "the response's body should name the events that failed, and is invalid at %s; all events "
                 "of the call count as failed",
                 where);
    }
}

void response_log_cut(struct response_log *l, struct function_metrics *metrics, const char *component,
                      int status)
{
    metric_add(metrics->cut_responses, 1);
    uint64_t count = count_response(&l->cut);
    if (count > 0) {
        log_warn(component, "response_cut",
                 LOG_WITH(LOG_NUMBER("status", status), LOG_NUMBER("responses", count)),
                 "the response's body is so long that its rest was not read and the connection was closed; "
                 "its status counts. Let the function respond with less than 1 MiB");
    }
}

// What people and commands see of a function: its lag, its status with its last error, how far a job is.
#ifndef BRIDGE_FUNCTION_FUNCTION_REPORT_H
#define BRIDGE_FUNCTION_FUNCTION_REPORT_H

#include "bridge/delivery/delivery.h"
#include "bridge/function/function_state.h"
#include "bridge/intake/consumer.h"
#include "bridge/intake/schema_cache.h"

/** The parts of a function; all of them are lent. */
struct function_view {
    const struct function_config *config;
    const struct function_state *state;
    const struct delivery *delivery;  // NULL: it could not be made
    const struct consumer *consumer;  // NULL: none is open
    const struct schema_cache *schemas;
    const struct job *job;  // NULL: it is none
    int64_t lag_records;
};

struct function_lag {
    int64_t records;
    int64_t us;  // the age of the oldest record that is read and not settled
};

/** @param consumer  not NULL */
struct function_lag function_report_lag(const struct consumer *consumer);

/** Only with a job. */
struct job_state function_report_job(const struct function_view *v);

/** Appends {"name","state","detail","lag_records","in_flight",…}. */
void function_report_status(const struct function_view *v, struct bytes *out);

#endif

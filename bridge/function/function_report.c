#include "bridge/function/function_report.h"

#include <utlist.h>

#include "core/base/clock.h"

struct function_lag function_report_lag(const struct consumer *consumer)
{
    struct function_lag lag = {0};
    int64_t now_us = clock_wall_us();
    struct partition *p;
    LL_FOREACH (consumer_partitions(consumer), p) {
        int64_t behind = consumer_lag(consumer, p);
        int64_t oldest_ms = consumer_oldest_ms(p);
        int64_t age_us = oldest_ms < 0 ? 0 : now_us - oldest_ms * CLOCK_US_PER_MS;
        lag.records += behind > 0 ? behind : 0;
        lag.us = age_us > lag.us ? age_us : lag.us;
    }
    return lag;
}

/** Why a partition stands still: its records can't be read, or a schema can't be looked up. NULL: none does.
 */
static const struct last_error *partition_error(const struct function_view *v)
{
    const struct last_error *schemas = schema_cache_error(v->schemas);
    const struct last_error *found = NULL;
    struct partition *p = NULL;
    if (v->consumer == NULL) {
        return NULL;
    }
    LL_FOREACH (consumer_partitions(v->consumer), p) {
        if (p->error != NULL) {
            return p->error;
        }
        if (schemas->is_set && (p->held != NULL || p->refetched != NULL)) {
            found = schemas;
        }
    }
    return found;
}

/** An error that stops the whole function takes precedence over failed calls. */
static const struct last_error *lasting_error(const struct function_view *v)
{
    const struct last_error *error = function_state_error(v->state);
    if (error != NULL || v->delivery == NULL) {
        return error != NULL ? error : &v->state->kafka_error;
    }
    const struct last_error *of_partition = partition_error(v);
    return of_partition != NULL ? of_partition : delivery_error(v->delivery);
}

struct job_state function_report_job(const struct function_view *v)
{
    struct job_state job = {.is_assigned = function_state_is_ready(v->state),
                            .error = v->state->now == FUNCTION_FAILED ? v->state->detail : NULL};
    const struct last_error *trouble = lasting_error(v);
    job.trouble = trouble->is_set ? trouble->text : NULL;
    if (v->consumer == NULL || !job.is_assigned) {
        return job;
    }
    job.is_done = delivery_is_idle(v->delivery);
    struct partition *p;
    LL_FOREACH (consumer_partitions(v->consumer), p) {
        int64_t end = job_end_of(v->job, p->topic, p->number);
        bool is_mine = p->state == PARTITION_ASSIGNED || p->state == PARTITION_WAITING;
        job.partition_count += is_mine ? 1 : 0;
        int64_t behind = end - progress_safe(&p->progress);
        job.left += is_mine && behind > 0 ? behind : 0;
        job.is_done = job.is_done && (!is_mine || progress_position(&p->progress) >= end);
    }
    return job;
}

void function_report_status(const struct function_view *v, struct bytes *out)
{
    size_t partitions = 0;
    if (v->consumer != NULL) {
        struct partition *p;
        LL_COUNT(consumer_partitions(v->consumer), p, partitions);
    }
    bytes_format(out, "{\"name\":\"%s\",\"state\":\"%s\",\"detail\":", v->config->name,
                 function_state_text(v->state));
    text_append_json(out, slice_of(function_state_detail(v->state, partitions)));
    bytes_format(out, ",\"lag_records\":%lld,\"in_flight\":%zu,\"held_events\":%zu,\"partitions\":%zu",
                 (long long)v->lag_records, v->delivery == NULL ? 0 : delivery_running(v->delivery),
                 v->delivery == NULL ? 0 : delivery_event_count(v->delivery), partitions);
    if (v->delivery != NULL) {
        delivery_status(v->delivery, out);
    }
    bytes_append_byte(out, ',');
    last_error_write(lasting_error(v), out);
    bytes_append_byte(out, '}');
}

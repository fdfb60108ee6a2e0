// The Prometheus series of one connector (millrace_connector_*).
#ifndef CONNECTORS_PIPELINE_METRICS_H
#define CONNECTORS_PIPELINE_METRICS_H

#include "connectors/source.h"
#include "core/metrics.h"

struct pipeline_metrics {
    struct metric *state;
    struct metric *slot_lag_bytes;
    struct metric *slot_retained_bytes;
    struct metric *lag_seconds;
    struct metric *created, *read, *updated, *deleted, *truncated, *messages;  // changes_total
    struct metric *in_flight_records;
    struct metric *oldest_in_flight_seconds;
    struct metric *postgres_reconnects;
    struct metric *kafka_reconnects;
    struct metric *schema_changes;
    struct metric *dead_letters;
    struct metric *skipped_heartbeats, *skipped_truncates;
    struct metric *stopped_tables, *unready_tables;
    struct metric *held_records;
    struct metric *unmatched_entries;
    struct metric *differing_topics;
    struct metric *binary_stream;
    struct metric *invalid_traces;
    struct metric *toast_unknown;
    struct metric *commit_to_ack_seconds;
};

void pipeline_metrics_init(struct pipeline_metrics *m, struct metrics *metrics, const char *connector);
struct metric *pipeline_metrics_changes(const struct pipeline_metrics *m, enum change_op op);
void pipeline_metrics_lag(const struct pipeline_metrics *m, const struct source_lag *lag);

#endif

#include "connectors/pipeline_metrics.h"

#include "core/base/clock.h"

static struct metric *series(struct metrics *metrics, enum metric_kind kind, const char *name,
                             const char *help, const char *labels)
{
    return metrics_series(metrics, kind, name, help, labels);
}

static struct metric *skipped(struct metrics *metrics, const char *connector, const char *kind)
{
    char *labels CLEANUP(memory_free_pointer) =
        memory_format("connector=\"%s\",kind=\"%s\"", connector, kind);
    return metrics_series(metrics, METRIC_COUNTER, "millrace_connector_skipped_records_total",
                          "Records that were not published because their topic does not take them.", labels);
}

static struct metric *waiting(struct metrics *metrics, const char *connector, const char *reason)
{
    char *labels CLEANUP(memory_free_pointer) =
        memory_format("connector=\"%s\",reason=\"%s\"", connector, reason);
    return metrics_series(
        metrics, METRIC_GAUGE, "millrace_connector_waiting_tables",
        "Tables that are stopped until the connector is restarted, or whose topic or schemas "
        "are not ready.",
        labels);
}

static struct metric *series_by(struct metrics *metrics, const char *connector, const char *what,
                                const char *value)
{
    bool is_operation = what[0] == 'o';
    char *labels CLEANUP(memory_free_pointer) =
        memory_format("connector=\"%s\",%s=\"%s\"", connector, what, value);
    return metrics_series(metrics, METRIC_COUNTER,
                          is_operation ? "millrace_connector_changes_total"
                                       : "millrace_connector_reconnects_total",
                          is_operation ? "Row changes read, by operation." : "Connections lost.", labels);
}

void pipeline_metrics_init(struct pipeline_metrics *m, struct metrics *metrics, const char *connector)
{
    char *labels CLEANUP(memory_free_pointer) = memory_format("connector=\"%s\"", connector);
    m->state = series(metrics, METRIC_GAUGE, "millrace_connector_state",
                      "0 starting, 1 connecting, 2 waiting_for_slot, 3 snapshotting, 4 streaming, "
                      "5 backing_off, 6 draining, 7 stopped, 8 failed.",
                      labels);
    m->slot_lag_bytes = series(metrics, METRIC_GAUGE, "millrace_connector_slot_lag_bytes",
                               "WAL between the server's end and the confirmed position.", labels);
    m->slot_retained_bytes = series(metrics, METRIC_GAUGE, "millrace_connector_slot_retained_bytes",
                                    "WAL that the server keeps for the slot.", labels);
    m->lag_seconds = series(metrics, METRIC_GAUGE, "millrace_connector_lag_seconds",
                            "Age of the last transaction read; 0 when caught up.", labels);
    m->in_flight_records = series(metrics, METRIC_GAUGE, "millrace_connector_in_flight_records",
                                  "Records published and not yet acknowledged.", labels);
    m->oldest_in_flight_seconds =
        series(metrics, METRIC_GAUGE, "millrace_connector_oldest_in_flight_seconds",
               "How long the oldest of them has waited for its acknowledgement.", labels);
    m->dead_letters = series(metrics, METRIC_COUNTER, "millrace_connector_dead_letters_total",
                             "Rows written to the dead-letter topic.", labels);
    m->stopped_tables = waiting(metrics, connector, "stopped");
    m->unready_tables = waiting(metrics, connector, "not_ready");
    m->schema_changes = series(metrics, METRIC_COUNTER, "millrace_connector_schema_changes_total",
                               "Records of the schema-change topic.", labels);
    m->held_records =
        series(metrics, METRIC_GAUGE, "millrace_connector_held_records",
               "Records held back because their table's topic or schemas are not ready.", labels);
    m->invalid_traces =
        series(metrics, METRIC_COUNTER, "millrace_connector_invalid_trace_messages_total",
               "Logical messages traceparent or tracestate that were ignored as invalid.", labels);
    m->unmatched_entries =
        series(metrics, METRIC_GAUGE, "millrace_connector_unmatched_entries",
               "Entries of tables, columns, rows, keys and routes that match nothing.", labels);
    m->differing_topics = series(metrics, METRIC_GAUGE, "millrace_connector_differing_topics",
                                 "Topics whose settings are not those that the file asks for.", labels);
    m->binary_stream = series(metrics, METRIC_GAUGE, "millrace_connector_binary_stream",
                              "1 while the server sends values in binary form, 0 as text.", labels);
    m->toast_unknown = series(metrics, METRIC_COUNTER, "millrace_connector_toast_unknown_total",
                              "Unchanged values that toast: complete did not know.", labels);
    m->commit_to_ack_seconds =
        series(metrics, METRIC_HISTOGRAM, "millrace_connector_commit_to_ack_seconds",
               "From commit to Kafka's acknowledgement, for each transaction and batch.", labels);
    m->skipped_heartbeats = skipped(metrics, connector, "heartbeat");
    m->skipped_truncates = skipped(metrics, connector, "truncate");
    m->created = series_by(metrics, connector, "operation", "create");
    m->read = series_by(metrics, connector, "operation", "read");
    m->updated = series_by(metrics, connector, "operation", "update");
    m->deleted = series_by(metrics, connector, "operation", "delete");
    m->truncated = series_by(metrics, connector, "operation", "truncate");
    m->messages = series_by(metrics, connector, "operation", "message");
    m->postgres_reconnects = series_by(metrics, connector, "peer", "postgres");
    m->kafka_reconnects = series_by(metrics, connector, "peer", "kafka");
}

struct metric *pipeline_metrics_changes(const struct pipeline_metrics *m, enum change_op op)
{
    switch (op) {
    case CHANGE_CREATE:
        return m->created;
    case CHANGE_READ:
        return m->read;
    case CHANGE_UPDATE:
        return m->updated;
    case CHANGE_DELETE:
        return m->deleted;
    case CHANGE_TRUNCATE:
        return m->truncated;
    case CHANGE_MESSAGE:
        return m->messages;
    }
    INVARIANT(!"a change has one of six operations");
    return NULL;
}

void pipeline_metrics_lag(const struct pipeline_metrics *m, const struct source_lag *lag)
{
    metric_set(m->slot_lag_bytes, (double)lag->slot_lag_bytes);
    metric_set(m->slot_retained_bytes, (double)lag->slot_retained_bytes);
    metric_set(m->invalid_traces, (double)lag->invalid_traces);
    metric_set(m->toast_unknown, (double)lag->toast_unknown);
    metric_set(m->unmatched_entries, (double)lag->unmatched);
    metric_set(m->binary_stream, lag->is_binary ? 1 : 0);
    metric_set(m->lag_seconds, (double)lag->lag_us / (double)CLOCK_US_PER_S);
}

// A pipeline with a scripted source and the mock broker.
#ifndef TESTS_COMPONENT_CONNECTORS_PIPELINE_CASE_H
#define TESTS_COMPONENT_CONNECTORS_PIPELINE_CASE_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <uv.h>

#include "connectors/kafka/kafka_push.h"
#include "connectors/pipeline.h"

enum { PIPELINE_CASE_CHANGES_MAX = 65536 };  // of which a case uses few

// A source that returns a list of changes, then NOTHING.
struct pipeline_script {
    struct change changes[PIPELINE_CASE_CHANGES_MAX];
    size_t count;
    size_t at;
    size_t lose_at;  // the connection is lost before this change; 0: never
    int losses;      // how often it is lost
    bool restarts;   // the source asks for a new session instead
    uint64_t confirmed;
    uint64_t stop_at;  // the test ends when this position is confirmed
    int opened;
    uint32_t failures;          // consecutive failures before the last open
    uint64_t positions[4];      // start position of each open
    struct source_state known;  // the state passed to the last open
    bool is_lost_after_state;   // once: the peer goes away with the first record on its way
    struct source_listener listener;
    uv_timer_t timer;
    bool is_open;  // on_open was called: next gives changes
    bool is_paused;
    bool is_record_held;     // the state topic loses its leader when the stream begins
    bool is_first_snapshot;  // the record of the first open says that it still runs
    uint32_t unread;         // the record of the first open names this table; 0: none
    size_t wait_at;          // no change from this one on is given yet; 0: all are
    size_t save_at;          // after this change a record is to be saved that names `later`; 0: never
    uint32_t later;          // 0: no table
    bool is_saved;           // and it was
    int full;                // how often its disk is full when it is to make durable what it has given
    uint64_t durable;        // the position up to which it did
};

struct pipeline_case {
    uv_loop_t loop;
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
    struct settings settings;
    struct connector_config config;
    struct registry *registry;
    struct metrics *metrics;
    struct pipeline *pipeline;
    struct pipeline_script script;
    struct table table;
    struct table other;  // with a topic of its own
    struct column columns[2];
    struct fault end;
    bool is_ended;
    bool is_timed_out;
    uv_timer_t limit;
    uv_timer_t watch;                           // calls on_watch every 10 ms
    void (*on_watch)(struct pipeline_case *x);  // NULL: nothing
    size_t in_flight_seen;
    bool is_held;
    bool is_told;
    bool holds_close;         // once: the sink that is closed next stays open for HOLD_MS
    struct kafka_push *push;  // of that sink
    void (*on_push_stopped)(void *self);
    void *sink;
    uv_timer_t hold;
};

/** cmocka's, of a struct pipeline_case. */
int pipeline_case_set_up(void **state);
int pipeline_case_tear_down(void **state);

/** Runs the pipeline until it ends. */
void pipeline_case_run(struct pipeline_case *x);

/** Adds a change to the script; a row is row 1 of `table`, a transaction has one row. */
struct change *pipeline_case_add(struct pipeline_case *x, enum change_kind kind, uint64_t lsn);
void pipeline_case_add_row(struct pipeline_case *x, uint64_t lsn, uint64_t index, enum change_op op);
void pipeline_case_add_transaction(struct pipeline_case *x, uint64_t lsn, enum change_op op);

/** A row whose note has so many bytes, or too many for a record; the caller frees it. */
uint8_t *pipeline_case_row_of_note(size_t note_size, size_t *ret_size);
uint8_t *pipeline_case_large_row(size_t *ret_size);

/** The number behind `member` in the pipeline's status; 0 without a pipeline. */
uint32_t pipeline_case_number(const char *member);
bool pipeline_case_has_status(const struct pipeline_case *x, const char *text);

/** on_watch: drains the pipeline once the record that `save_at` asks for is saved. */
void pipeline_case_drain_when_saved(struct pipeline_case *x);

#endif

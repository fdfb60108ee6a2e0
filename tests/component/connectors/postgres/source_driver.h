// Drives one source without Kafka and records its changes and callbacks as text.
#ifndef TESTS_COMPONENT_CONNECTORS_POSTGRES_SOURCE_DRIVER_H
#define TESTS_COMPONENT_CONNECTORS_POSTGRES_SOURCE_DRIVER_H

#include "connectors/source.h"

struct source_driver {
    uv_loop_t loop;
    uv_timer_t limit;
    bool is_out_of_time;
    const struct source_type *type;
    struct source *source;
    struct connector_config config;
    const char *state_directory;  // lent; NULL: none
    struct source_state known;    // the record, as if on Kafka
    struct source_state *record;  // the one in use: `known`, or another copy's
    struct source_state wanted;   // from on_state, not saved yet
    bool has_wanted;
    bool holds_done;          // do not save a record whose snapshot is done
    bool holds_read;          // do not save a record that leaves out a table which was to be read, as if a
                              // table waited at a bad row
    bool is_first_start;      // the last record that was loaded was none
    bool has_asked_state;     // on_load_state was called and has no result yet
    uint64_t start_position;  // of the last on_open
    int opened;
    bool is_open;
    bool has_ended;
    bool has_fault;
    bool has_restart;    // it is no error
    bool is_counting;    // count rows instead of recording a line for each
    bool is_confirming;  // every COMMIT and IDLE is confirmed at once
    struct fault fault;
    char phase[64];
    char detail[256];
    struct bytes lines;     // one line a change; IDLE leaves none
    struct bytes prepared;  // on_version: "name:columns", one line each
    size_t rows;
    size_t rows_max;  // take at most this many, like a slow reader; 0: all
    uint64_t idle_position;
    uint64_t last_position;
    uint64_t last_commit;  // of the stream, what source.sequence has to name; 0: none
    bool is_snapshot_row;  // the last row
    int64_t started_us;
};

/** A connector named `name` on public.*, confirming as it reads. */
void source_driver_init(struct source_driver *d, const struct source_type *type, const char *name,
                        const char *dsn);
void source_driver_clear(struct source_driver *d);

void source_driver_open(struct source_driver *d);
void source_driver_close(struct source_driver *d);

/** Runs the loop until `is_reached`, at most 20 s; false when the time is over. */
bool source_driver_until(struct source_driver *d, bool (*is_reached)(const struct source_driver *d));
bool source_driver_until_rows(struct source_driver *d, size_t rows);
bool source_driver_until_phase(struct source_driver *d, const char *phase);
bool source_driver_until_fault(struct source_driver *d);

/** Runs the loop for so long. */
void source_driver_run(struct source_driver *d, int ms);

/** Returns the recorded text, NUL-terminated, and starts a new one. */
const char *source_driver_lines(struct source_driver *d);
void source_driver_reset(struct source_driver *d);

#endif

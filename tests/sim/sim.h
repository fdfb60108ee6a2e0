// A seeded simulation of bridge processes: the bridge's own consumer, progress, lanes and delivery over a
// simulated clock, Kafka, endpoint and dead-letter topic, which the linker puts in place (--wrap). Several
// processes are object trees of one program.
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "bridge/delivery/delivery_state.h"
#include "bridge/intake/consumer_state.h"
#include "bridge/intake/fetcher.h"

enum { PROCESSES = 3, PARTITIONS = 3, OFFSETS = 48, KEYS = 5, CALL_EVENTS = 16, ATTEMPTS_MAX = 3 };

#define SIM_TOPIC "t"
#define SIM_LETTER_TOPIC "millrace.dlq.f"
#define SIM_START_US INT64_C(1000000000)

/** What strikes. */
#define SIM_FAULTS(X)                                                                                        \
    X(KILL)                                                                                                  \
    X(LOST)                                                                                                  \
    X(REBALANCE)                                                                                             \
    X(COMMIT_REFUSED)                                                                                        \
    X(LOOKUP_FAILED)                                                                                         \
    X(THROTTLED)                                                                                             \
    X(TIMED_OUT)                                                                                             \
    X(FAILED)                                                                                                \
    X(REJECTED)                                                                                              \
    X(UNREACHABLE)                                                                                           \
    X(LATE)                                                                                                  \
    X(LETTER_UNAVAILABLE)                                                                                    \
    X(LETTERS_UNKNOWN)                                                                                       \
    X(STATE_REFUSED)                                                                                         \
    X(STATE_LATE) X(GONE) X(RETENTION) X(ITEMS_FAILED) X(BODY_INVALID) X(SCHEMA_SLOW) X(RELOAD)
enum sim_fault {
#define X(name) SIM_##name,
    SIM_FAULTS(X)
#undef X
        SIM_FAULT_COUNT
};

/** What a process is doing when something strikes. */
#define SIM_PHASES(X) X(DOWN) X(IDLE) X(CALLING) X(COMMITTING) X(LOOKING_UP) X(REVOKING)
enum sim_phase {
#define X(name) SIM_PHASE_##name,
    SIM_PHASES(X)
#undef X
        SIM_PHASE_COUNT
};

/** What goes on for a key long after all other faults have ended, while all other keys must get through. */
enum sim_stuck { SIM_NOT_STUCK, SIM_STUCK_THROTTLED, SIM_STUCK_LETTERS };

/** What a seed can exercise. */
#define SIM_FEATURES(X)                                                                                      \
    X(ORDER_KEY)                                                                                             \
    X(ORDER_PARTITION)                                                                                       \
    X(ORDER_NONE)                                                                                            \
    X(BATCH)                                                                                                 \
    X(BISECTED)                                                                                              \
    X(PARTIAL_FAILURES)                                                                                      \
    X(KEY_HELD)                                                                                              \
    X(OUT_OF_RANGE)                                                                                          \
    X(PROGRESS_SPILLED)                                                                                      \
    X(SPILL_READ) X(COALESCED) X(PAUSED) X(RATE_LIMITED) X(KEY_THROTTLED) X(LETTERS_STUCK) X(RECORD_EVICTED)
enum sim_feature {
#define X(name) SIM_HAS_##name,
    SIM_FEATURES(X)
#undef X
        SIM_FEATURE_COUNT
};

/** What a seed's function is configured for; variants differ in the rest. */
struct sim_shape {
    enum function_order order;
    bool is_batch;
    bool has_bisect;
    bool has_partial_failures;
    bool coalesces;
    bool holds_keys;
    size_t text_max;  // of progress that is committed with an offset: the rest is spilled; 0: as Kafka has it
    bool has_rate;
    bool has_pauses;
    bool has_retention;
};

/** What the function does with an event once faults have stopped. */
enum sim_behaviour { SIM_GOOD, SIM_FAILS, SIM_REJECTS, SIM_UNDECODABLE, SIM_FILTERED };

struct sim_event {
    bool was_produced;  // it exists, or was deleted later
    bool exists;
    int key;  // -1: none
    enum sim_behaviour behaviour;
    bool is_settled;  // delivered, filtered, in a stored dead letter, or deleted
    bool is_parked;   // its key is held until a dead letter of it is settled
    bool is_reread;   // after its partition's offset was out of range
    bool may_repeat;  // it was settled, and a restart does not know that
    uint32_t failures;
};

struct sim_partition {
    struct sim_event events[OFFSETS];
    int64_t low;  // records before it were deleted
    int64_t end;
    int64_t committed;  // -1: none
    char *text;         // committed with it
    int owner;          // a process; -1: none
    int wanted;
    uint32_t generation;  // of the group, in which it was assigned: commits of an earlier one are refused
    uint32_t forgotten_before;  // when it was asked back
    uint32_t forgotten;  // losses, kills, refused last commits, letters given up: each may forget an attempt
};

struct sim_process {
    int number;
    bool is_up;
    rd_kafka_t *rk;
    struct fetcher *fetcher;
    struct consumer *consumer;
    struct delivery *delivery;
    struct function_config *config;
    bool is_turn_due;
    size_t concurrency_max;  // since its last running call ended
    double call_tokens;      // how many calls its rate allows now
    int64_t call_tokens_us;  // when that was counted
    unsigned reads;          // records it has read again since something happened to an event of it
    int64_t unreachable_us;  // when a call found the function unreachable; 0: a later one reached it
};

/** The events of keys that are not stuck. */
struct sim_others {
    size_t waiting;
    int64_t moved_us;  // when fewer of them waited than before
    int64_t checked_us;
};

/** In how many seeds each feature was exercised, and each fault struck in each phase. */
struct sim_counts {
    uint64_t features[SIM_FEATURE_COUNT];
    uint64_t struck[SIM_FAULT_COUNT][SIM_PHASE_COUNT];
};

struct sim_world {
    uint64_t seed;
    uint64_t random;
    int64_t now_us;
    bool has_faults;
    bool is_tracing;
    struct sim_shape shape;
    uint64_t steps;
    uint64_t digest;  // of the times and the rolls of the dice
    int64_t unreachable_until_us;
    enum sim_stuck stuck;
    int stuck_key;
    struct sim_others others;
    struct sim_partition partitions[PARTITIONS];
    struct sim_process processes[PROCESSES];
    int process_count;
    int current;  // the process whose code runs
    bool has[SIM_FEATURE_COUNT];
    bool struck[SIM_FAULT_COUNT][SIM_PHASE_COUNT];
};
extern struct sim_world sim;

/** From 0 to sides - 1. */
unsigned sim_roll(unsigned sides);
bool sim_chance(unsigned one_in);

/** Calls fn(arg) after that time, as code of the current process. */
void sim_after(int64_t wait_us, void (*fn)(void *arg), void *arg);
void sim_cancel(const void *arg);

/** Begins at SIM_START_US, with nothing due. */
void sim_loop_reset(void);

/** Runs what is due next. */
void sim_loop_step(void);

/** Runs what worker threads of a process have begun, and forgets all else that it awaits. */
void sim_end_process_events(int process);

/** The present seed exercises it. */
void sim_exercise(enum sim_feature feature);

/** Whether two events of a partition may not run side by side, and keep their order. */
bool sim_is_same_lane(const struct sim_partition *p, int64_t a, int64_t b);

/** Whether that still goes on for an event with the key. */
bool sim_is_stuck(enum sim_stuck how, int key);

void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A check failed: prints the seed and ends. */
void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/** A fault strikes the current process. */
void sim_strike(enum sim_fault fault);

/** Whether a fault strikes the current process now, with that chance. */
bool sim_strikes(enum sim_fault fault, unsigned one_in);

// sim_report.c
/** Adds what the seed that has run exercised. */
void sim_count(struct sim_counts *counts);

/** Prints the counts and a digest of all runs. False: something was never exercised. */
bool sim_report(const struct sim_counts *counts, uint64_t seeds, uint64_t digest);

// sim_run.c
/** Runs a seed; a check that fails ends the program. */
void sim_run(uint64_t seed);

// sim_group.c, sim_offsets.c, sim_client.c
void sim_kafka_produce(void);
void sim_kafka_coordinate(void);
/** The coordinator expels the process, which learns it now, or, while it rebalances, after that. */
void sim_kafka_lose(int process);
/** Whether it was expelled and can't know yet that it must not call events of the partition. */
bool sim_kafka_is_unaware(int process, int partition);
void sim_kafka_close(rd_kafka_t *rk);
/** All processes have ended: fails if one has left a queue. */
void sim_kafka_check_closed(void);
/** Those of a process that is killed: some have arrived. */
void sim_kafka_drop_commits(int process);
/** Events that a restart would repeat may be repeated. */
void sim_forget(struct sim_partition *p, int number);
/** The same for a partition that is given back: fails if its next owner knows less than this one. */
void sim_hand_over(struct sim_partition *p, int number);
/** The offset of a partition was out of range: what was read is read again, as if of another log. */
void sim_note_reset(int partition);
/** The same when what was spilled is read: since then it may have been replaced. */
void sim_forget_more(int partition);

// sim_endpoint.c, sim_letters.c
/** An event is delivered, filtered, or its dead letter is stored. */
void sim_settle(const struct partition *owner, int64_t offset, const char *how);
/** A dead letter of the event is stored, and holds its key. */
void sim_park(const struct partition *owner, int64_t offset);
/** A later event of its key has taken its place. */
void sim_settle_coalesced(const struct sim_partition *p, struct sim_event *e);
/** Whether the process is storing a dead letter of the event. */
bool sim_letter_is_due(int process, int partition, int64_t offset);
void sim_letters_drop(int process);

// sim_letter_log.c
void sim_letter_log_reset(void);
/** Sets where the letter of the event is. */
void sim_letter_log_append(struct work_item *item);
/** Somebody redrives or drops letters. */
void sim_letter_log_work(void);

// sim_state.c
void sim_state_reset(void);
struct state_topic *sim_state_topic(void);
/** What is spilled of the partition; size 0: nothing. */
struct slice sim_state_value(int partition);
/** The writes of a process that is killed: some have arrived. */
void sim_state_drop(int process);

// sim_bridge.c
void sim_bridge_init(void);
void sim_bridge_clear(void);
void sim_bridge_start_all(void);
void sim_bridge_stop_all(void);
void sim_bridge_kill(struct sim_process *p);
void sim_bridge_reload(struct sim_process *p);
void sim_bridge_unhold(struct sim_process *p);
void sim_bridge_check(const struct sim_process *p);
/** Paused processes go on. */
void sim_bridge_resume_all(void);

// sim_config.c
/** A random one of the seed's shape. */
struct function_config *sim_config_pick(void);
void sim_config_free_all(void);

#endif

// What the simulator says: its trace, a failed check, and what struck when.
#include <stdarg.h>
#include <stdio.h>

#include "tests/sim/sim.h"

enum { WHOLE_SEEDS = 10000 };

void sim_trace(const char *format, ...)
{
    if (sim.is_tracing) {
        va_list arguments;
        va_start(arguments, format);
        printf("%10.3f  ", (double)(sim.now_us - SIM_START_US) / 1e6);
        (void)vprintf(format, arguments);
        printf("\n");
        va_end(arguments);
    }
}

void sim_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fflush(stdout);
    (void)fprintf(stderr, "seed %llu, at %.3f s: ", (unsigned long long)sim.seed,
                  (double)(sim.now_us - SIM_START_US) / 1e6);
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\nagain, with its events: simulate --seed %llu --trace\n",
                  (unsigned long long)sim.seed);
    va_end(arguments);
    _Exit(1);
}

static enum sim_phase phase_of(const struct sim_process *s)
{
    if (!s->is_up) {
        return SIM_PHASE_DOWN;
    }
    if (group_state_is_revoking(s->consumer->state)) {
        return SIM_PHASE_REVOKING;
    }
    if (s->consumer->state == GROUP_LOOKING_UP || s->consumer->state == GROUP_LOOKUP_FAILED) {
        return SIM_PHASE_LOOKING_UP;
    }
    if (s->consumer->offsets.is_committing) {
        return SIM_PHASE_COMMITTING;
    }
    return delivery_running(s->delivery) > 0 ? SIM_PHASE_CALLING : SIM_PHASE_IDLE;
}

static const char *const FAULTS[] = {
#define X(name) #name,
    SIM_FAULTS(X)
#undef X
};
static const char *const PHASES[] = {
#define X(name) #name,
    SIM_PHASES(X)
#undef X
};

static const char *const FEATURES[] = {
#define X(name) #name,
    SIM_FEATURES(X)
#undef X
};

void sim_exercise(enum sim_feature feature)
{
    sim.has[feature] = true;
}

void sim_strike(enum sim_fault fault)
{
    enum sim_phase phase = phase_of(&sim.processes[sim.current]);
    sim.struck[fault][phase] = true;
    sim_trace("fault: %s at process %d (%s)", FAULTS[fault], sim.current, PHASES[phase]);
}

bool sim_strikes(enum sim_fault fault, unsigned one_in)
{
    if (!sim.has_faults || !sim_chance(one_in)) {
        return false;
    }
    sim_strike(fault);
    return true;
}

void sim_count(struct sim_counts *counts)
{
    for (int i = 0; i < SIM_FEATURE_COUNT; i++) {
        counts->features[i] += sim.has[i] ? 1 : 0;
    }
    for (int i = 0; i < SIM_FAULT_COUNT; i++) {
        for (int k = 0; k < SIM_PHASE_COUNT; k++) {
            counts->struck[i][k] += sim.struck[i][k] ? 1 : 0;
        }
    }
}

static bool report_features(const struct sim_counts *counts)
{
    bool is_whole = true;
    for (int i = 0; i < SIM_FEATURE_COUNT; i++) {
        printf("%-20s%12llu%s\n", FEATURES[i], (unsigned long long)counts->features[i],
               counts->features[i] == 0 ? "  never exercised" : "");
        is_whole = is_whole && counts->features[i] > 0;
    }
    return is_whole;
}

/** Whether the fault can strike a process in that phase. */
static bool can_strike(enum sim_fault fault, enum sim_phase phase)
{
    switch (fault) {
    case SIM_REBALANCE:
        return true;
    case SIM_KILL:
    case SIM_LOST:
    case SIM_GONE:
    case SIM_RETENTION:
    case SIM_RELOAD:
    case SIM_SCHEMA_SLOW:
    case SIM_LETTER_UNAVAILABLE:
        return phase != SIM_PHASE_DOWN;
    case SIM_LETTERS_UNKNOWN:
    case SIM_STATE_REFUSED:
        return phase != SIM_PHASE_DOWN;
    case SIM_STATE_LATE:
        return phase != SIM_PHASE_DOWN && phase != SIM_PHASE_COMMITTING;  // it is written before that
    case SIM_LOOKUP_FAILED:
        return phase == SIM_PHASE_LOOKING_UP;
    case SIM_COMMIT_REFUSED:
        return phase >= SIM_PHASE_COMMITTING;
    case SIM_THROTTLED:
    case SIM_TIMED_OUT:
    case SIM_FAILED:
    case SIM_REJECTED:
    case SIM_UNREACHABLE:
    case SIM_LATE:
    case SIM_ITEMS_FAILED:
    case SIM_BODY_INVALID:
    case SIM_FAULT_COUNT:
        break;
    }
    return phase >= SIM_PHASE_CALLING;  // a response
}

static bool report_fault(const struct sim_counts *counts, enum sim_fault fault)
{
    unsigned struck = 0;
    unsigned possible = 0;
    printf("%-20s", FAULTS[fault]);
    for (unsigned k = 0; k < SIM_PHASE_COUNT; k++) {
        uint64_t count = counts->struck[fault][k];
        struck += count > 0 ? 1 : 0;
        possible += can_strike(fault, k) ? 1 : 0;
        if (can_strike(fault, k)) {
            printf("%12llu", (unsigned long long)count);
        } else {
            printf("%12s", count > 0 ? "impossible!" : "-");
        }
    }
    bool is_whole = struck == possible;
    printf("%s\n", struck == 0 ? "  never struck" : is_whole ? "" : "  not in each phase");
    return is_whole;
}

/** Few seeds need not strike everywhere. */
static bool report_faults(const struct sim_counts *counts, uint64_t seeds)
{
    bool is_whole = true;
    printf("%-20s", "");
    for (int k = 0; k < SIM_PHASE_COUNT; k++) {
        printf("%12s", PHASES[k]);
    }
    printf("\n");
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++) {
        is_whole = report_fault(counts, i) && is_whole;
    }
    return is_whole || seeds < WHOLE_SEEDS;
}

bool sim_report(const struct sim_counts *counts, uint64_t seeds, uint64_t digest)
{
    printf("%llu seeds, digest %016llx; in how many of them:\n", (unsigned long long)seeds,
           (unsigned long long)digest);
    bool has_features = report_features(counts);
    return report_faults(counts, seeds) && has_features;
}

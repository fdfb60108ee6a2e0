// What the simulator says: its trace, a failed check, and what struck when.
#include <stdarg.h>
#include <stdio.h>

#include "tests/sim/sim.h"

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

void sim_strike(enum sim_fault fault)
{
    enum sim_phase phase = phase_of(&sim.processes[sim.current]);
    sim.struck[fault][phase]++;
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

/** Prints what struck in which phase, and a digest of all runs. False: a kind never struck. */
bool sim_report(uint64_t seeds, uint64_t digest)
{
    bool is_whole = true;
    printf("%llu seeds, digest %016llx\n%-20s", (unsigned long long)seeds, (unsigned long long)digest, "");
    for (int k = 0; k < SIM_PHASE_COUNT; k++) {
        printf("%12s", PHASES[k]);
    }
    printf("\n");
    for (int i = 0; i < SIM_FAULT_COUNT; i++) {
        uint64_t sum = 0;
        printf("%-20s", FAULTS[i]);
        for (int k = 0; k < SIM_PHASE_COUNT; k++) {
            printf("%12llu", (unsigned long long)sim.struck[i][k]);
            sum += sim.struck[i][k];
        }
        printf("%s\n", sum == 0 ? "  never struck" : "");
        is_whole = is_whole && sum > 0;
    }
    return is_whole;
}

// What the simulated function answers.
#include "tests/sim/sim_calls.h"

static void answer(struct endpoint_call *call, int status)
{
    call->response.status = status;
    call->is_attempt = status >= 500;
}

static void break_off(struct endpoint_call *call, bool is_sent, bool is_timeout, const char *text)
{
    (void)fault_set(&call->response.transport, FAULT_RETRY, "%s", text);
    call->response.is_sent = is_sent;
    call->response.is_timeout = is_timeout;
    call->is_attempt = is_sent;
}

/** What the function does with good events: the worst of them decides. */
static int lasting_status(const struct endpoint_call *call)
{
    const bool names = sim.shape.has_partial_failures;
    int status = 200;
    for (size_t i = 0; i < call->event_count; i++) {
        enum sim_behaviour b =
            sim.partitions[call->events[i].partition].events[call->events[i].offset].behaviour;
        status = b == SIM_FAILS && !names ? 500 : b == SIM_REJECTS && status == 200 ? 400 : status;
    }
    return status;
}

/** Those that fail, and by chance others; then perhaps all behind them in their lanes, which the function did
 * not try. */
static void choose_failures(struct endpoint_call *call)
{
    const bool is_fault = sim_strikes(SIM_ITEMS_FAILED, 6);
    const bool stops = sim_chance(2);
    for (size_t i = 0; i < call->event_count; i++) {
        const struct sim_partition *p = &sim.partitions[call->events[i].partition];
        call->events[i].is_named =
            p->events[call->events[i].offset].behaviour == SIM_FAILS || (is_fault && sim_chance(2));
        for (size_t k = 0; k < i && stops; k++) {
            call->events[i].is_named =
                call->events[i].is_named ||
                (call->events[k].is_named && call->events[k].partition == call->events[i].partition &&
                 sim_is_same_lane(p, call->events[k].offset, call->events[i].offset));
        }
    }
}

/** Of the two forms of an identifier each is used. */
static void write_failures(struct endpoint_call *call)
{
    const char *separator = "";
    bytes_format(&call->body, "{\"batchItemFailures\": [");
    for (size_t i = 0; i < call->event_count; i++) {
        const int partition = call->events[i].partition;
        const int offset = (int)call->events[i].offset;
        if (!call->events[i].is_named) {
            continue;
        }
        sim_exercise(SIM_HAS_PARTIAL_FAILURES);
        if (sim_chance(2)) {
            bytes_format(&call->body, "%s{\"itemIdentifier\": \"" SIM_TOPIC "-%d-%d\"}", separator, partition,
                         offset);
        } else {
            bytes_format(&call->body,
                         "%s{\"itemIdentifier\": {\"partition\": \"" SIM_TOPIC "-%d\", \"offset\": %d}}",
                         separator, partition, offset);
        }
        separator = ", ";
    }
    bytes_format(&call->body, "]}");
}

static void name_failures(struct endpoint_call *call)
{
    if (sim_strikes(SIM_BODY_INVALID, 15)) {
        bytes_format(&call->body, "{\"batchItemFailures\": [{\"itemIdentifier\": \"unknown\"}]}");
        call->is_attempt = true;
        return;
    }
    choose_failures(call);
    write_failures(call);
}

int64_t sim_answer(struct endpoint_call *call)
{
    int64_t wait_us = 1000 + sim_roll(200) * 1000;
    if (sim.has_faults && sim.now_us < sim.unreachable_until_us) {
        sim_strike(SIM_UNREACHABLE);
        break_off(call, false, false, "unreachable");
        return wait_us;
    }
    const int key = sim.partitions[call->events[0].partition].events[call->events[0].offset].key;
    if (sim_is_stuck(SIM_STUCK_THROTTLED, key)) {
        sim_exercise(SIM_HAS_KEY_THROTTLED);
        answer(call, 429);
        return wait_us;
    }
    if (sim_strikes(SIM_THROTTLED, 8)) {
        answer(call, 429);
        call->response.retry_after_us = sim_chance(2) ? -1 : (int64_t)sim_roll(3000) * 1000;
        return wait_us;
    }
    if (sim_strikes(SIM_TIMED_OUT, 20)) {
        break_off(call, true, true, "timed out");
        return 5000000;
    }
    if (sim_strikes(SIM_FAILED, 8)) {
        answer(call, sim_chance(2) ? 500 : 503);
        return wait_us;
    }
    answer(call, lasting_status(call));
    if (call->response.status == 400) {
        sim_strike(SIM_REJECTED);
    } else if (call->response.status == 200 && sim.shape.has_partial_failures) {
        name_failures(call);
    }
    return sim_strikes(SIM_LATE, 12) ? 4900000 : wait_us;
}

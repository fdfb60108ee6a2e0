// Records and payloads: what they hold does not matter here.
#include "tests/sim/sim.h"

static void end_lookup(void *arg)
{
    sim_bridge_unhold(arg);
}

bool __wrap_record_resolve(struct record *r, struct schema_cache *schemas);
bool __wrap_record_resolve(struct record *r, struct schema_cache *schemas)
{
    (void)schemas;
    if (sim_strikes(SIM_SCHEMA_SLOW, 25)) {
        sim_after((int64_t)sim_roll(3000) * 1000, end_lookup, &sim.processes[sim.current]);
        return false;
    }
    if (sim.partitions[r->partition].events[r->offset].behaviour == SIM_UNDECODABLE) {
        record_reject(r, "undecodable", "simulated");
    }
    return true;
}

enum payload_step __wrap_payload_add(struct payload *p, struct record *r, struct fault *f);
enum payload_step __wrap_payload_add(struct payload *p, struct record *r, struct fault *f)
{
    (void)p;
    (void)f;
    if (sim.partitions[r->partition].events[r->offset].behaviour == SIM_FILTERED) {
        struct sim_event *e = &sim.partitions[r->partition].events[r->offset];
        sim_trace("filtered: %d/%d", r->partition, (int)r->offset);
        e->is_settled = true;
        return PAYLOAD_FILTERED;
    }
    return PAYLOAD_ADDED;
}

void __wrap_payload_finish(struct payload *p);
void __wrap_payload_finish(struct payload *p)
{
    (void)p;
}

// The simulated topic millrace.state, of which the bridge's intake uses spilled progress: one value for each
// partition. Records of one process arrive in order, late ones of a process that lost its partitions too.
#include <string.h>

#include <utlist.h>

#include "core/base/memory.h"
#include "core/kafka/state_topic.h"
#include "tests/sim/sim.h"

struct state_topic {
    int unused;
};

static struct request {
    struct request *next;
    int process;
    int partition;
    bool is_write;
    bool is_delete;
    struct bytes value;  // to write
    state_on_read on_read;
    state_on_written on_written;  // NULL: forgotten
    void *self;
} * requests;

static struct bytes values[PARTITIONS];  // size 0: none
static int64_t due_us[PROCESSES];        // of the last write of each process

static void drop(struct request *r)
{
    LL_DELETE(requests, r);
    sim_cancel(r);
    bytes_clear(&r->value);
    free(r);
}

void sim_state_reset(void)
{
    while (requests != NULL) {
        drop(requests);
    }
    for (int i = 0; i < PARTITIONS; i++) {
        bytes_clear(&values[i]);
    }
    memset(due_us, 0, sizeof(due_us));
}

struct state_topic *sim_state_topic(void)
{
    static struct state_topic topic;
    return sim.shape.text_max > 0 ? &topic : NULL;
}

struct slice sim_state_value(int partition)
{
    return bytes_slice(&values[partition]);
}

/** A record of a process that has lost the partition replaces newer ones. */
static void apply(const struct request *r)
{
    struct sim_partition *p = &sim.partitions[r->partition];
    sim_trace("state: partition %d by process %d: \"%.*s\"", r->partition, r->process, (int)r->value.size,
              (const char *)r->value.data);
    bytes_reset(&values[r->partition]);
    bytes_append_slice(&values[r->partition], bytes_slice(&r->value));
    p->forgotten += p->owner != r->process ? 1 : 0;
    if (!r->is_delete) {
        sim_exercise(SIM_HAS_PROGRESS_SPILLED);
    }
}

static void end_write(struct request *r)
{
    struct fault f;
    bool is_refused = sim_strikes(SIM_STATE_REFUSED, 8);
    if (!is_refused || sim_chance(2)) {
        apply(r);  // a refusal may be of the answer alone
    }
    sim.partitions[r->partition].forgotten += is_refused ? 1 : 0;
    const struct fault *why = is_refused ? &f : NULL;
    (void)fault_set(&f, FAULT_RETRY, "refused");
    if (r->on_written != NULL) {
        r->on_written(r->self, why);
    }
}

static void end(void *arg)
{
    struct request *r = arg;
    if (r->is_write) {
        end_write(r);
    } else {
        const struct bytes *value = &values[r->partition];
        sim_exercise(SIM_HAS_SPILL_READ);
        sim_forget_more(r->partition);
        r->on_read(r->self, value->size == 0 ? slice_make(NULL, 0) : bytes_slice(value), NULL);
    }
    drop(r);
}

static struct request *ask(const char *key, void *self)
{
    struct request *r = memory_zeroed(1, sizeof(*r));
    r->process = sim.current;
    r->partition = (int)strtol(strrchr(key, '/') + 1, NULL, 10);
    r->self = self;
    LL_APPEND(requests, r);
    return r;
}

void __wrap_state_topic_read(struct state_topic *s, const char *key, state_on_read on_read, void *self);
void __wrap_state_topic_read(struct state_topic *s, const char *key, state_on_read on_read, void *self)
{
    (void)s;
    struct request *r = ask(key, self);
    r->on_read = on_read;
    sim_after(1000 + sim_roll(300) * 1000, end, r);
}

void __wrap_state_topic_write(struct state_topic *s, const char *key, struct slice value,
                              state_on_written on_written, void *self);
void __wrap_state_topic_write(struct state_topic *s, const char *key, struct slice value,
                              state_on_written on_written, void *self)
{
    (void)s;
    struct request *r = ask(key, self);
    r->is_write = true;
    r->is_delete = value.data == NULL;
    r->on_written = on_written;
    bytes_append_slice(&r->value, value);
    int64_t at_us = sim.now_us + 1000 + (int64_t)sim_roll(300) * 1000;
    at_us += sim_strikes(SIM_STATE_LATE, 10) ? (int64_t)sim_roll(8000) * 1000 : 0;
    at_us = at_us > due_us[r->process] ? at_us : due_us[r->process];
    due_us[r->process] = at_us;
    sim_after(at_us - sim.now_us, end, r);
}

void __wrap_state_topic_forget(struct state_topic *s, const void *self);
void __wrap_state_topic_forget(struct state_topic *s, const void *self)
{
    (void)s;
    struct request *r;
    struct request *next;
    LL_FOREACH_SAFE (requests, r, next) {
        if (r->self == self && r->is_write) {
            r->on_written = NULL;
        } else if (r->self == self) {
            drop(r);
        }
    }
}

void sim_state_drop(int process)
{
    struct request *r;
    struct request *next;
    bool arrives = true;
    LL_FOREACH_SAFE (requests, r, next) {
        if (r->process != process) {
            continue;
        }
        arrives = arrives && sim_chance(2);
        if (r->is_write && arrives) {
            apply(r);
        }
        drop(r);
    }
}

bool __real_progress_record_write(struct bytes *out, int64_t offset, const struct progress_record *record,
                                  int64_t now_ms);
bool __wrap_progress_record_write(struct bytes *out, int64_t offset, const struct progress_record *record,
                                  int64_t now_ms);
bool __wrap_progress_record_write(struct bytes *out, int64_t offset, const struct progress_record *record,
                                  int64_t now_ms)
{
    return sim.shape.text_max == 0
               ? __real_progress_record_write(out, offset, record, now_ms)
               : progress_record_write_up_to(out, offset, record, now_ms, sim.shape.text_max);
}

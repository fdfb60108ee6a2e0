// The simulated dead-letter topic.
#include <string.h>

#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "tests/sim/sim.h"

static struct stored_letter {
    struct stored_letter *next;
    int process;
    struct work_item *item;
    dead_letter_on_stored on_stored;
    void *self;
    int64_t arrived_us;
} * letters;

static const struct sim_event *event_of(const struct work_item *item)
{
    return &sim.partitions[item->record->partition].events[item->record->offset];
}

static bool holds_key(const struct work_item *item)
{
    bool has_lane = sim.shape.order == FUNCTION_ORDER_PARTITION || event_of(item)->key >= 0;
    return sim.shape.holds_keys && has_lane;
}

static void store(void *arg)
{
    struct stored_letter *l = arg;
    if (sim_is_stuck(SIM_STUCK_LETTERS, event_of(l->item)->key)) {
        sim_exercise(SIM_HAS_LETTERS_STUCK);
        sim_after(CLOCK_US_PER_S, store, l);
        return;
    }
    if (sim_strikes(SIM_LETTER_UNAVAILABLE, 3)) {
        sim_after((int64_t)sim_roll(8000) * 1000, store, l);
        return;
    }
    LL_DELETE(letters, l);
    const struct work_item *item = l->item;
    if (holds_key(item)) {
        sim_letter_log_append(l->item);
        sim_park(item->partition, item->record->offset);
    } else {
        sim_settle(item->partition, item->record->offset, "dead letter");
    }
    l->on_stored(l->self, l->item);
    free(l);
}

void __wrap_dead_letter_write(struct topic_writer *d, struct work_item *item,
                              const struct dead_letter_cause *cause, dead_letter_on_stored on_stored,
                              void *self);
void __wrap_dead_letter_write(struct topic_writer *d, struct work_item *item,
                              const struct dead_letter_cause *cause, dead_letter_on_stored on_stored,
                              void *self)
{
    (void)d;
    sim_trace("letter: %d/%d, %s", item->record->partition, (int)item->record->offset, cause->reason);
    struct stored_letter *l = memory_zeroed(1, sizeof(*l));
    *l = (struct stored_letter){NULL, sim.current, item, on_stored, self, sim.now_us};
    const struct sim_event *e = event_of(item);
    if (sim.shape.has_bisect && strcmp(cause->reason, "rejected") == 0 && e->behaviour != SIM_REJECTS) {
        sim_fail("bisect: %d/%d is dead-lettered for another event of its batch", item->record->partition,
                 (int)item->record->offset);
    }
    LL_APPEND(letters, l);
    sim_after(sim_roll(200) * 1000, store, l);
}

static void give_up(struct stored_letter *l, dead_letter_on_stored on_given_up)
{
    struct work_item *item = l->item;
    void *self = l->self;
    sim.partitions[item->record->partition].forgotten++;
    LL_DELETE(letters, l);
    sim_cancel(l);
    free(l);
    on_given_up(self, item);
}

void __wrap_dead_letter_give_up(struct topic_writer *d, void *self, int64_t wait_us,
                                dead_letter_on_stored on_given_up);
void __wrap_dead_letter_give_up(struct topic_writer *d, void *self, int64_t wait_us,
                                dead_letter_on_stored on_given_up)
{
    (void)d;
    struct stored_letter *l;
    struct stored_letter *next;
    LL_FOREACH_SAFE (letters, l, next) {
        if (l->self == self && l->item->partition->state != PARTITION_ASSIGNED &&
            l->arrived_us <= sim.now_us - wait_us) {
            give_up(l, on_given_up);
        }
    }
}

static void release(void *self, struct work_item *item)
{
    delivery_release(self, item);
}

void sim_letters_drop(int process)
{
    struct stored_letter *l;
    struct stored_letter *next;
    LL_FOREACH_SAFE (letters, l, next) {
        if (l->process == process) {
            give_up(l, release);
        }
    }
}

const char *__wrap_topic_writer_trouble(const struct topic_writer *d, const void *self);
const char *__wrap_topic_writer_trouble(const struct topic_writer *d, const void *self)
{
    (void)d;
    (void)self;
    return NULL;
}

bool sim_letter_is_due(int process, int partition, int64_t offset)
{
    const struct stored_letter *l;
    LL_FOREACH (letters, l) {
        const struct record *r = l->item->record;
        if (l->process == process && r->partition == partition && r->offset == offset) {
            return true;
        }
    }
    return false;
}

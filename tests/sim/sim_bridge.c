// One simulated bridge process: what bridge/function does with a consumer and a delivery, and its death.
#include <utlist.h>

#include "core/base/memory.h"
#include "tests/sim/sim.h"

enum { RECORDS_A_TURN = 16, RECORDS_MAX = 10, LANE_EVENTS_MAX = 6 };

static struct metrics *metrics;
static struct function_metrics series;

void sim_bridge_init(void)
{
    metrics = metrics_new();
    function_metrics_init(&series, metrics, "f");
}

void sim_bridge_clear(void)
{
    function_metrics_clear(&series);
    metrics_free(metrics);
}

static void take_turn(void *arg)
{
    struct sim_process *s = arg;
    s->is_turn_due = false;
    size_t room = delivery_room(s->delivery);
    (void)consumer_take(s->consumer, room < RECORDS_A_TURN ? room : RECORDS_A_TURN);
    delivery_pump(s->delivery);
    if (delivery_room(s->delivery) > 0 && consumer_has_more(s->consumer)) {
        s->is_turn_due = true;
        sim_after(0, take_turn, s);
    }
}

static void want_turn(void *self)
{
    struct sim_process *s = self;
    if (!s->is_turn_due && s->consumer != NULL) {
        s->is_turn_due = true;
        sim_after(0, take_turn, s);
    }
}

static void on_ready(void *self)
{
    struct sim_process *s = self;
    if (delivery_room(s->delivery) > 0) {
        want_turn(s);
    }
}

static void on_room(void *self)
{
    struct sim_process *s = self;
    if (s->consumer != NULL && consumer_has_more(s->consumer)) {
        want_turn(s);
    }
}

void sim_bridge_unhold(struct sim_process *s)
{
    struct partition *p;
    LL_FOREACH (consumer_partitions(s->consumer), p) {
        p->is_held = false;
    }
    want_turn(s);
}

static void on_assigned(void *self)
{
    want_turn(self);
}

static void on_revoked(void *self, struct partition *p)
{
    struct sim_process *s = self;
    delivery_drop(s->delivery, p);
}

static enum consumer_step on_record(void *self, struct partition *p, struct record *record)
{
    struct sim_process *s = self;
    return delivery_take(s->delivery, p, record);
}

static size_t get_attempts(void *self, const struct partition *p, struct progress_attempt *ret, size_t max)
{
    (void)self;
    return delivery_attempts(p, ret, max);
}

static void on_offset_reset(void *self, struct partition *p)
{
    struct sim_process *s = self;
    delivery_restart_log(s->delivery, p);
    sim_note_reset(p->number);
}

static void on_resumed(void *self)
{
    struct sim_process *s = self;
    delivery_pump(s->delivery);
}

static void on_told(void *self, const char *why)
{
    (void)self;
    (void)why;
}

static void on_fault(void *self, const struct fault *f)
{
    (void)self;
    sim_fail("fault: %s", f->text);
}

static struct partition *list_partitions(void *self)
{
    const struct sim_process *s = self;
    return s->consumer == NULL ? NULL : consumer_partitions(s->consumer);
}

static bool may_call(void *self)
{
    struct sim_process *s = self;
    return s->consumer != NULL && consumer_may_call(s->consumer);
}

static void tick(void *arg)
{
    struct sim_process *s = arg;
    consumer_tick(s->consumer);
    delivery_tick(s->delivery);
    on_room(s);
    delivery_pump(s->delivery);
    sim_after(500000, tick, s);
}

/** Few records fit, so that eviction and reading again are frequent; few fit into a partition's lane. */
static void narrow(struct sim_process *s)
{
    size_t two_batches = s->delivery->limits.events_max * 2;
    s->delivery->lane_events_max = two_batches > LANE_EVENTS_MAX ? two_batches : LANE_EVENTS_MAX;
    s->delivery->memory.count_max = RECORDS_MAX;
    s->delivery->limits.events_max =
        s->delivery->limits.events_max < RECORDS_MAX ? s->delivery->limits.events_max : RECORDS_MAX;
}

/** A new configuration may allow a burst of calls. */
static void set_config(struct sim_process *s, struct function_config *config)
{
    s->config = config;
    s->call_tokens = (double)config->delivery.burst;
    s->call_tokens_us = sim.now_us;
}

static void start(void *arg)
{
    struct sim_process *s = arg;
    struct fault f;
    set_config(s, sim_config_pick());
    s->concurrency_max = (size_t)s->config->delivery.concurrency;
    s->fetcher = fetcher_new(NULL, NULL);
    struct delivery_params params = {.config = s->config,
                                     .metrics = &series,
                                     .may_call = may_call,
                                     .on_room = on_room,
                                     .on_throttled = on_told,
                                     .on_unheld = want_turn,
                                     .list_partitions = list_partitions,
                                     .self = s};
    struct consumer_params consumer = {.config = s->config,
                                       .fetcher = s->fetcher,
                                       .state_topic = sim_state_topic(),
                                       .listener = {.on_ready = on_ready,
                                                    .on_assigned = on_assigned,
                                                    .on_revoked = on_revoked,
                                                    .on_record = on_record,
                                                    .get_attempts = get_attempts,
                                                    .on_offset_reset = on_offset_reset,
                                                    .on_resumed = on_resumed,
                                                    .on_kafka_error = on_told,
                                                    .on_fault = on_fault,
                                                    .self = s}};
    if (!delivery_new(&params, &s->delivery, &f) || !consumer_open(&consumer, &s->consumer, &f)) {
        sim_fail("start: %s", f.text);
    }
    narrow(s);
    s->is_up = true;
    s->unreachable_us = 0;
    sim_trace("process %d is up", s->number);
    tick(s);
}

void sim_bridge_start_all(void)
{
    for (int i = 0; i < sim.process_count; i++) {
        sim.processes[i].number = sim.current = i;
        sim_after(0, start, &sim.processes[i]);
    }
}

void sim_bridge_reload(struct sim_process *s)
{
    struct fault f;
    const struct function_config *old = s->config;
    set_config(s, sim_config_pick());
    if (old->paused && !s->config->paused) {
        sim_exercise(SIM_HAS_PAUSED);
    }
    size_t now = (size_t)s->config->delivery.concurrency;
    s->concurrency_max = now > s->concurrency_max ? now : s->concurrency_max;
    sim_strike(SIM_RELOAD);
    s->unreachable_us = 0;
    if (old != s->config && !delivery_reconfigure(s->delivery, s->config, &f)) {
        sim_fail("reload: %s", f.text);
    }
    narrow(s);
}

void sim_bridge_resume_all(void)
{
    for (int i = 0; i < sim.process_count; i++) {
        sim.current = i;
        if (sim.processes[i].is_up && sim.processes[i].config->paused) {
            sim_bridge_reload(&sim.processes[i]);
        }
    }
}

/** Frees the state of a process, of which nothing reaches the outside any more. */
static void throw_away(struct sim_process *s)
{
    struct consumer *c = TAKE(s->consumer);
    struct partition *p;
    struct partition *next;
    LL_FOREACH (c->partitions, p) {
        p->state = PARTITION_ASSIGNED;  // freed below
    }
    delivery_abandon(s->delivery);
    sim_letters_drop(s->number);
    LL_FOREACH_SAFE (c->partitions, p, next) {
        delivery_drop(s->delivery, p);
        LL_DELETE(c->partitions, p);
        partition_free(p);
    }
    delivery_free(TAKE(s->delivery));
    if (c->unanswered != NULL) {
        rd_kafka_topic_partition_list_destroy(c->unanswered);
    }
    if (c->revoked != NULL) {
        rd_kafka_topic_partition_list_destroy(c->revoked);
    }
    fetcher_free(TAKE(s->fetcher));
    topic_check_close(&c->topics);
    kafka_watch_stop(c->main_watch);
    rd_kafka_queue_destroy(TAKE(c->main_queue));
    offset_store_close(&c->offsets);
    sim_kafka_close(TAKE(s->rk));
    free(c->component);
    free(c->progress_name);
    free(c);
}

void sim_bridge_kill(struct sim_process *s)
{
    sim_end_process_events(s->number);
    sim_kafka_drop_commits(s->number);
    sim_state_drop(s->number);
    sim_trace("process %d is killed", s->number);
    s->is_up = false;
    throw_away(s);
    sim_end_process_events(s->number);
    s->is_turn_due = false;
    for (int i = 0; i < PARTITIONS; i++) {
        if (sim.partitions[i].owner == s->number) {
            sim_forget(&sim.partitions[i], i);
            sim.partitions[i].forgotten++;
            sim.partitions[i].owner = -1;
        }
    }
    sim_after((int64_t)sim_roll(5000) * 1000, start, s);
}

void sim_bridge_stop_all(void)
{
    for (int i = 0; i < sim.process_count; i++) {
        sim.current = i;
        if (sim.processes[i].is_up) {
            sim_bridge_kill(&sim.processes[i]);
        }
        sim_end_process_events(i);
    }
}

void sim_bridge_check(const struct sim_process *s)
{
    const struct delivery *d = s->delivery;
    size_t limit = RECORDS_MAX + RECORDS_MAX / 4 + 1;
    if (d->memory.count > limit) {
        sim_fail("memory: process %d has %zu records", s->number, d->memory.count);
    }
    if (d->waits_for == LIMITER_RATE) {
        sim_exercise(SIM_HAS_RATE_LIMITED);
    }
    if (d->lanes.evicted_count > 0) {
        sim_exercise(SIM_HAS_RECORD_EVICTED);
    }
}

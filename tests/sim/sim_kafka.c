// The simulated Kafka: logs, committed offsets, and a group whose coordinator rebalances cooperatively.
#include <string.h>

#include <utlist.h>

#include "bridge/intake/consumer_conf.h"
#include "core/base/memory.h"
#include "tests/sim/sim.h"

struct rd_kafka_op_s {  // an event
    struct rd_kafka_op_s *next;
    rd_kafka_event_type_t type;
    rd_kafka_resp_err_t code;
    rd_kafka_topic_partition_list_t *list;
};

static struct rd_kafka_queue_s {
    struct rd_kafka_queue_s *next;
    rd_kafka_t *rk;
    struct rd_kafka_op_s *events;
    int partition;     // -1: of events
    int64_t position;  // -1: not assigned
    bool is_reader;    // reports the end
    bool is_end_told;
    struct kafka_watch *watch;
} * queues;

struct rd_kafka_s {
    int process;  // -1: a reader
    bool is_rebalancing;
    bool is_lost;
    bool is_giving[PARTITIONS];
    rd_kafka_queue_t *main;
};

struct kafka_watch {
    rd_kafka_queue_t *queue;
    kafka_on_ready on_ready;
    void *self;
    bool is_due;
};

struct rd_kafka_topic_s {
    rd_kafka_t *rk;
};

static void fire(void *arg)
{
    struct kafka_watch *w = arg;
    w->is_due = false;
    w->on_ready(w->self);
}

void __wrap_kafka_watch_again(struct kafka_watch *w);
void __wrap_kafka_watch_again(struct kafka_watch *w)
{
    if (!w->is_due) {
        w->is_due = true;
        sim_after(sim_roll(3) * 500, fire, w);
    }
}

struct kafka_watch *__wrap_kafka_watch_start(uv_loop_t *loop, rd_kafka_queue_t *queue,
                                             kafka_on_ready on_ready, void *self);
struct kafka_watch *__wrap_kafka_watch_start(uv_loop_t *loop, rd_kafka_queue_t *queue,
                                             kafka_on_ready on_ready, void *self)
{
    (void)loop;
    struct kafka_watch *w = memory_zeroed(1, sizeof(*w));
    *w = (struct kafka_watch){.queue = queue, .on_ready = on_ready, .self = self};
    queue->watch = w;
    __wrap_kafka_watch_again(w);
    return w;
}

void __wrap_kafka_watch_stop(struct kafka_watch *w);
void __wrap_kafka_watch_stop(struct kafka_watch *w)
{
    if (w != NULL) {
        w->queue->watch = NULL;
        sim_cancel(w);
        free(w);
    }
}

/** As code of the queue's process. */
static void signal_queue(rd_kafka_queue_t *q)
{
    if (q != NULL && q->watch != NULL) {
        int current = sim.current;
        sim.current = q->rk->process >= 0 ? q->rk->process : current;
        __wrap_kafka_watch_again(q->watch);
        sim.current = current;
    }
}

static void push(rd_kafka_queue_t *q, rd_kafka_event_type_t type, rd_kafka_resp_err_t code,
                 rd_kafka_topic_partition_list_t *list)
{
    struct rd_kafka_op_s *event = memory_zeroed(1, sizeof(*event));
    *event = (struct rd_kafka_op_s){.type = type, .code = code, .list = list};
    struct rd_kafka_op_s **at = &q->events;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = event;
    signal_queue(q);
}

rd_kafka_queue_t *rd_kafka_queue_new(rd_kafka_t *rk)
{
    rd_kafka_queue_t *q = memory_zeroed(1, sizeof(*q));
    *q = (rd_kafka_queue_t){.rk = rk, .partition = -1, .position = -1};
    LL_PREPEND(queues, q);
    return q;
}

void rd_kafka_event_destroy(rd_kafka_event_t *event)
{
    if (event->list != NULL) {
        rd_kafka_topic_partition_list_destroy(event->list);
    }
    free(event);
}

void rd_kafka_queue_destroy(rd_kafka_queue_t *q)
{
    while (q->events != NULL) {
        struct rd_kafka_op_s *event = q->events;
        q->events = event->next;
        rd_kafka_event_destroy(event);
    }
    if (q == q->rk->main) {
        q->rk->main = NULL;
    }
    LL_DELETE(queues, q);
    free(q);
}

rd_kafka_queue_t *rd_kafka_queue_get_consumer(rd_kafka_t *rk)
{
    return rk->main;
}

size_t rd_kafka_queue_length(rd_kafka_queue_t *q)
{
    return q->events != NULL;
}

rd_kafka_event_t *rd_kafka_queue_poll(rd_kafka_queue_t *q, int timeout_ms)
{
    (void)timeout_ms;
    struct rd_kafka_op_s *event = q->events;
    q->events = event == NULL ? NULL : event->next;
    return event;
}

rd_kafka_event_type_t rd_kafka_event_type(const rd_kafka_event_t *event)
{
    return event->type;
}

rd_kafka_resp_err_t rd_kafka_event_error(rd_kafka_event_t *event)
{
    return event->code;
}

rd_kafka_topic_partition_list_t *rd_kafka_event_topic_partition_list(rd_kafka_event_t *event)
{
    return event->list;
}

int rd_kafka_assignment_lost(rd_kafka_t *rk)
{
    return rk->is_lost;
}

static rd_kafka_message_t *make_message(const struct sim_event *e, int partition, int64_t offset)
{
    static char KEY[KEYS][3] = {"k0", "k1", "k2", "k3", "k4"};
    rd_kafka_message_t *m = memory_zeroed(1, sizeof(*m));
    m->partition = partition;
    m->offset = offset;
    m->key = e->key < 0 ? NULL : KEY[e->key];
    m->key_len = e->key < 0 ? 0 : 2;
    m->payload = KEY[0];
    m->len = 2;
    return m;
}

/** The next record of the queue; NULL: none is there yet. */
static rd_kafka_message_t *next_message(rd_kafka_queue_t *q)
{
    struct sim_partition *p = &sim.partitions[q->partition];
    while (q->position >= 0 && q->position < p->end) {
        int64_t offset = q->position++;
        if (p->events[offset].exists) {
            q->is_end_told = false;
            return make_message(&p->events[offset], q->partition, offset);
        }
    }
    if (!q->is_reader || q->is_end_told) {
        return NULL;
    }
    q->is_end_told = true;
    rd_kafka_message_t *m = memory_zeroed(1, sizeof(*m));
    m->err = RD_KAFKA_RESP_ERR__PARTITION_EOF;
    m->partition = q->partition;
    m->offset = p->end;
    return m;
}

ssize_t rd_kafka_consume_batch_queue(rd_kafka_queue_t *q, int timeout_ms, rd_kafka_message_t **ret,
                                     size_t size)
{
    (void)timeout_ms;
    size_t wanted = 1 + sim_roll(8);
    wanted = wanted < size ? wanted : size;
    size_t count = 0;
    while (count < wanted && (ret[count] = next_message(q)) != NULL) {
        count++;
    }
    return (ssize_t)count;
}

rd_kafka_message_t *rd_kafka_consume_queue(rd_kafka_queue_t *q, int timeout_ms)
{
    (void)timeout_ms;
    return sim_chance(4) ? (signal_queue(q), NULL) : next_message(q);
}

void rd_kafka_message_destroy(rd_kafka_message_t *m)
{
    free(m);
}

rd_kafka_resp_err_t rd_kafka_message_detach_headers(rd_kafka_message_t *m, rd_kafka_headers_t **ret)
{
    (void)m;
    *ret = NULL;
    return RD_KAFKA_RESP_ERR__NOENT;
}

int64_t rd_kafka_message_timestamp(const rd_kafka_message_t *m, rd_kafka_timestamp_type_t *kind)
{
    *kind = RD_KAFKA_TIMESTAMP_CREATE_TIME;
    return m->offset;
}

rd_kafka_topic_t *rd_kafka_topic_new(rd_kafka_t *rk, const char *topic, rd_kafka_topic_conf_t *conf)
{
    (void)topic;
    (void)conf;
    rd_kafka_topic_t *t = memory_zeroed(1, sizeof(*t));
    t->rk = rk;
    return t;
}

void rd_kafka_topic_destroy(rd_kafka_topic_t *t)
{
    free(t);
}

int rd_kafka_consume_start_queue(rd_kafka_topic_t *t, int32_t partition, int64_t offset, rd_kafka_queue_t *q)
{
    (void)t;
    q->partition = partition;
    q->position = offset < 0 ? 0 : offset;
    q->is_reader = true;
    return 0;
}

int rd_kafka_consume_stop(rd_kafka_topic_t *t, int32_t partition)
{
    (void)t;
    (void)partition;
    return 0;
}

bool __wrap_consumer_conf_open_reader(const struct settings *settings, const struct partition_limits *limits,
                                      rd_kafka_t **ret, struct fault *f);
bool __wrap_consumer_conf_open_reader(const struct settings *settings, const struct partition_limits *limits,
                                      rd_kafka_t **ret, struct fault *f)
{
    (void)settings;
    (void)limits;
    (void)f;
    *ret = memory_zeroed(1, sizeof(**ret));
    (*ret)->process = sim.current;
    return true;
}

bool __wrap_consumer_conf_open_fetcher(const struct settings *settings, const struct partition_limits *limits,
                                       rd_kafka_t **ret, struct fault *f);
bool __wrap_consumer_conf_open_fetcher(const struct settings *settings, const struct partition_limits *limits,
                                       rd_kafka_t **ret, struct fault *f)
{
    return __wrap_consumer_conf_open_reader(settings, limits, ret, f);
}

bool __wrap_consumer_conf_open(const struct settings *settings, const struct consumer_group *member,
                               struct join_watch *join, rd_kafka_t **ret, struct fault *f);
bool __wrap_consumer_conf_open(const struct settings *settings, const struct consumer_group *member,
                               struct join_watch *join, rd_kafka_t **ret, struct fault *f)
{
    (void)settings;
    (void)member;
    (void)f;
    join_watch_init(join);
    rd_kafka_t *rk = memory_zeroed(1, sizeof(*rk));
    rk->process = sim.current;
    rk->main = rd_kafka_queue_new(rk);
    sim.processes[sim.current].rk = rk;
    *ret = rk;
    return true;
}

int64_t __wrap_consumer_conf_number(rd_kafka_t *rk, const char *property);
int64_t __wrap_consumer_conf_number(rd_kafka_t *rk, const char *property)
{
    (void)rk;
    return strcmp(property, "session.timeout.ms") == 0 ? 45000 : 3000;
}

void rd_kafka_destroy(rd_kafka_t *rk)
{
    free(rk);
}

void sim_kafka_close(rd_kafka_t *rk)
{
    rd_kafka_destroy(rk);
}

rd_kafka_resp_err_t rd_kafka_committed(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
    (void)rk;
    (void)timeout_ms;
    if (sim_strikes(SIM_LOOKUP_FAILED, 6)) {
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    for (int i = 0; i < list->cnt; i++) {
        const struct sim_partition *p = &sim.partitions[list->elems[i].partition];
        list->elems[i].offset = p->committed < 0 ? RD_KAFKA_OFFSET_INVALID : p->committed;
        free(list->elems[i].metadata);
        list->elems[i].metadata = p->text == NULL ? NULL : memory_string(p->text);
        list->elems[i].metadata_size = p->text == NULL ? 0 : strlen(p->text);
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_offsets_for_times(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                               int timeout_ms)
{
    (void)rk;
    (void)timeout_ms;
    for (int i = 0; i < list->cnt; i++) {
        bool is_end = list->elems[i].offset == RD_KAFKA_OFFSET_END;
        list->elems[i].offset = is_end ? sim.partitions[list->elems[i].partition].end : 0;
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_get_watermark_offsets(rd_kafka_t *rk, const char *topic, int32_t partition,
                                                   int64_t *low, int64_t *high)
{
    (void)rk;
    (void)topic;
    *low = 0;
    *high = sim.partitions[partition].end;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/** What a restart would know of a partition. */
static const struct progress_record *known_of(const struct sim_partition *p)
{
    static struct progress_record record;
    struct fault f;
    const char *text = p->text == NULL ? "" : p->text;
    if (!progress_record_read(slice_of(text), p->committed, sim.now_us / 1000, &record, &f)) {
        sim_fail("a committed text is unreadable: %s", f.text);
    }
    return &record;
}

static bool is_known(const struct sim_partition *p, const struct progress_record *record, int64_t offset)
{
    bool is = offset < p->committed;
    for (size_t i = 0; i < record->range_count; i++) {
        is = is || (offset >= record->ranges[i].from && offset < record->ranges[i].to);
    }
    return is;
}

void sim_forget(struct sim_partition *p, int number)
{
    const struct progress_record *record = known_of(p);
    p->generation++;
    for (int64_t i = 0; i < p->end; i++) {
        struct sim_event *e = &p->events[i];
        e->may_repeat = e->is_settled && !is_known(p, record, i);
    }
    sim_trace("forget: partition %d is committed up to %d", number, (int)p->committed);
}

/** Nothing that is not settled is committed as settled. */
static void check_committed(const struct sim_partition *p, int number)
{
    const struct progress_record *record = known_of(p);
    for (int64_t i = 0; i < OFFSETS; i++) {
        const struct sim_event *e = &p->events[i];
        if (is_known(p, record, i) && e->exists && !e->is_settled) {
            sim_fail("lost: %d/%d is committed as settled (offset %d, \"%s\") and is not", number, (int)i,
                     (int)p->committed, p->text == NULL ? "" : p->text);
        }
    }
}

static struct commit {
    struct commit *next;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_partition_list_t *list;
    uint32_t generations[PARTITIONS];
} * commits;  // in flight

static void apply(struct commit *c)
{
    for (int i = 0; i < c->list->cnt; i++) {
        rd_kafka_topic_partition_t *which = &c->list->elems[i];
        struct sim_partition *p = &sim.partitions[which->partition];
        if (p->owner != c->rk->process || p->generation != c->generations[which->partition]) {
            which->err = RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
            continue;
        }
        p->committed = which->offset;
        free(p->text);
        p->text = memory_format("%.*s", (int)which->metadata_size,
                                which->metadata == NULL ? "" : (const char *)which->metadata);
        sim_trace("commit: partition %d at %d \"%s\"", which->partition, (int)p->committed, p->text);
        check_committed(p, which->partition);
    }
}

static void end_commit(void *arg)
{
    struct commit *c = arg;
    LL_DELETE(commits, c);
    bool is_refused = sim_strikes(SIM_COMMIT_REFUSED, 10);
    if (!is_refused) {
        apply(c);
    }
    for (int i = 0; i < c->list->cnt && is_refused; i++) {
        const int number = c->list->elems[i].partition;
        sim.partitions[number].forgotten += c->rk->is_giving[number] ? 1 : 0;
        c->list->elems[i].err = RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
    }
    push(c->queue, RD_KAFKA_EVENT_OFFSET_COMMIT,
         is_refused ? RD_KAFKA_RESP_ERR_NOT_COORDINATOR : RD_KAFKA_RESP_ERR_NO_ERROR, c->list);
    free(c);
}

void sim_kafka_drop_commits(int process)
{
    struct commit *c;
    struct commit *next;
    LL_FOREACH_SAFE (commits, c, next) {
        if (c->rk->process != process) {
            continue;
        }
        if (sim_chance(2)) {
            apply(c);  // it had arrived
        }
        LL_DELETE(commits, c);
        sim_cancel(c);
        rd_kafka_topic_partition_list_destroy(c->list);
        free(c);
    }
}

rd_kafka_resp_err_t rd_kafka_commit_queue(
    rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list, rd_kafka_queue_t *queue,
    void (*cb)(rd_kafka_t *, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t *, void *), void *opaque)
{
    (void)cb;
    (void)opaque;
    struct commit *c = memory_zeroed(1, sizeof(*c));
    *c = (struct commit){.rk = rk, .queue = queue, .list = rd_kafka_topic_partition_list_copy(list)};
    for (int i = 0; i < PARTITIONS; i++) {
        c->generations[i] = sim.partitions[i].generation;
    }
    LL_PREPEND(commits, c);
    sim_after(1000 + sim_roll(300) * 1000, end_commit, c);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_error_t *rd_kafka_incremental_assign(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
    (void)list;
    rk->is_rebalancing = false;
    return NULL;
}

rd_kafka_error_t *rd_kafka_incremental_unassign(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
    (void)list;  // it may be empty: the partitions are read by other clients
    for (int i = 0; i < PARTITIONS; i++) {
        struct sim_partition *p = &sim.partitions[i];
        if (rk->is_giving[i] && !rk->is_lost && p->owner == rk->process) {
            sim_forget(p, i);
            p->owner = -1;
            sim_trace("given back: partition %d", i);
        }
        rk->is_giving[i] = false;
    }
    rk->is_rebalancing = rk->is_lost = false;
    return NULL;
}

static void rebalance(struct sim_process *s, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list)
{
    s->rk->is_rebalancing = true;
    for (int i = 0; i < list->cnt; i++) {
        s->rk->is_giving[list->elems[i].partition] = code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS;
    }
    sim_trace("rebalance: process %d %s %d partitions", s->number,
              code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? "gets" : "gives", list->cnt);
    push(s->rk->main, RD_KAFKA_EVENT_REBALANCE, code, list);
}

/** The partitions that the process gets, or is to give back; an owner of its own is set. */
static rd_kafka_topic_partition_list_t *list_of(const struct sim_process *s, bool is_assign)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++) {
        struct sim_partition *p = &sim.partitions[i];
        bool is_gained = p->owner < 0 && p->wanted == s->number;
        bool is_given = p->owner == s->number && p->wanted != s->number;
        if (is_assign ? is_gained : is_given) {
            rd_kafka_topic_partition_list_add(list, SIM_TOPIC, i);
            p->owner = s->number;
        }
    }
    return list;
}

void sim_kafka_coordinate(void)
{
    for (int i = 0; i < sim.process_count * 2; i++) {
        struct sim_process *s = &sim.processes[i / 2];
        if (!s->is_up || s->rk->is_rebalancing) {
            continue;
        }
        rd_kafka_topic_partition_list_t *list = list_of(s, i % 2 == 1);
        if (list->cnt > 0) {
            rebalance(
                s, i % 2 == 1 ? RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS : RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS,
                list);
        } else {
            rd_kafka_topic_partition_list_destroy(list);
        }
    }
}

void sim_kafka_lose(int process)
{
    struct sim_process *s = &sim.processes[process];
    if (!s->is_up || s->rk->is_rebalancing) {
        return;
    }
    sim_strike(SIM_LOST);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++) {
        if (sim.partitions[i].owner == process) {
            rd_kafka_topic_partition_list_add(list, SIM_TOPIC, i);
            sim_forget(&sim.partitions[i], i);
            sim.partitions[i].forgotten++;
            sim.partitions[i].owner = -1;
        }
    }
    s->rk->is_lost = true;
    rebalance(s, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, list);
}

void sim_kafka_produce(void)
{
    for (int i = 0; i < PARTITIONS; i++) {
        struct sim_partition *p = &sim.partitions[i];
        p->end += sim_roll(6);
        p->end = p->end > OFFSETS ? OFFSETS : p->end;
    }
    rd_kafka_queue_t *q;
    LL_FOREACH (queues, q) {
        if (q->position >= 0) {
            signal_queue(q);
        }
    }
}

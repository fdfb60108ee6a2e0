// The simulated librdkafka client: queues of events and of records, and logs that it reads.
#include <string.h>

#include <utlist.h>

#include "bridge/intake/consumer_conf.h"
#include "core/base/memory.h"
#include "tests/sim/sim_kafka.h"

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
void sim_kafka_signal(rd_kafka_queue_t *q)
{
    if (q != NULL && q->watch != NULL) {
        int current = sim.current;
        sim.current = q->rk->process >= 0 ? q->rk->process : current;
        __wrap_kafka_watch_again(q->watch);
        sim.current = current;
    }
}

void sim_kafka_push(rd_kafka_queue_t *q, rd_kafka_event_type_t type, rd_kafka_resp_err_t code,
                    rd_kafka_topic_partition_list_t *list)
{
    struct rd_kafka_op_s *event = memory_zeroed(1, sizeof(*event));
    *event = (struct rd_kafka_op_s){.type = type, .code = code, .list = list};
    struct rd_kafka_op_s **at = &q->events;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = event;
    sim_kafka_signal(q);
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
    if (event != NULL && event->type == RD_KAFKA_EVENT_REBALANCE && q->rk->is_lost) {
        q->rk->is_unaware = q->rk->could_know = false;
    }
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

static rd_kafka_message_t *make_error(const rd_kafka_queue_t *q, rd_kafka_resp_err_t code, int64_t offset)
{
    rd_kafka_message_t *m = memory_zeroed(1, sizeof(*m));
    m->err = code;
    m->partition = q->partition;
    m->offset = offset;
    return m;
}

/** Records that are read again and again, while nothing comes of it. */
static void note_read(const rd_kafka_queue_t *q)
{
    enum { READS_MAX = 1000 };
    struct sim_process *s = &sim.processes[q->rk->process];
    if (++s->reads > READS_MAX) {
        sim_fail("reads: process %d has read %u records, and sent none", s->number, s->reads);
    }
}

/** The next record of the queue; NULL: none is there yet. */
static rd_kafka_message_t *next_message(rd_kafka_queue_t *q)
{
    struct sim_partition *p = &sim.partitions[q->partition];
    if (q->position >= 0 && q->position < p->low) {
        q->position = q->rk->is_fetcher ? -1 : p->low;
        if (q->rk->is_fetcher) {
            q->is_end_told = true;
            return make_error(q, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, p->low);
        }
    }
    while (q->position >= 0 && q->position < p->end) {
        int64_t offset = q->position++;
        if (p->events[offset].exists) {
            q->is_end_told = false;
            note_read(q);
            return make_message(&p->events[offset], q->partition, offset);
        }
    }
    if (!q->is_reader || q->is_end_told) {
        return NULL;
    }
    q->is_end_told = true;
    return make_error(q, RD_KAFKA_RESP_ERR__PARTITION_EOF, p->end);
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
    return sim_chance(4) ? (sim_kafka_signal(q), NULL) : next_message(q);
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
    q->position = offset < 0 ? sim.partitions[partition].low : offset;
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
                                       struct kafka_log_reader *reader, rd_kafka_t **ret, struct fault *f);
bool __wrap_consumer_conf_open_fetcher(const struct settings *settings, const struct partition_limits *limits,
                                       struct kafka_log_reader *reader, rd_kafka_t **ret, struct fault *f)
{
    (void)reader;
    bool is_open = __wrap_consumer_conf_open_reader(settings, limits, ret, f);
    (*ret)->is_fetcher = true;
    return is_open;
}

/** No topic is deleted here. */
bool __wrap_topic_check_is_doubted(struct partition *p);
bool __wrap_topic_check_is_doubted(struct partition *p)
{
    (void)p;
    return false;
}

void __wrap_topic_check_run(struct topic_check *t);
void __wrap_topic_check_run(struct topic_check *t)
{
    (void)t;
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

void rd_kafka_destroy_flags(rd_kafka_t *rk, int flags)
{
    (void)flags;
    rd_kafka_destroy(rk);
}

void sim_kafka_close(rd_kafka_t *rk)
{
    rd_kafka_destroy(rk);
}

void sim_kafka_signal_readers(void)
{
    rd_kafka_queue_t *q;
    LL_FOREACH (queues, q) {
        if (q->position >= 0) {
            sim_kafka_signal(q);
        }
    }
}

void sim_kafka_check_closed(void)
{
    if (queues != NULL) {
        sim_fail("a queue was not destroyed");
    }
}

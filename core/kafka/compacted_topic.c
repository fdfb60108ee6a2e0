// Between rounds nothing is fetched. A round ends with librdkafka's end-of-partition event. With
// read_committed that is the last stable offset of a fetch sent after the round began, so the round has read
// everything that was written before it was requested.
#include "core/kafka/compacted_topic.h"

#include "core/base/log.h"
#include "core/kafka/compacted_policy.h"

enum { RETRY_MS = 1000, EVENTS_A_TURN = 256 };

// clang-format off
#define STATES(X) \
    X(UNCHECKED) /* not used yet, or refused */ \
    X(CHECKING)  /* compacted_policy runs */ \
    X(WAITING)   /* until the next check, after a failure */ \
    X(READY)     /* no round is in progress */ \
    X(READING)
// clang-format on

enum state {
#define X(name) STATE_##name,
    STATES(X)
#undef X
};

struct compacted_topic {
    struct compacted_topic_params params;
    rd_kafka_t *consumer;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *records;
    struct kafka_watch *watch;
    struct compacted_policy *policy;  // in CHECKING only
    uv_timer_t *retry;
    enum state state;
    bool is_wanted;  // compacted_topic_prepare was called
    char *outage;    // why Kafka could not be read, since the last round; NULL: it can be
    int64_t next_offset;
    int64_t again_until;  // records before this offset were given before
    bool is_rewind_due;   // the next round begins at the first record
    uint64_t round;       // the round that began last
    uint64_t asked;       // the highest round that was requested
};

#define BIT(name) (1u << STATE_##name)

static void enter(struct compacted_topic *t, enum state to)
{
    static const unsigned TO[] = {
        [STATE_UNCHECKED] = BIT(CHECKING),
        [STATE_CHECKING] = BIT(READY) | BIT(WAITING) | BIT(UNCHECKED),
        [STATE_WAITING] = BIT(CHECKING),
        [STATE_READY] = BIT(READING) | BIT(WAITING),
        [STATE_READING] = BIT(READY) | BIT(WAITING) | BIT(UNCHECKED),
    };
    INVARIANT((TO[t->state] & (1u << to)) != 0);
    t->state = to;
}

static void check(struct compacted_topic *t);

static void on_retry(uv_timer_t *timer)
{
    check(timer->data);
}

static void wait_and_retry(struct compacted_topic *t, const char *why)
{
    enter(t, STATE_WAITING);
    if (t->outage == NULL) {
        CLEANUP(memory_free_pointer) char *event = memory_format("%s_waiting", t->params.component);
        log_warn(t->params.component, event, LOG_WITH(LOG_TEXT("topic", t->params.name)),
                 "waiting for Kafka: %s", why);
    }
    free(t->outage);
    t->outage = memory_string(why);
    (void)uv_timer_start(t->retry, on_retry, RETRY_MS, 0);
}

static void refuse(struct compacted_topic *t, const struct fault *f)
{
    enter(t, STATE_UNCHECKED);
    t->is_wanted = false;
    t->round = t->asked;
    t->params.listener.on_refused(t->params.listener.self, f);
}

static void begin_round(struct compacted_topic *t)
{
    if (t->state != STATE_READY || t->round == t->asked) {
        return;
    }
    if (t->is_rewind_due) {
        t->is_rewind_due = false;
        t->again_until = t->next_offset > t->again_until ? t->next_offset : t->again_until;
        t->next_offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    if (rd_kafka_consume_start_queue(t->topic, COMPACTED_TOPIC_PARTITION, t->next_offset, t->records) != 0) {
        wait_and_retry(t, rd_kafka_err2str(rd_kafka_last_error()));
        return;
    }
    enter(t, STATE_READING);
    t->round = t->asked;
}

static void on_checked(void *self, const struct fault *f)
{
    struct compacted_topic *t = self;
    compacted_policy_stop(TAKE(t->policy));
    if (f != NULL && f->kind == FAULT_CONFIG) {
        refuse(t, f);
    } else if (f != NULL) {
        wait_and_retry(t, f->text);
    } else {
        enter(t, STATE_READY);
        if (t->is_wanted) {
            t->is_wanted = false;
            t->params.listener.on_ready(t->params.listener.self);
        }
        begin_round(t);
    }
}

static void check(struct compacted_topic *t)
{
    enter(t, STATE_CHECKING);
    t->policy = compacted_policy_start(t->params.loop, t->consumer, t->params.name,
                                       text_pairs_get(&t->params.settings->kafka, "bootstrap.servers"),
                                       on_checked, t);
}

static void end_round(struct compacted_topic *t)
{
    enter(t, STATE_READY);
    if (t->outage != NULL) {
        free(TAKE(t->outage));
        CLEANUP(memory_free_pointer) char *event = memory_format("%s_reachable", t->params.component);
        log_info(t->params.component, event, NULL, "topic %s can be read again", t->params.name);
    }
    uint64_t round = t->round;
    begin_round(t);
    t->params.listener.on_round(t->params.listener.self, round);
}

static void on_error(struct compacted_topic *t, rd_kafka_resp_err_t code)
{
    if (t->state != STATE_READING) {
        return;
    }
    (void)rd_kafka_consume_stop(t->topic, COMPACTED_TOPIC_PARTITION);
    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        end_round(t);
        return;
    }
    t->round = t->asked - 1;  // the repeated round serves the requests made meanwhile too
    if (code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        t->next_offset =
            RD_KAFKA_OFFSET_BEGINNING;  // the topic was recreated; records read before stay valid
        t->again_until = 0;
    }
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        struct fault f;
        (void)fault_from(&f, FAULT_CONFIG, "librdkafka", code, "topic %s can't be read: %s", t->params.name,
                         rd_kafka_err2str(code));
        refuse(t, &f);
        return;
    }
    wait_and_retry(t, rd_kafka_err2str(code));  // the partition may have no leader, or the topic be deleted
}

static void on_event(struct compacted_topic *t, rd_kafka_event_t *event)
{
    const struct compacted_topic_listener *l = &t->params.listener;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
        on_error(t, rd_kafka_event_error(event));
        return;
    }
    const rd_kafka_message_t *m;
    while (rd_kafka_event_type(event) == RD_KAFKA_EVENT_FETCH &&
           (m = rd_kafka_event_message_next(event)) != NULL) {
        if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            on_error(t, m->err);
        } else {
            t->next_offset = m->offset + 1;
            if (m->offset >= t->again_until) {
                l->on_record(l->self, m);
            } else if (l->on_record_again != NULL) {
                l->on_record_again(l->self, m);
            }
        }
    }
}

static void on_records(void *self)
{
    struct compacted_topic *t = self;
    for (int i = 0; i < EVENTS_A_TURN; i++) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(t->records, 0);
        if (event == NULL) {
            return;
        }
        on_event(t, event);
        rd_kafka_event_destroy(event);
    }
    kafka_watch_again(t->watch);
}

static bool open_consumer(struct compacted_topic *t, struct fault *f)
{
    static const char *const reading[] = {
        "enable.partition.eof",
        "true",
        "auto.offset.reset",
        "earliest",
        "fetch.wait.max.ms",
        "10",
        "topic.metadata.propagation.max.ms",
        "0",
        "topic.metadata.refresh.interval.ms",
        "1000",
        // What is fetched ahead: the records are applied as they come, and the whole topic may be large.
        "queued.max.messages.kbytes",
        "1024",
        "fetch.message.max.bytes",
        "262144",
        NULL,
    };
    rd_kafka_conf_t *conf;
    return kafka_client_conf(t->params.settings, KAFKA_CONSUMER, reading, &conf, f) &&
           kafka_client_open(conf, KAFKA_CONSUMER, &t->consumer, f);
}

bool compacted_topic_open(const struct compacted_topic_params *params, struct compacted_topic **ret,
                          struct fault *f)
{
    struct compacted_topic *t = memory_zeroed(1, sizeof(*t));
    t->params = *params;
    t->next_offset = RD_KAFKA_OFFSET_BEGINNING;
    if (!open_consumer(t, f)) {
        free(t);
        return fault_context(f, "topic %s", params->name);
    }
    t->retry = memory_zeroed(1, sizeof(*t->retry));
    (void)uv_timer_init(params->loop, t->retry);
    t->retry->data = t;
    t->topic = rd_kafka_topic_new(t->consumer, params->name, NULL);
    t->records = rd_kafka_queue_new(t->consumer);
    t->watch = kafka_watch_start(params->loop, t->records, on_records, t);
    *ret = t;
    return true;
}

static void advance(struct compacted_topic *t)
{
    if (t->state == STATE_UNCHECKED) {
        check(t);
    } else {
        begin_round(t);
    }
}

uint64_t compacted_topic_ask(struct compacted_topic *t)
{
    if (t->round == t->asked) {
        t->asked++;  // else a requested round has not begun yet: it serves this request too
    }
    advance(t);
    return t->asked;
}

uint64_t compacted_topic_ask_again(struct compacted_topic *t)
{
    t->is_rewind_due = true;
    return compacted_topic_ask(t);
}

bool compacted_topic_prepare(struct compacted_topic *t)
{
    if (t->state == STATE_READY || t->state == STATE_READING) {
        return true;
    }
    t->is_wanted = true;
    advance(t);
    return false;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

const char *compacted_topic_outage(const struct compacted_topic *t)
{
    return t->outage;
}

void compacted_topic_close(struct compacted_topic *t)
{
    if (t == NULL) {
        return;
    }
    compacted_policy_stop(t->policy);
    kafka_watch_stop(t->watch);
    if (t->state == STATE_READING) {
        (void)rd_kafka_consume_stop(t->topic, COMPACTED_TOPIC_PARTITION);
    }
    rd_kafka_queue_destroy(t->records);
    rd_kafka_topic_destroy(t->topic);
    rd_kafka_destroy(t->consumer);
    uv_close((uv_handle_t *)t->retry, on_closed);
    free(t->outage);
    free(t);
}

// The accumulator decides when records go to librdkafka's queue; librdkafka sends and retries them in order.
// This file hands them over, counts them, and translates delivery reports.
//
// A sink is closed after a lost record, or because another copy may publish. So the records here and in
// librdkafka's queue are dropped at once. Records on the wire can't be recalled: the sink waits for their
// acknowledgements, but not long, so that the records of the next sink come after them.
#include "connectors/kafka/kafka_sink.h"

#include <stdio.h>

#include "connectors/kafka/accumulator.h"
#include "connectors/kafka/kafka_probe.h"
#include "connectors/kafka/kafka_push.h"
#include "connectors/kafka/kafka_record.h"
#include "connectors/kafka/kafka_reports.h"
#include "connectors/kafka/kafka_sink_topics.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/pulse.h"
#include "core/kafka/kafka_producer.h"

enum {
    TURN_RECORDS = 4096,  // handed over in one loop iteration
    IDLE_RECORDS = 5,     // under way: librdkafka sends as many before the first is acknowledged
    LOAD_PER_MS = 10,     // records handed over; from this rate on they linger
    CLOSE_MS = 2000,      // wait for acknowledgements when closing
};
// A round must be handed over before its first record is due, also while other programs have the processors.
static const char *const LINGER[] = {"linger.ms", "10", NULL};

#define LOAD_WINDOW_US (10 * CLOCK_US_PER_MS)  // the load is measured over this time
#define FROZEN_US (4 * CLOCK_US_PER_S)
enum { PULSE_MS = 500 };

enum sink_state { OPEN, FAILED, CLOSING };

struct kafka_sink {
    uv_loop_t *loop;
    struct kafka_sink_listener listener;
    enum sink_state state;
    struct kafka_producer producer;
    struct kafka_probe *probe;
    struct kafka_push *push;  // NULL: the user sets linger.ms
    struct kafka_sink_topic *topics;
    kafka_probe_on_topic on_count;  // NULL: none
    void *count_self;
    struct accumulator accumulator;
    size_t handed;            // records that librdkafka has and has not reported
    bool has_fresh;           // some of them were handed over since the last push was considered
    int64_t pushed_us;        // when the last push was asked for
    int64_t window_us;        // start of the load's measurement
    size_t window_records;    // handed over since then
    bool is_loaded;           // what is handed over lingers
    bool is_full;             // librdkafka's queue was full
    bool owes_room;           // SINK_FULL was returned, and on_room not called since
    uv_timer_t *pulse_timer;  // while open
    struct pulse pulse;
    int64_t stood_still_us;   // once the process did, for so long; 0: never
    uv_timer_t *close_limit;  // ends the wait for acknowledgements
};

// --- delivery reports ---

static void fail(struct kafka_sink *s, const struct fault *f)
{
    if (s->state == OPEN) {
        s->state = FAILED;
        s->listener.on_fault(s->listener.self, f);
    }
}

static void on_reports_settled(void *self, uint64_t ticket, uint32_t count)
{
    struct kafka_sink *s = self;
    if (s->state == OPEN) {
        s->listener.on_settled(s->listener.self, ticket, count);
    }
}

static void on_reports_counted(void *self, const char *topic, uint32_t count)
{
    struct kafka_sink *s = self;
    kafka_sink_topics_acknowledged(&s->topics, &s->accumulator, topic, count);
}

static void on_report_failed(void *self, rd_kafka_resp_err_t error, const char *topic)
{
    struct kafka_sink *s = self;
    struct fault f;
    (void)kafka_record_undelivered(error, topic, &f);
    if (error == RD_KAFKA_RESP_ERR_INVALID_RECORD && s->state == OPEN &&
        s->listener.on_key_demanded(s->listener.self, topic)) {
        f.kind = FAULT_RETRY;
    }
    fail(s, &f);
}

static void read_reports(struct kafka_sink *s, rd_kafka_event_t *event)
{
    const struct kafka_reports_reader reader = {&s->handed, on_reports_counted, on_reports_settled,
                                                on_report_failed, s};
    kafka_reports_read(event, &reader);
}

static void read_error(struct kafka_sink *s, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        kafka_probe_suspect(s->probe, rd_kafka_event_error_string(event));
        return;
    }
    if (error != RD_KAFKA_RESP_ERR__FATAL) {
        log_warn("kafka", "kafka_error", LOG_WITH(LOG_TEXT("code", rd_kafka_err2name(error))), "%s",
                 rd_kafka_event_error_string(event));
        return;
    }
    char text[256];
    rd_kafka_resp_err_t cause = rd_kafka_fatal_error(s->producer.rk, text, sizeof(text));
    struct fault f;
    (void)fault_from(&f, FAULT_RETRY, "librdkafka", cause, "the producer has failed: %s", text);
    fail(s, &f);
}

// Waiting records are handed over before the listener publishes more.
static void flush_and_notify(struct kafka_sink *s)
{
    struct fault f = {0};
    switch (kafka_sink_flush(s, &f)) {
    case SINK_TAKEN:
        if (s->owes_room) {
            s->owes_room = false;
            s->listener.on_room(s->listener.self);
        }
        return;
    case SINK_FULL:
        return;
    case SINK_TOO_LARGE:
    case SINK_FAULT:
        fail(s, &f);
    }
}

static void finish_when_quiet(struct kafka_sink *s);

static void on_reports(void *self)
{
    struct kafka_sink *s = self;
    bool has_reports = false;
    rd_kafka_event_t *event;
    // The queue signals only when it becomes non-empty, so it is read until it is empty. The producer's queue
    // bounds its length.
    while ((event = rd_kafka_queue_poll(s->producer.reports, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            read_reports(s, event);
            has_reports = true;
        } else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR && s->state == OPEN) {
            read_error(s, event);
        }
        rd_kafka_event_destroy(event);
    }
    if (has_reports && s->state == OPEN) {
        kafka_probe_answered(s->probe);
        s->listener.on_batch(s->listener.self);
    }
    if (s->state == OPEN) {
        flush_and_notify(s);
    }
    finish_when_quiet(s);
}

// --- publishing ---

// While this process stood still, another copy may have taken over. PostgreSQL ends a session after 15 s of
// silence, so shorter pauses are harmless.
static bool is_awake(struct kafka_sink *s, struct fault *f)
{
    int64_t gap_us;
    if (!pulse_beat(&s->pulse, clock_boot_us(), &gap_us)) {
        s->stood_still_us = gap_us;
    }
    if (s->stood_still_us != 0) {
        return fault_set(f, FAULT_RETRY,
                         "this process stood still for %d s: another copy may publish by now, so what waits "
                         "here is dropped and read again",
                         (int)(s->stood_still_us / CLOCK_US_PER_S));
    }
    return true;
}

static void on_pulse(uv_timer_t *timer)
{
    struct kafka_sink *s = timer->data;
    struct fault f = {0};
    if (s->state == OPEN && !is_awake(s, &f)) {
        fail(s, &f);
    }
}

static enum sink_step refused(struct kafka_sink *s, rd_kafka_resp_err_t error, const char *topic,
                              struct fault *f)
{
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        INVARIANT(s->handed > 0);  // so an acknowledgement will make room
        s->is_full = true;
        return SINK_FULL;
    }
    if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        return SINK_TOO_LARGE;
    }
    (void)fault_from(f, FAULT_RETRY, "librdkafka", error, "can't publish to topic %s: %s", topic,
                     rd_kafka_err2str(error));
    return SINK_FAULT;
}

// Puts a copy into librdkafka's queue.
static enum sink_step hand_over(struct kafka_sink *s, struct kafka_sink_topic *topic,
                                const struct accumulator_record *record, struct fault *f)
{
    rd_kafka_resp_err_t code = kafka_record_produce(s->producer.rk, topic->handle, record);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        s->handed++;
        s->has_fresh = true;
        s->window_records++;
        accumulator_sent(&topic->queue);
        return SINK_TAKEN;
    }
    return refused(s, code, topic->name, f);
}

static enum sink_step hand_over_first(struct kafka_sink *s, struct accumulator_queue *queue, int64_t now_ms,
                                      struct fault *f)
{
    struct kafka_sink_topic *topic = CONTAINER_OF(queue, struct kafka_sink_topic, queue);
    struct accumulator_record record = accumulator_first(queue);
    record.timestamp_ms = record.timestamp_ms == 0 ? now_ms : record.timestamp_ms;
    enum sink_step step = hand_over(s, topic, &record, f);
    if (step == SINK_TAKEN) {
        accumulator_pop(&s->accumulator, queue);
    } else if (step == SINK_TOO_LARGE) {
        // Records in the accumulator have at most half of the limit: librdkafka would have to count double.
        (void)fault_set(f, FAULT_CONFIG, "a record for topic %s is over message.max.bytes", topic->name);
        return SINK_FAULT;
    }
    return step;
}

// Hands over the round, or as much of it as one loop iteration may take.
static enum sink_step hand_over_round(struct kafka_sink *s, struct fault *f)
{
    struct accumulator_queue *queue;
    size_t left = TURN_RECORDS;
    int64_t now_ms = clock_wall_us() / CLOCK_US_PER_MS;  // once: librdkafka would ask for each record
    for (; left > 0 && (queue = accumulator_next(&s->accumulator)) != NULL; left--) {
        enum sink_step step = hand_over_first(s, queue, now_ms, f);
        if (step != SINK_TAKEN) {
            accumulator_end_round(&s->accumulator);
            return step;
        }
    }
    if (accumulator_next(&s->accumulator) != NULL) {
        kafka_watch_again(s->producer.watch);
    }
    return SINK_TAKEN;
}

// While librdkafka sends a round, a record that is handed over would be a batch of its own, and those after
// it would have to wait for its acknowledgement. A few are sent at once in any case. Not longer than a push
// lasts: it may wait for a worker thread.
static bool is_sending(const struct kafka_sink *s)
{
    return s->push != NULL && kafka_push_is_running(s->push) &&
           clock_now_us() - s->pushed_us < KAFKA_PUSH_MS * CLOCK_US_PER_MS &&
           s->handed + s->accumulator.records > IDLE_RECORDS;
}

static void measure_load(struct kafka_sink *s)
{
    int64_t now_us = clock_now_us();
    int64_t window_us = now_us - s->window_us;
    if (window_us >= LOAD_WINDOW_US) {
        s->is_loaded = s->window_records / LOAD_PER_MS >= (size_t)(window_us / CLOCK_US_PER_MS);
        s->window_us = now_us;
        s->window_records = 0;
    }
}

// The records of a round that is complete go at once; under load they linger, so that rounds are large.
static void push(struct kafka_sink *s)
{
    if (s->push != NULL && s->has_fresh) {
        s->has_fresh = false;
        measure_load(s);
        if (!s->is_loaded) {
            s->pushed_us = clock_now_us();
            kafka_push_now(s->push);
        }
    }
}

enum sink_step kafka_sink_flush(struct kafka_sink *s, struct fault *f)
{
    if (!is_awake(s, f)) {
        return SINK_FAULT;
    }
    if (is_sending(s)) {
        return SINK_TAKEN;
    }
    accumulator_begin_round(&s->accumulator, s->handed);
    s->is_full = false;
    enum sink_step step = hand_over_round(s, f);
    if (accumulator_next(&s->accumulator) == NULL) {
        push(s);
    }
    return step;
}

static void on_pushed(void *self)
{
    struct kafka_sink *s = self;
    if (s->state == OPEN) {
        flush_and_notify(s);
    }
}

// Hands the record over at once, after the waiting records of its topic.
static enum sink_step publish_now(struct kafka_sink *s, const struct kafka_sink_record *record,
                                  const struct accumulator_record *taken, struct fault *f)
{
    enum sink_step step = is_awake(s, f) ? SINK_TAKEN : SINK_FAULT;
    while (step == SINK_TAKEN && record->topic->queue.count > 0) {
        step = hand_over_first(s, &record->topic->queue, 0, f);
    }
    return step == SINK_TAKEN ? hand_over(s, record->topic, taken, f) : step;
}

static struct accumulator_record waiting_of(const struct kafka_sink_record *record)
{
    return (struct accumulator_record){.ticket = record->ticket,
                                       .key = record->key,
                                       .value = record->value,
                                       .position = record->position,
                                       .trace = record->trace,
                                       .headers = record->headers,
                                       .partition = record->partition,
                                       .timestamp_ms = record->timestamp_ms};
}

size_t kafka_sink_record_bytes(const struct kafka_sink_record *record)
{
    struct accumulator_record sized = waiting_of(record);
    return kafka_record_bytes(&sized);
}

enum sink_step kafka_sink_publish(struct kafka_sink *s, const struct kafka_sink_record *record,
                                  struct fault *f)
{
    struct accumulator_record taken = waiting_of(record);
    size_t bytes = kafka_record_bytes(&taken);
    enum sink_step step = SINK_TAKEN;
    if (bytes > s->producer.message_max_bytes) {
        return SINK_TOO_LARGE;
    }
    if (accumulator_is_full(&s->accumulator)) {
        step = kafka_sink_flush(s, f);
    }
    if (step == SINK_TAKEN && (s->is_full || accumulator_is_full(&s->accumulator))) {
        step = SINK_FULL;
    }
    if (step == SINK_TAKEN && bytes > s->producer.message_max_bytes / 2) {  // librdkafka must check its size
        step = publish_now(s, record, &taken, f);
    } else if (step == SINK_TAKEN) {
        accumulator_put(&s->accumulator, &record->topic->queue, &taken);
    }
    s->owes_room = s->owes_room || step == SINK_FULL;
    return step;
}

// --- open, close ---

static void on_probe(void *self, const char *why)
{
    struct kafka_sink *s = self;
    if (s->state == OPEN) {
        s->listener.on_reachable(s->listener.self, why);
    }
}

static void on_probe_topic(void *self, const char *topic, int32_t partitions)
{
    struct kafka_sink *s = self;
    if (s->state == OPEN && s->on_count != NULL) {
        s->on_count(s->count_self, topic, partitions);
    }
    if (s->state == OPEN && kafka_sink_topics_count(&s->topics, topic, partitions)) {
        s->listener.on_room(s->listener.self);
    }
}

static uv_timer_t *new_timer(struct kafka_sink *s)
{
    uv_timer_t *timer = memory_zeroed(1, sizeof(*timer));
    (void)uv_timer_init(s->loop, timer);
    timer->data = s;
    return timer;
}

bool kafka_sink_open(uv_loop_t *loop, const struct settings *settings,
                     const struct kafka_sink_listener *listener, struct kafka_sink **ret, struct fault *f)
{
    struct kafka_sink *s = memory_zeroed(1, sizeof(*s));
    s->loop = loop;
    s->listener = *listener;
    bool is_users = text_pairs_get(&settings->kafka, "linger.ms") != NULL;
    s->producer = (struct kafka_producer){.loop = loop,
                                          .settings = settings,
                                          .extra = is_users ? NULL : LINGER,
                                          .on_reports = on_reports,
                                          .self = s,
                                          .has_refusals = true};
    if (!kafka_producer_open(&s->producer, f)) {
        free(s);
        return false;
    }
    s->probe = kafka_probe_start(loop, s->producer.rk, on_probe, on_probe_topic, s);
    s->accumulator.has_no_limit = is_users;
    s->push = is_users ? NULL : kafka_push_start(loop, s->producer.rk, on_pushed, s);
    s->window_us = clock_now_us();
    pulse_init(&s->pulse, FROZEN_US, clock_boot_us());
    s->pulse_timer = new_timer(s);
    (void)uv_timer_start(s->pulse_timer, on_pulse, PULSE_MS, PULSE_MS);
    *ret = s;
    return true;
}

struct kafka_sink_topic *kafka_sink_topic(struct kafka_sink *s, const char *name)
{
    struct kafka_sink_topic *topic = kafka_sink_topics_get(&s->topics, s->producer.rk, name);
    topic->probe = s->probe;
    return topic;
}

int32_t kafka_sink_partitions(struct kafka_sink_topic *topic)
{
    if (topic->partitions == 0) {
        topic->is_counted = true;
        kafka_probe_ask(topic->probe);
    }
    return topic->partitions;
}

void kafka_sink_on_count(struct kafka_sink *s, kafka_probe_on_topic on_count, void *self)
{
    s->on_count = on_count;
    s->count_self = self;
}

rd_kafka_t *kafka_sink_client(const struct kafka_sink *s)
{
    return s->producer.rk;
}

void kafka_sink_count_anew(struct kafka_sink_topic *topic)
{
    topic->partitions = 0;
    (void)kafka_sink_partitions(topic);
}

size_t kafka_sink_in_flight(const struct kafka_sink *s)
{
    return s->handed + s->accumulator.records;
}

void kafka_sink_explain(struct kafka_sink *s, bool is_wanted)
{
    kafka_producer_explain(&s->producer, is_wanted);
}

bool kafka_sink_reason(const struct kafka_sink *s, char *ret_text, size_t size)
{
    const char *trouble = kafka_probe_trouble(s->probe);
    if (kafka_producer_refusal(&s->producer, ret_text, size)) {
        return true;
    }
    if (trouble != NULL) {
        (void)snprintf(ret_text, size, "%s", trouble);
    }
    return trouble != NULL;
}

size_t kafka_sink_message_max_bytes(const struct kafka_sink *s)
{
    return s->producer.message_max_bytes;
}

struct kafka_admin *kafka_sink_admin(struct kafka_sink *s)
{
    return s->producer.admin;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

// The producer is freed after probe and push, whose worker threads may use it. That closes its connections,
// which drops what the brokers have not acknowledged.
static void on_push_stopped(void *self)
{
    struct kafka_sink *s = self;
    struct kafka_sink_listener listener = s->listener;
    kafka_sink_topics_clear(&s->topics, &s->accumulator);
    kafka_producer_discard(&s->producer);
    free(s);
    if (listener.on_closed != NULL) {
        listener.on_closed(listener.self);
    }
}

static void stop_push(struct kafka_sink *s)
{
    if (s->probe != NULL || s->close_limit != NULL) {
        return;
    }
    if (s->push == NULL) {
        on_push_stopped(s);
    } else {
        kafka_push_stop(TAKE(s->push), on_push_stopped, s);
    }
}

static void on_probe_stopped(void *self)
{
    struct kafka_sink *s = self;
    s->probe = NULL;
    stop_push(s);
}

static void on_close_timeout(uv_timer_t *timer)
{
    struct kafka_sink *s = timer->data;
    uv_close((uv_handle_t *)TAKE(s->close_limit), on_timer_closed);
    stop_push(s);
}

// Later from the loop: on_reports must not free the sink.
static void finish_when_quiet(struct kafka_sink *s)
{
    if (s->state == CLOSING && s->handed == 0 && s->close_limit != NULL) {
        (void)uv_timer_start(s->close_limit, on_close_timeout, 0, 0);
    }
}

void kafka_sink_close(struct kafka_sink *s)
{
    if (s == NULL || s->state == CLOSING) {
        return;
    }
    s->state = CLOSING;
    (void)rd_kafka_purge(s->producer.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
    kafka_producer_stop_admin(&s->producer);
    uv_close((uv_handle_t *)TAKE(s->pulse_timer), on_timer_closed);
    s->close_limit = new_timer(s);
    // on_closed comes from the loop: the caller may be inside a callback of this sink.
    (void)uv_timer_start(s->close_limit, on_close_timeout, s->handed == 0 ? 0 : CLOSE_MS, 0);
    kafka_probe_stop(s->probe, on_probe_stopped, s);  // meanwhile: a request of it may take as long
}

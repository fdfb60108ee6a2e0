// Reads go in rounds: a round fetches from where the last one stopped to an end-of-partition that the broker
// said after the round began, so it covers every question asked before it. Questions that come meanwhile wait
// for the next round; between rounds nothing is fetched.
#include "core/kafka/state_topic.h"

#include "core/base/table.h"
#include <utlist.h>

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/kafka/kafka_producer.h"

#define STATE_TOPIC_NAME "millrace.state"
enum { PARTITION = 0, RETRY_MS = 1000, EVENTS_A_TURN = 256 };

struct state_entry {
    char *key;
    struct bytes value;
    UT_hash_handle hh;
};

/** One question or one write, in exactly one of the lists below. */
struct state_call {
    char *key;
    struct bytes value;  // write: what to write; read: the answer
    bool has_value;      // false: delete, or no such key
    bool is_sent;
    state_on_read on_read;        // NULL: a write
    state_on_written on_written;  // NULL: a read
    void *self;
    struct fault fault;
    struct state_call *next;
};

struct state_topic {
    struct kafka_producer producer;
    rd_kafka_t *consumer;
    rd_kafka_topic_t *reader;  // the consumer's handle of the topic
    rd_kafka_queue_t *records;
    struct kafka_watch *record_watch;
    uv_timer_t *retry;
    uv_timer_t *deliver;
    bool is_made;    // the topic exists
    bool is_making;  // the broker has been asked to make it
    bool is_round;
    bool is_trouble_said;
    int64_t next_offset;
    struct state_entry *entries;
    struct state_call *writes;   // not yet acknowledged
    struct state_call *asked;    // wait for the next round
    struct state_call *covered;  // answered when the running round ends
    struct state_call *done;     // wait for their callback, one a turn, so that a callback may close us
};

static void advance(struct state_topic *s);

static void free_call(struct state_call *c)
{
    free(c->key);
    bytes_clear(&c->value);
    free(c);
}

static void free_calls(struct state_call *list)
{
    while (list != NULL) {
        struct state_call *c = list;
        list = c->next;
        free_call(c);
    }
}

static void on_deliver(uv_timer_t *timer)
{
    struct state_topic *s = timer->data;
    struct state_call *c = s->done;
    if (c == NULL) {
        return;
    }
    LL_DELETE(s->done, c);
    if (s->done != NULL) {
        (void)uv_timer_start(s->deliver, on_deliver, 0, 0);
    }
    const struct fault *f = c->fault.kind == FAULT_NONE ? NULL : &c->fault;
    if (c->on_read != NULL) {
        c->on_read(c->self, c->has_value ? bytes_slice(&c->value) : (struct slice){NULL, 0}, f);
    } else {
        c->on_written(c->self, f);
    }
    free_call(c);
}

static void finish(struct state_topic *s, struct state_call **list, struct state_call *c)
{
    LL_DELETE(*list, c);
    c->next = NULL;
    LL_APPEND(s->done, c);
    (void)uv_timer_start(s->deliver, on_deliver, 0, 0);
}

static void on_retry(uv_timer_t *timer)
{
    advance(timer->data);
}

/** Says the trouble once until it works again, and comes back. */
static void retry_later(struct state_topic *s, const char *why)
{
    if (!s->is_trouble_said) {
        s->is_trouble_said = true;
        log_warn("state", "state_waiting", LOG_WITH(LOG_TEXT("topic", STATE_TOPIC_NAME)),
                 "waiting for Kafka: %s", why);
    }
    (void)uv_timer_start(s->retry, on_retry, RETRY_MS, 0);
}

static void refuse_all(struct state_topic *s, struct state_call **list, const struct fault *f)
{
    struct state_call *c;
    struct state_call *next;
    LL_FOREACH_SAFE (*list, c, next) {
        c->fault = *f;
        finish(s, list, c);
    }
}

static void on_made(void *self, const struct fault *f)
{
    struct state_topic *s = self;
    s->is_making = false;
    if (f == NULL) {
        s->is_made = true;
        advance(s);
    } else if (f->kind == FAULT_CONFIG) {
        // Somebody must change something first; whoever asks again makes us try again.
        refuse_all(s, &s->asked, f);
        refuse_all(s, &s->writes, f);
    } else {
        retry_later(s, f->text);
    }
}

static void make_topic(struct state_topic *s)
{
    struct text_pairs config = {0};
    text_pairs_set(&config, "cleanup.policy", "compact");
    const struct kafka_topic_spec spec = {STATE_TOPIC_NAME, 1, 0, &config};
    s->is_making = true;
    kafka_admin_ensure_topic(s->producer.admin, &spec, on_made, s);
    text_pairs_clear(&config);
}

static void send_write(struct state_topic *s, struct state_call *c)
{
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = STATE_TOPIC_NAME},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = PARTITION},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {c->key, strlen(c->key)}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {c->has_value ? c->value.data : NULL, c->value.size}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = c},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(s->producer.rk, parts, COUNT_OF(parts));
    c->is_sent = error == NULL;
    if (error != NULL) {
        retry_later(s, rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
}

static void begin_round(struct state_topic *s)
{
    if (rd_kafka_consume_start_queue(s->reader, PARTITION, s->next_offset, s->records) != 0) {
        retry_later(s, rd_kafka_err2str(rd_kafka_last_error()));
        return;
    }
    s->is_round = true;
    s->covered = s->asked;
    s->asked = NULL;
}

/** Does whatever can be done now: make the topic, send what is to be written, begin a round of reading. */
static void advance(struct state_topic *s)
{
    struct fault f;
    if (!kafka_producer_open(&s->producer, &f)) {
        retry_later(s, f.text);
        return;
    }
    if (!s->is_made) {
        if (!s->is_making && (s->asked != NULL || s->writes != NULL)) {
            make_topic(s);
        }
        return;
    }
    struct state_call *c;
    LL_FOREACH (s->writes, c) {
        if (!c->is_sent) {
            send_write(s, c);
        }
    }
    if (s->asked != NULL && !s->is_round) {
        begin_round(s);
    }
}

static void store(struct state_topic *s, const rd_kafka_message_t *m)
{
    s->next_offset = m->offset + 1;
    CLEANUP(memory_free_pointer)
    char *key = slice_to_string(slice_make(m->key, m->key == NULL ? 0 : m->key_len));
    struct state_entry *entry;
    HASH_FIND_STR(s->entries, key, entry);
    if (m->payload == NULL) {
        if (entry != NULL) {
            HASH_DEL(s->entries, entry);
            free(entry->key);
            bytes_clear(&entry->value);
            free(entry);
        }
        return;
    }
    if (entry == NULL) {
        entry = memory_zeroed(1, sizeof(*entry));
        entry->key = TAKE(key);
        HASH_ADD_KEYPTR(hh, s->entries, entry->key, strlen(entry->key), entry);
    }
    bytes_reset(&entry->value);
    bytes_append(&entry->value, m->payload, m->len);
}

static void stop_round(struct state_topic *s)
{
    (void)rd_kafka_consume_stop(s->reader, PARTITION);
    s->is_round = false;
}

static void end_round(struct state_topic *s)
{
    stop_round(s);
    s->is_trouble_said = false;
    struct state_call *c;
    struct state_call *next;
    LL_FOREACH_SAFE (s->covered, c, next) {
        struct state_entry *entry;
        HASH_FIND_STR(s->entries, c->key, entry);
        c->has_value = entry != NULL;
        if (entry != NULL) {
            (void)bytes_reserve(&c->value, 1);  // an empty value is not an absent one: data must not be NULL
            bytes_append_slice(&c->value, bytes_slice(&entry->value));
        }
        finish(s, &s->covered, c);
    }
    advance(s);
}

static void on_read_error(struct state_topic *s, rd_kafka_resp_err_t code)
{
    if (!s->is_round) {
        return;
    }
    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        end_round(s);
        return;
    }
    // Begin again: the topic may have been deleted, its leader may be gone.
    stop_round(s);
    s->is_made = code != RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC && code != RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION &&
                 code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    LL_CONCAT(s->covered, s->asked);
    s->asked = s->covered;
    s->covered = NULL;
    retry_later(s, rd_kafka_err2str(code));
}

static void on_records(void *self)
{
    struct state_topic *s = self;
    for (int i = 0; i < EVENTS_A_TURN; i++) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(s->records, 0);
        if (event == NULL) {
            return;
        }
        const rd_kafka_message_t *m;
        while (rd_kafka_event_type(event) == RD_KAFKA_EVENT_FETCH &&
               (m = rd_kafka_event_message_next(event)) != NULL) {
            if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                on_read_error(s, m->err);
            } else {
                store(s, m);
            }
        }
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
            on_read_error(s, rd_kafka_event_error(event));
        }
        rd_kafka_event_destroy(event);
    }
    kafka_watch_again(s->record_watch);
}

static void on_report(struct state_topic *s, const rd_kafka_message_t *m)
{
    struct state_call *c = m->_private;
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (kafka_producer_is_broken(&s->producer, NULL, 0)) {
            return;  // the next one sends it
        }
        bool is_refused = m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                          m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
        (void)fault_from(&c->fault, is_refused ? FAULT_CONFIG : FAULT_RETRY, "librdkafka", m->err,
                         "writing to topic " STATE_TOPIC_NAME ": %s", rd_kafka_err2str(m->err));
    }
    finish(s, &s->writes, c);
}

/** What it had not reported is written again, in order, by the next one, which is made after a pause. */
static void replace_producer(struct state_topic *s, const char *why)
{
    kafka_producer_discard(&s->producer);
    s->is_making = false;
    struct state_call *c;
    LL_FOREACH (s->writes, c) {
        c->is_sent = false;
    }
    retry_later(s, why);
}

static void on_reports(void *self)
{
    struct state_topic *s = self;
    rd_kafka_event_t *event = NULL;
    for (int i = 0; i < EVENTS_A_TURN; i++) {
        event = rd_kafka_queue_poll(s->producer.reports, 0);
        if (event == NULL) {
            break;
        }
        const rd_kafka_message_t *m;
        while (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR &&
               (m = rd_kafka_event_message_next(event)) != NULL) {
            on_report(s, m);
        }
        rd_kafka_event_destroy(event);
    }
    char why[256];
    if (event != NULL) {
        kafka_watch_again(s->producer.watch);
    } else if (kafka_producer_is_broken(&s->producer, why, sizeof(why))) {
        replace_producer(s, why);
    }
}

static bool open_clients(struct state_topic *s, const struct settings *settings, struct fault *f)
{
    static const char *const reading[] = {
        "enable.partition.eof",
        "true",
        "allow.auto.create.topics",
        "true",
        "auto.offset.reset",
        "earliest",
        "fetch.wait.max.ms",
        "20",
        NULL,
    };
    rd_kafka_conf_t *conf;
    return kafka_producer_open(&s->producer, f) &&
           kafka_client_conf(settings, KAFKA_CONSUMER, reading, &conf, f) &&
           kafka_client_open(conf, KAFKA_CONSUMER, &s->consumer, f);
}

static uv_timer_t *new_timer(uv_loop_t *loop, struct state_topic *s)
{
    uv_timer_t *timer = memory_zeroed(1, sizeof(*timer));
    (void)uv_timer_init(loop, timer);
    timer->data = s;
    return timer;
}

bool state_topic_open(uv_loop_t *loop, const struct settings *settings, struct state_topic **ret,
                      struct fault *f)
{
    struct state_topic *s = memory_zeroed(1, sizeof(*s));
    s->next_offset = RD_KAFKA_OFFSET_BEGINNING;
    s->retry = new_timer(loop, s);
    s->deliver = new_timer(loop, s);
    s->producer =
        (struct kafka_producer){.loop = loop, .settings = settings, .on_reports = on_reports, .self = s};
    if (!open_clients(s, settings, f)) {
        state_topic_close(s);
        return false;
    }
    s->reader = rd_kafka_topic_new(s->consumer, STATE_TOPIC_NAME, NULL);
    s->records = rd_kafka_queue_new(s->consumer);
    s->record_watch = kafka_watch_start(loop, s->records, on_records, s);
    *ret = s;
    return true;
}

void state_topic_read(struct state_topic *s, const char *key, state_on_read on_read, void *self)
{
    struct state_call *c = memory_zeroed(1, sizeof(*c));
    c->key = memory_string(key);
    c->on_read = on_read;
    c->self = self;
    LL_APPEND(s->asked, c);
    advance(s);
}

void state_topic_write(struct state_topic *s, const char *key, struct slice value,
                       state_on_written on_written, void *self)
{
    struct state_call *c = memory_zeroed(1, sizeof(*c));
    c->key = memory_string(key);
    c->has_value = value.data != NULL;
    (void)bytes_reserve(&c->value, 1);  // an empty value is not a delete: data must not be NULL
    bytes_append_slice(&c->value, value);
    c->on_written = on_written;
    c->self = self;
    LL_APPEND(s->writes, c);
    advance(s);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void free_entries(struct state_topic *s)
{
    struct state_entry *entry;
    struct state_entry *next;
    HASH_ITER (hh, s->entries, entry, next) {
        HASH_DEL(s->entries, entry);
        free(entry->key);
        bytes_clear(&entry->value);
        free(entry);
    }
}

static void close_clients(struct state_topic *s)
{
    kafka_watch_stop(s->record_watch);
    if (s->is_round) {
        stop_round(s);
    }
    if (s->records != NULL) {
        rd_kafka_queue_destroy(s->records);
    }
    if (s->reader != NULL) {
        rd_kafka_topic_destroy(s->reader);
    }
    if (s->consumer != NULL) {
        rd_kafka_destroy(s->consumer);
    }
    kafka_producer_close(&s->producer);
}

void state_topic_close(struct state_topic *s)
{
    if (s == NULL) {
        return;
    }
    close_clients(s);
    uv_close((uv_handle_t *)s->retry, on_timer_closed);
    uv_close((uv_handle_t *)s->deliver, on_timer_closed);
    free_calls(s->writes);
    free_calls(s->asked);
    free_calls(s->covered);
    free_calls(s->done);
    free_entries(s);
    free(s);
}

// A read ends with a round of the topic (compacted_topic) that began after the read was requested.
#include "core/kafka/state_topic.h"

#include <inttypes.h>
#include <stdio.h>

#include <utlist.h>

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/kafka/compacted_topic.h"
#include "core/kafka/kafka_producer.h"
#include "core/kafka/state_entries.h"

enum { RETRY_MS = 1000, EVENTS_A_TURN = 256 };

/** One read or write, in exactly one of the lists below. */
struct state_call {
    char *key;
    struct bytes value;  // the value to write, or the value read
    bool has_value;      // false: a delete, or no such key
    bool is_sent;
    bool is_forgotten;
    bool is_replacement;          // write: counts only if the value still has the version
    uint64_t version;             // that one; 0: no value
    uint64_t round;               // read: the round at whose end the value is valid
    bool is_repeated;             // read: that one reads the topic from its beginning
    state_on_read on_read;        // NULL: a write
    state_on_written on_written;  // NULL: a read
    void *self;
    struct fault fault;
    struct state_call *next;
};

struct state_topic {
    struct kafka_producer producer;
    struct compacted_topic *topic;
    uv_timer_t *retry;  // sends writes again
    uv_timer_t *deliver;
    bool is_outage_logged;
    struct state_entries entries;
    struct state_call *writes;  // not yet acknowledged
    struct state_call *reads;   // wait for their round
    struct state_call *done;  // wait for their callback; one a turn, as a callback may close the state topic
};

static void send_writes(struct state_topic *s);

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
    if (c->is_forgotten) {
        free_call(c);
        return;
    }
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
    send_writes(timer->data);
}

/** Logs the outage once until a write is acknowledged again; schedules a retry. */
static void retry_later(struct state_topic *s, const char *why)
{
    if (!s->is_outage_logged) {
        s->is_outage_logged = true;
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

/** The header of a replacement; NULL: the call is none. */
static rd_kafka_headers_t *make_headers(const struct state_call *c)
{
    if (!c->is_replacement) {
        return NULL;
    }
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRIu64, c->version);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    (void)rd_kafka_header_add(headers, STATE_TOPIC_REPLACES, -1, text, -1);
    return headers;
}

static void send_write(struct state_topic *s, struct state_call *c)
{
    rd_kafka_headers_t *headers = make_headers(c);
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = STATE_TOPIC_NAME},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = COMPACTED_TOPIC_PARTITION},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {c->key, strlen(c->key)}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {c->has_value ? c->value.data : NULL, c->value.size}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = c},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t count = COUNT_OF(parts) - (headers == NULL ? 1 : 0);
    rd_kafka_error_t *error = rd_kafka_produceva(s->producer.rk, parts, count);
    c->is_sent = error == NULL;
    if (error != NULL) {
        if (headers != NULL) {
            rd_kafka_headers_destroy(headers);  // still ours
        }
        retry_later(s, rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
}

/** Sends the writes that are not sent yet, once the topic may be written to. */
static void send_writes(struct state_topic *s)
{
    struct fault f;
    if (!kafka_producer_open(&s->producer, &f)) {
        retry_later(s, f.text);
        return;
    }
    if (s->writes == NULL || !compacted_topic_prepare(s->topic)) {
        return;
    }
    struct state_call *c;
    LL_FOREACH (s->writes, c) {
        if (!c->is_sent) {
            send_write(s, c);
        }
    }
}

static void on_writable(void *self)
{
    send_writes(self);
}

static bool is_awaited(const struct state_topic *s, const char *key)
{
    const struct state_call *c;
    LL_FOREACH (s->reads, c) {
        if (strcmp(c->key, key) == 0) {
            return true;
        }
    }
    return false;
}

static char *key_of(const rd_kafka_message_t *m)
{
    return slice_to_string(slice_make(m->key, m->key == NULL ? 0 : m->key_len));
}

static void on_record(void *self, const rd_kafka_message_t *m)
{
    struct state_topic *s = self;
    CLEANUP(memory_free_pointer) char *key = key_of(m);
    state_entries_apply(&s->entries, key, m, is_awaited(s, key));
}

static void on_record_again(void *self, const rd_kafka_message_t *m)
{
    struct state_topic *s = self;
    CLEANUP(memory_free_pointer) char *key = key_of(m);
    if (is_awaited(s, key)) {
        state_entries_restore(&s->entries, key, m);
    }
}

/** False: the value must be read again first, in a round that was requested now. */
static bool answer(struct state_topic *s, struct state_call *c)
{
    struct state_value found;
    c->has_value = state_entries_find(&s->entries, c->key, &found);
    if (c->has_value && found.is_dropped) {
        if (!c->is_repeated) {
            c->is_repeated = true;
            c->round = compacted_topic_ask_again(s->topic);
            return false;
        }
        c->has_value = false;  // the topic was made again meanwhile
    }
    if (c->has_value) {
        (void)bytes_reserve(&c->value, 1);  // data NULL would mean no such key
        bytes_append_slice(&c->value, found.bytes);
    }
    return true;
}

static void on_round(void *self, uint64_t round)
{
    struct state_topic *s = self;
    struct state_call *c;
    struct state_call *next;
    LL_FOREACH_SAFE (s->reads, c, next) {
        if (c->round <= round && answer(s, c)) {
            finish(s, &s->reads, c);
        }
    }
    state_entries_trim(&s->entries);
}

static void on_refused(void *self, const struct fault *f)
{
    struct state_topic *s = self;
    const struct state_call *c = s->writes;
    while (c != NULL && !c->is_sent) {
        c = c->next;
    }
    if (c != NULL) {
        kafka_producer_discard(&s->producer);  // it would report writes that are gone
    }
    refuse_all(s, &s->reads, f);
    refuse_all(s, &s->writes, f);
}

static void on_report(struct state_topic *s, const rd_kafka_message_t *m)
{
    struct state_call *c = m->_private;
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (kafka_producer_is_broken(&s->producer, NULL, 0)) {
            return;  // replace_producer sends it again
        }
        bool is_refused = m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                          m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
        (void)fault_from(&c->fault, is_refused ? FAULT_CONFIG : FAULT_RETRY, "librdkafka", m->err,
                         "writing to topic " STATE_TOPIC_NAME ": %s", rd_kafka_err2str(m->err));
    }
    s->is_outage_logged = false;
    finish(s, &s->writes, c);
}

/** Opens a new producer after a pause; it sends the unreported writes again, in order. */
static void replace_producer(struct state_topic *s, const char *why)
{
    kafka_producer_discard(&s->producer);
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
    const struct compacted_topic_params params = {
        .loop = loop,
        .settings = settings,
        .name = STATE_TOPIC_NAME,
        .component = "state",
        .listener = {on_record, on_record_again, on_round, on_writable, on_refused, s},
    };
    s->retry = new_timer(loop, s);
    s->deliver = new_timer(loop, s);
    s->producer =
        (struct kafka_producer){.loop = loop, .settings = settings, .on_reports = on_reports, .self = s};
    if (!kafka_producer_open(&s->producer, f) || !compacted_topic_open(&params, &s->topic, f)) {
        state_topic_close(s);
        return false;
    }
    *ret = s;
    return true;
}

void state_topic_read(struct state_topic *s, const char *key, state_on_read on_read, void *self)
{
    struct state_call *c = memory_zeroed(1, sizeof(*c));
    c->key = memory_string(key);
    c->on_read = on_read;
    c->self = self;
    LL_APPEND(s->reads, c);
    c->round = compacted_topic_ask(s->topic);
}

uint64_t state_topic_generation(const struct state_topic *s, const char *key)
{
    struct state_value found;
    return state_entries_find(&s->entries, key, &found) ? found.generation : 0;
}

uint64_t state_topic_version(const struct state_topic *s, const char *key)
{
    struct state_value found;
    return state_entries_find(&s->entries, key, &found) ? found.version : 0;
}

void state_topic_each(const struct state_topic *s, const char *prefix,
                      void (*on_value)(void *self, const char *key, struct slice value), void *self)
{
    state_entries_each(&s->entries, prefix, on_value, self);
}

size_t state_topic_large_bytes(const struct state_topic *s)
{
    return s->entries.large_bytes;
}

static struct state_call *add_write(struct state_topic *s, const char *key, struct slice value,
                                    state_on_written on_written, void *self)
{
    struct state_call *c = memory_zeroed(1, sizeof(*c));
    c->key = memory_string(key);
    c->has_value = value.data != NULL;
    (void)bytes_reserve(&c->value, 1);  // data NULL would mean a delete
    bytes_append_slice(&c->value, value);
    c->on_written = on_written;
    c->self = self;
    LL_APPEND(s->writes, c);
    return c;
}

void state_topic_write(struct state_topic *s, const char *key, struct slice value,
                       state_on_written on_written, void *self)
{
    (void)add_write(s, key, value, on_written, self);
    send_writes(s);
}

void state_topic_replace(struct state_topic *s, const char *key, uint64_t version, struct slice value,
                         state_on_written on_written, void *self)
{
    struct state_call *c = add_write(s, key, value, on_written, self);
    c->is_replacement = true;
    c->version = version;
    send_writes(s);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

void state_topic_forget(struct state_topic *s, const void *self)
{
    struct state_call *const lists[] = {s->writes, s->reads, s->done};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct state_call *c;
        LL_FOREACH (lists[i], c) {
            c->is_forgotten = c->is_forgotten || c->self == self;
        }
    }
}

const char *state_topic_outage(const struct state_topic *s)
{
    return compacted_topic_outage(s->topic);
}

void state_topic_close(struct state_topic *s)
{
    if (s == NULL) {
        return;
    }
    compacted_topic_close(s->topic);
    kafka_producer_close(&s->producer);
    uv_close((uv_handle_t *)s->retry, on_timer_closed);
    uv_close((uv_handle_t *)s->deliver, on_timer_closed);
    free_calls(s->writes);
    free_calls(s->reads);
    free_calls(s->done);
    state_entries_clear(&s->entries);
    free(s);
}

#include "bridge/delivery/dead_letter.h"

#include <inttypes.h>
#include <stdio.h>
#include <utlist.h>

#include "bridge/intake/partition.h"
#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/kafka/kafka_producer.h"

#define HEADER_PREFIX "millrace.dlq."

#define SAID_AGAIN_US (30 * CLOCK_US_PER_S)

// The largest record that we send, and that a dead-letter topic takes: whatever a source topic took fits.
#define RECORD_BYTES_MAX "100000000"

/** After a failure of a topic, or of the producer. */
struct letter_pause {
    struct backoff backoff;
    int64_t due_us;   // nothing is sent before that
    int64_t said_us;  // when the failure was logged last; 0: not yet
};

/** A dead-letter topic is made once a process. */
struct letter_topic {
    struct letter_topic *next;
    char *name;
    bool is_there;
    bool is_asked;
    bool is_plain;  // the broker refuses our limit of a record: it has the broker's
    struct letter_pause pause;
    struct dead_letter *owner;
};

/** One event on its way. */
struct letter {
    struct letter *next;
    struct letter *prev;
    uint64_t number;  // in order of arrival
    struct event *event;
    struct letter_topic *topic;
    rd_kafka_headers_t *headers;
    dead_letter_on_stored on_stored;
    void *self;
};

struct dead_letter {
    struct kafka_producer producer;  // from the first dead event on
    struct letter *waiting;          // not handed to the producer, in order
    struct letter *sent;             // handed over and not reported
    uint64_t letter_count;
    struct letter_topic *topics;
    struct letter_pause pause;  // of all
    uv_timer_t timer;
    uv_idle_t idle;
    int open_handles;
};

static void pump(struct dead_letter *d);

static void free_letter(struct letter *l)
{
    rd_kafka_headers_destroy(l->headers);
    free(l);
}

static struct letter_pause no_pause(void)
{
    return (struct letter_pause){.backoff = backoff_make(500 * CLOCK_US_PER_MS, 30 * CLOCK_US_PER_S)};
}

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

/** Nothing is given up: what failed is tried again, and the offsets wait. Letters that fail together count
 * once. */
static void wait_after(struct letter_pause *pause, const char *what, const char *why)
{
    int64_t now_us = clock_now_us();
    if (pause->due_us > now_us) {
        return;
    }
    if (pause->said_us == 0 || now_us - pause->said_us >= SAID_AGAIN_US) {
        pause->said_us = now_us;
        log_error("bridge", "dead_letter_failed", NULL, "%s: %s; the events wait and are tried again", what,
                  why);
    }
    pause->due_us = now_us + backoff_next_us(&pause->backoff);
}

/** Comes back when the first pause is over. */
static void wake_when_due(struct dead_letter *d, int64_t now_us)
{
    int64_t due_us = d->pause.due_us > now_us ? d->pause.due_us : INT64_MAX;
    struct letter_topic *topic;
    LL_FOREACH (d->topics, topic) {
        int64_t topic_us = topic->pause.due_us;
        due_us = topic_us > now_us && topic_us < due_us ? topic_us : due_us;
    }
    if (due_us != INT64_MAX) {
        (void)uv_timer_start(&d->timer, on_timer, (uint64_t)((due_us - now_us) / CLOCK_US_PER_MS) + 1, 0);
    }
}

static void move(struct letter *l, struct letter **from, struct letter **to)
{
    INVARIANT(*from != NULL);
    DL_DELETE(*from, l);
    DL_APPEND(*to, l);
}

/** Moves letters back among those that wait, each to its place. */
static void put_back(struct dead_letter *d, struct letter **letters)
{
    struct letter *at = d->waiting;
    uint64_t number = 0;
    for (struct letter *l; (l = *letters) != NULL;) {
        at = l->number < number ? d->waiting : at;
        number = l->number;
        while (at != NULL && at->number < number) {
            at = at->next;
        }
        DL_DELETE(*letters, l);
        if (at == NULL) {
            DL_APPEND(d->waiting, l);
        } else {
            DL_PREPEND_ELEM(d->waiting, at, l);
        }
    }
}

static void on_report(struct dead_letter *d, const rd_kafka_message_t *message, struct letter **failed)
{
    struct letter *l = message->_private;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        move(l, &d->sent, failed);
        wait_after(&l->topic->pause, l->topic->name, rd_kafka_err2str(message->err));
        return;
    }
    backoff_reset(&l->topic->pause.backoff);
    backoff_reset(&d->pause.backoff);
    INVARIANT(d->sent != NULL);
    DL_DELETE(d->sent, l);
    l->on_stored(l->self, l->event);
    free_letter(l);
}

/** What it had not reported is sent again by the next one, which is made after a pause. */
static void replace_producer(struct dead_letter *d, const char *why)
{
    kafka_producer_discard(&d->producer);
    put_back(d, &d->sent);
    struct letter_topic *topic;
    LL_FOREACH (d->topics, topic) {
        topic->is_asked = false;
    }
    wait_after(&d->pause, "a new producer is needed", why);
}

static void on_ready(void *self)
{
    struct dead_letter *d = self;
    struct letter *failed = NULL;
    char why[256];
    for (rd_kafka_event_t *event; (event = rd_kafka_queue_poll(d->producer.reports, 0)) != NULL;) {
        const rd_kafka_message_t *message;
        while (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR &&
               (message = rd_kafka_event_message_next(event)) != NULL) {
            on_report(d, message, &failed);
        }
        rd_kafka_event_destroy(event);
    }
    put_back(d, &failed);
    if (kafka_producer_is_broken(&d->producer, why, sizeof(why))) {
        replace_producer(d, why);
    }
    pump(d);
}

static void on_topic(void *self, const struct fault *f)
{
    struct letter_topic *topic = self;
    topic->is_asked = false;
    topic->is_there = f == NULL;
    if (f != NULL && f->kind == FAULT_CONFIG && !topic->is_plain) {
        topic->is_plain = true;  // perhaps the broker has an upper limit of its own
    } else if (f != NULL) {
        wait_after(&topic->pause, topic->name, f->text);
    }
    pump(topic->owner);
}

static struct letter_topic *get_topic(struct dead_letter *d, const char *name)
{
    struct letter_topic *topic;
    LL_FOREACH (d->topics, topic) {
        if (strcmp(topic->name, name) == 0) {
            return topic;
        }
    }
    topic = memory_zeroed(1, sizeof(*topic));
    topic->name = memory_string(name);
    topic->owner = d;
    topic->pause = no_pause();
    LL_PREPEND(d->topics, topic);
    return topic;
}

/** Makes the topic, unless that is under way. Dead letters are kept for ever. */
static void ask_for_topic(struct dead_letter *d, struct letter_topic *topic)
{
    if (topic->is_asked) {
        return;
    }
    CLEANUP(text_pairs_clear) struct text_pairs config = {0};
    text_pairs_set(&config, "retention.ms", "-1");
    if (!topic->is_plain) {
        text_pairs_set(&config, "max.message.bytes", RECORD_BYTES_MAX);
    }
    topic->is_asked = true;
    kafka_admin_ensure_topic(d->producer.admin,
                             &(struct kafka_topic_spec){.name = topic->name, .config = &config}, on_topic,
                             topic);
}

/** Hands one letter to librdkafka, which copies it. */
static rd_kafka_resp_err_t produce(struct dead_letter *d, struct letter *l)
{
    const struct event *e = l->event;
    rd_kafka_headers_t *headers = rd_kafka_headers_copy(l->headers);
    rd_kafka_vu_t fields[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = l->topic->name},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {e->has_key ? (void *)(uintptr_t)e->key.data : NULL, e->key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)e->value.data, e->value.size}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = l},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(d->producer.rk, fields, COUNT_OF(fields));
    if (error == NULL) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
    return code;
}

/** Whether the producer's queue took the letter, or somebody else's letter may still fit. */
static bool send_one(struct dead_letter *d, struct letter *l)
{
    rd_kafka_resp_err_t code = produce(d, l);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return false;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        wait_after(&l->topic->pause, l->topic->name, rd_kafka_err2str(code));
        return true;
    }
    move(l, &d->waiting, &d->sent);
    return true;
}

/** Sends what waits and may be sent now, as far as the producer's queue takes it. */
static void pump(struct dead_letter *d)
{
    struct fault f;
    int64_t now_us = clock_now_us();
    if (d->waiting != NULL && d->pause.due_us <= now_us && !kafka_producer_open(&d->producer, &f)) {
        wait_after(&d->pause, "dead letters", f.text);
    }
    struct letter *l = d->pause.due_us <= now_us ? d->waiting : NULL;
    for (struct letter *next; l != NULL; l = next) {
        next = l->next;
        if (l->topic->pause.due_us > now_us) {
            continue;
        }
        if (!l->topic->is_there) {
            ask_for_topic(d, l->topic);
        } else if (!send_one(d, l)) {
            break;  // the delivery reports of those before it bring us back
        }
    }
    wake_when_due(d, now_us);
}

static void on_idle(uv_idle_t *idle)
{
    (void)uv_idle_stop(idle);
    pump(idle->data);
}

static void add_header(rd_kafka_headers_t *headers, const char *name, const char *value)
{
    char full[64];
    (void)snprintf(full, sizeof(full), HEADER_PREFIX "%s", name);
    (void)rd_kafka_header_remove(headers, full);  // of an earlier stay here: replaced, never appended
    (void)rd_kafka_header_add(headers, full, -1, value, -1);
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    add_header(headers, name, text);
}

static rd_kafka_headers_t *make_headers(const struct event *e, const struct dead_letter_cause *cause)
{
    rd_kafka_headers_t *headers =
        e->headers != NULL ? rd_kafka_headers_copy(e->headers) : rd_kafka_headers_new(12);
    CLEANUP(memory_free_pointer) char *id = slice_to_string(e->id);
    add_header(headers, "function", cause->function);
    add_header(headers, "reason", cause->reason);
    add_header(headers, "message", cause->message);
    if (cause->status != 0) {
        add_number(headers, "status", cause->status);
    } else {
        (void)rd_kafka_header_remove(headers, HEADER_PREFIX "status");
    }
    add_number(headers, "attempts", cause->attempts);
    add_header(headers, "topic", e->partition->topic);
    add_number(headers, "partition", e->partition->number);
    add_number(headers, "offset", e->offset);
    add_number(headers, "timestamp", e->timestamp_ms);
    add_header(headers, "event_id", id);
    add_number(headers, "failed_at", clock_wall_us() / CLOCK_US_PER_MS);
    return headers;
}

void dead_letter_put(struct dead_letter *d, struct event *e, const struct dead_letter_cause *cause,
                     dead_letter_on_stored on_stored, void *self)
{
    struct letter *l = memory_zeroed(1, sizeof(*l));
    *l = (struct letter){.event = e, .on_stored = on_stored, .self = self};
    l->number = d->letter_count++;
    l->topic = get_topic(d, cause->topic);
    l->headers = make_headers(e, cause);
    DL_APPEND(d->waiting, l);
    (void)uv_idle_start(&d->idle, on_idle);  // all dead events of a turn go together
}

struct dead_letter *dead_letter_new(uv_loop_t *loop, const struct settings *settings)
{
    static const char *const extra[] = {"client.id", "millrace-dead-letter", "message.max.bytes",
                                        RECORD_BYTES_MAX, NULL};
    struct dead_letter *d = memory_zeroed(1, sizeof(*d));
    d->producer = (struct kafka_producer){
        .loop = loop, .settings = settings, .extra = extra, .on_reports = on_ready, .self = d};
    d->pause = no_pause();
    (void)uv_timer_init(loop, &d->timer);
    (void)uv_idle_init(loop, &d->idle);
    d->timer.data = d->idle.data = d;
    d->open_handles = 2;
    return d;
}

static void on_closed(uv_handle_t *handle)
{
    struct dead_letter *d = handle->data;
    if (--d->open_handles == 0) {
        free(d);
    }
}

void dead_letter_free(struct dead_letter *d)
{
    if (d == NULL) {
        return;
    }
    DL_CONCAT(d->waiting, d->sent);
    struct letter *l;
    struct letter *next;
    DL_FOREACH_SAFE (d->waiting, l, next) {
        free_letter(l);
    }
    struct letter_topic *topic;
    struct letter_topic *next_topic;
    LL_FOREACH_SAFE (d->topics, topic, next_topic) {
        free(topic->name);
        free(topic);
    }
    kafka_producer_close(&d->producer);
    uv_close((uv_handle_t *)&d->timer, on_closed);
    uv_close((uv_handle_t *)&d->idle, on_closed);
}

#include "bridge/dead_letter.h"

#include <inttypes.h>
#include <stdio.h>
#include <utlist.h>

#include "bridge/partition.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "core/kafka_client.h"
#include "core/log.h"

#define HEADER_PREFIX "millrace.dlq."

/** One event on its way. */
struct letter {
    struct letter *next;
    struct letter *prev;
    struct event *event;
    char *topic;
    rd_kafka_headers_t *headers;
    dead_letter_on_stored on_stored;
    void *self;
};

/** A dead-letter topic is made once a process. */
struct letter_topic {
    struct letter_topic *next;
    char *name;
    bool is_there;
    bool is_asked;
    struct dead_letter *owner;
};

struct dead_letter {
    uv_loop_t *loop;
    const struct settings *settings;
    rd_kafka_t *rk;  // NULL until the first dead event
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    struct kafka_admin *admin;
    struct letter *waiting;  // not handed to the producer, in order
    struct letter *sent;     // handed over and not reported
    struct letter_topic *topics;
    struct backoff backoff;
    uv_timer_t timer;
    uv_idle_t idle;
    int open_handles;
};

static void pump(struct dead_letter *d);

static void free_letter(struct letter *l)
{
    if (l->headers != NULL) {
        rd_kafka_headers_destroy(l->headers);
    }
    free(l->topic);
    free(l);
}

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

/** Nothing is given up: what failed is tried again, and the offsets wait. */
static void try_again_later(struct dead_letter *d, const char *what, const char *why)
{
    if (d->backoff.failures == 0) {
        log_error("bridge", "dead_letter_failed", NULL, "%s: %s; the events wait and are tried again", what,
                  why);
    }
    if (!uv_is_active((uv_handle_t *)&d->timer)) {
        uint64_t wait_ms = (uint64_t)(backoff_next_us(&d->backoff) / CLOCK_US_PER_MS);
        (void)uv_timer_start(&d->timer, on_timer, wait_ms, 0);
    }
}

static void on_report(struct dead_letter *d, const rd_kafka_message_t *message)
{
    struct letter *l = message->_private;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        DL_DELETE(d->sent, l);
        DL_PREPEND(d->waiting, l);
        try_again_later(d, l->topic, rd_kafka_err2str(message->err));
        return;
    }
    backoff_reset(&d->backoff);
    DL_DELETE(d->sent, l);
    l->on_stored(l->self, l->event);
    free_letter(l);
}

static void on_ready(void *self)
{
    struct dead_letter *d = self;
    for (rd_kafka_event_t *event; (event = rd_kafka_queue_poll(d->queue, 0)) != NULL;) {
        const rd_kafka_message_t *message;
        while (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR &&
               (message = rd_kafka_event_message_next(event)) != NULL) {
            on_report(d, message);
        }
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
            log_warn("bridge", "dead_letter_error", NULL, "%s", rd_kafka_event_error_string(event));
        }
        rd_kafka_event_destroy(event);
    }
    pump(d);
}

static bool make_producer(struct dead_letter *d, struct fault *f)
{
    if (d->rk != NULL) {
        return true;
    }
    const char *extra[] = {"client.id", "millrace-dead-letter", "message.max.bytes", "100000000", NULL};
    rd_kafka_conf_t *conf;
    if (!kafka_client_conf(d->settings, KAFKA_PRODUCER, extra, &conf, f)) {
        return false;
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    if (!kafka_client_open(conf, KAFKA_PRODUCER, &d->rk, f)) {
        return false;
    }
    d->queue = rd_kafka_queue_get_main(d->rk);
    d->watch = kafka_watch_start(d->loop, d->queue, on_ready, d);
    d->admin = kafka_admin_start(d->loop, d->rk);
    return true;
}

static void on_topic(void *self, const struct fault *f)
{
    struct letter_topic *topic = self;
    topic->is_asked = false;
    if (f == NULL) {
        topic->is_there = true;
        pump(topic->owner);
    } else {
        try_again_later(topic->owner, topic->name, f->text);
    }
}

/** Whether the topic is known to be there; asks for it otherwise. Dead letters are kept for ever. */
static bool has_topic(struct dead_letter *d, const char *name)
{
    struct letter_topic *topic;
    LL_FOREACH (d->topics, topic) {
        if (strcmp(topic->name, name) == 0) {
            break;
        }
    }
    if (topic == NULL) {
        topic = memory_zeroed(1, sizeof(*topic));
        topic->name = memory_string(name);
        topic->owner = d;
        LL_PREPEND(d->topics, topic);
    }
    if (!topic->is_there && !topic->is_asked) {
        struct text_pair forever = {.key = (char[]){"retention.ms"}, .value = (char[]){"-1"}};
        struct text_pairs config = {&forever, 1};
        topic->is_asked = true;
        kafka_admin_ensure_topic(d->admin, &(struct kafka_topic_spec){.name = name, .config = &config},
                                 on_topic, topic);
    }
    return topic->is_there;
}

/** Hands one letter to librdkafka, which copies it. */
static rd_kafka_resp_err_t produce(struct dead_letter *d, struct letter *l)
{
    const struct event *e = l->event;
    rd_kafka_headers_t *headers = rd_kafka_headers_copy(l->headers);
    rd_kafka_vu_t fields[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = l->topic},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {e->has_key ? (void *)(uintptr_t)e->key.data : NULL, e->key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)e->value.data, e->value.size}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = l},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(d->rk, fields, COUNT_OF(fields));
    if (error == NULL) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
    return code;
}

/** Sends what waits, as far as the producer's queue takes it. */
static void pump(struct dead_letter *d)
{
    struct fault f;
    if (d->waiting == NULL) {
        return;
    }
    if (!make_producer(d, &f)) {
        try_again_later(d, "dead letters", f.text);
        return;
    }
    struct letter *l;
    struct letter *next;
    DL_FOREACH_SAFE (d->waiting, l, next) {
        if (!has_topic(d, l->topic)) {
            continue;
        }
        rd_kafka_resp_err_t code = produce(d, l);
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            return;  // its delivery reports bring us back
        }
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            try_again_later(d, l->topic, rd_kafka_err2str(code));
            return;
        }
        DL_DELETE(d->waiting, l);
        DL_APPEND(d->sent, l);
    }
}

static void on_idle(uv_idle_t *idle)
{
    struct dead_letter *d = idle->data;
    (void)uv_idle_stop(idle);
    if (!uv_is_active((uv_handle_t *)&d->timer)) {
        pump(d);
    }
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
    l->topic = memory_string(cause->topic);
    l->headers = make_headers(e, cause);
    DL_APPEND(d->waiting, l);
    (void)uv_idle_start(&d->idle, on_idle);  // all dead events of a turn go together
}

struct dead_letter *dead_letter_new(uv_loop_t *loop, const struct settings *settings)
{
    struct dead_letter *d = memory_zeroed(1, sizeof(*d));
    d->loop = loop;
    d->settings = settings;
    d->backoff = backoff_make(500 * CLOCK_US_PER_MS, 30 * CLOCK_US_PER_S);
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
    if (d->rk != NULL) {
        kafka_admin_stop(d->admin);
        kafka_watch_stop(d->watch);
        rd_kafka_queue_destroy(d->queue);
        (void)rd_kafka_purge(d->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(d->rk);
    }
    uv_close((uv_handle_t *)&d->timer, on_closed);
    uv_close((uv_handle_t *)&d->idle, on_closed);
}

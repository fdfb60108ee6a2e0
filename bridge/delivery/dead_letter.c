#include "bridge/delivery/dead_letter.h"

#include <utlist.h>

#include "bridge/delivery/dead_letter_record.h"

#include "bridge/intake/partition.h"
#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/kafka/kafka_producer.h"

#define LOG_AGAIN_US (30 * CLOCK_US_PER_S)

// The producer's message.max.bytes and the topics' max.message.bytes: any record of a source topic fits.
#define RECORD_BYTES_MAX "100000000"

/** The pause after a failure of a topic or of the producer. */
struct dead_letter_pause {
    struct backoff backoff;
    int64_t due_us;     // nothing is sent before this time
    int64_t logged_us;  // when the failure was logged last; 0: not yet
    char *why;          // NULL: none since the last success
};

/** A dead-letter topic; each process makes sure once that it exists. */
struct dead_letter_topic {
    struct dead_letter_topic *next;
    char *name;
    bool exists;
    bool is_requested;
    bool has_default_size;  // the broker refused RECORD_BYTES_MAX: the topic has the broker's default
    struct dead_letter_pause pause;
    struct dead_letter *owner;
};

struct dead_letter {
    struct kafka_producer producer;      // opened at the first dead letter
    struct dead_letter_record *waiting;  // not handed to the producer yet, in order
    struct dead_letter_record *sent;     // handed over and not reported
    struct dead_letter_record *alone;    // the suspect that is sent: no other record may share its batch
    uint64_t record_count;
    struct dead_letter_topic *topics;
    struct dead_letter_pause pause;  // of the producer
    uv_timer_t timer;
    uv_idle_t idle;
    int open_handles;
};

static void pump(struct dead_letter *d);

static struct dead_letter_pause initial_pause(void)
{
    return (struct dead_letter_pause){.backoff = backoff_make(500 * CLOCK_US_PER_MS, 30 * CLOCK_US_PER_S)};
}

static void on_idle(uv_idle_t *idle)
{
    (void)uv_idle_stop(idle);
    pump(idle->data);
}

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

/** Starts a pause after a failure. Failures during a pause count as one. */
static void wait_after(struct dead_letter_pause *pause, const char *what, const char *why)
{
    int64_t now_us = clock_now_us();
    if (pause->due_us > now_us) {
        return;
    }
    free(pause->why);
    pause->why = memory_format("dead letters wait: %s: %s", what, why);
    if (pause->logged_us == 0 || now_us - pause->logged_us >= LOG_AGAIN_US) {
        pause->logged_us = now_us;
        log_error("bridge", "dead_letter_failed", NULL, "%s: %s; the events wait and are retried", what, why);
    }
    pause->due_us = now_us + backoff_next_us(&pause->backoff);
}

static void end_pauses(struct dead_letter_pause *pause)
{
    backoff_reset(&pause->backoff);
    free(TAKE(pause->why));
}

/** Starts the timer for the end of the first pause. */
static void wake_when_due(struct dead_letter *d, int64_t now_us)
{
    int64_t due_us = d->pause.due_us > now_us ? d->pause.due_us : INT64_MAX;
    struct dead_letter_topic *topic;
    LL_FOREACH (d->topics, topic) {
        int64_t topic_us = topic->pause.due_us;
        due_us = topic_us > now_us && topic_us < due_us ? topic_us : due_us;
    }
    if (due_us != INT64_MAX) {
        (void)uv_timer_start(&d->timer, on_timer, (uint64_t)((due_us - now_us) / CLOCK_US_PER_MS) + 1, 0);
    }
}

static void move(struct dead_letter_record *r, struct dead_letter_record **from,
                 struct dead_letter_record **to)
{
    INVARIANT(*from != NULL);
    DL_DELETE(*from, r);
    DL_APPEND(*to, r);
}

/** Moves records back to `waiting`, in order of their numbers. */
static void put_back(struct dead_letter *d, struct dead_letter_record **records)
{
    struct dead_letter_record *at = d->waiting;
    uint64_t number = 0;
    for (struct dead_letter_record *r; (r = *records) != NULL;) {
        at = r->number < number ? d->waiting : at;
        number = r->number;
        while (at != NULL && at->number < number) {
            at = at->next;
        }
        DL_DELETE(*records, r);
        if (at == NULL) {
            DL_APPEND(d->waiting, r);
        } else {
            DL_PREPEND_ELEM(d->waiting, at, r);
        }
    }
}

/** The broker refused the record, or the batch that it was in, as too large: send it alone, then with less in
 * it. */
static void note_too_large(struct dead_letter_record *r, bool was_alone)
{
    if (!was_alone) {
        r->is_suspect = true;
    } else if (dead_letter_record_shrink(r)) {
        log_warn("bridge", "dead_letter_shrunk",
                 LOG_WITH(LOG_TEXT("topic", r->topic->name), LOG_TEXT("from", r->partition->topic),
                          LOG_NUMBER("partition", r->partition->number),
                          LOG_NUMBER("offset", r->item->record->offset)),
                 "too large for its dead-letter topic: its %s left out",
                 r->form == DEAD_LETTER_WITHOUT_VALUE     ? "value is"
                 : r->form == DEAD_LETTER_WITHOUT_HEADERS ? "headers are"
                                                          : "key is");
    } else {
        wait_after(&r->topic->pause, r->topic->name, "it refuses even a record without key and value");
    }
}

/** A topic that was deleted is made again. */
static void note_failure(struct dead_letter_topic *topic, rd_kafka_resp_err_t code)
{
    topic->exists = topic->exists && code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART &&
                    code != RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC && code != RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    wait_after(&topic->pause, topic->name, rd_kafka_err2str(code));
}

static void on_report(struct dead_letter *d, const rd_kafka_message_t *message,
                      struct dead_letter_record **failed)
{
    struct dead_letter_record *r = message->_private;
    bool was_alone = d->alone == r;
    d->alone = was_alone ? NULL : d->alone;
    INVARIANT(d->sent != NULL);
    if (r->item == NULL) {
        DL_DELETE(d->sent, r);
        dead_letter_record_free(r);
    } else if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        move(r, &d->sent, failed);
        note_too_large(r, was_alone);
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        move(r, &d->sent, failed);
        note_failure(r->topic, message->err);
    } else {
        end_pauses(&r->topic->pause);
        end_pauses(&d->pause);
        DL_DELETE(d->sent, r);
        r->item->letter.topic = progress_letter_topic(rd_kafka_topic_name(message->rkt));
        r->item->letter.partition = message->partition;
        r->item->letter.offset = message->offset;
        r->on_stored(r->self, r->item);
        dead_letter_record_free(r);
    }
}

/** Closes the producer. Its unreported records are sent again by the next one, after a pause. */
static void replace_producer(struct dead_letter *d, const char *why)
{
    kafka_producer_discard(&d->producer);
    struct dead_letter_record *r;
    struct dead_letter_record *next;
    DL_FOREACH_SAFE (d->sent, r, next) {
        if (r->item == NULL) {
            DL_DELETE(d->sent, r);
            dead_letter_record_free(r);
        }
    }
    d->alone = NULL;
    put_back(d, &d->sent);
    struct dead_letter_topic *topic;
    LL_FOREACH (d->topics, topic) {
        topic->is_requested = false;
    }
    wait_after(&d->pause, "a new producer is needed", why);
}

static void on_ready(void *self)
{
    struct dead_letter *d = self;
    struct dead_letter_record *failed = NULL;
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
    struct dead_letter_topic *topic = self;
    topic->is_requested = false;
    topic->exists = f == NULL;
    if (f != NULL && f->kind == FAULT_CONFIG && !topic->has_default_size) {
        topic->has_default_size = true;  // the broker may have a lower limit
    } else if (f != NULL) {
        wait_after(&topic->pause, topic->name, f->text);
    }
    pump(topic->owner);
}

static struct dead_letter_topic *get_topic(struct dead_letter *d, const char *name)
{
    struct dead_letter_topic *topic;
    LL_FOREACH (d->topics, topic) {
        if (strcmp(topic->name, name) == 0) {
            return topic;
        }
    }
    topic = memory_zeroed(1, sizeof(*topic));
    topic->name = memory_string(name);
    topic->owner = d;
    topic->pause = initial_pause();
    LL_PREPEND(d->topics, topic);
    return topic;
}

/** Makes the topic, unless that is in progress. Dead letters are kept for ever. */
static void make_topic(struct dead_letter *d, struct dead_letter_topic *topic)
{
    if (topic->is_requested) {
        return;
    }
    CLEANUP(text_pairs_clear) struct text_pairs config = {0};
    text_pairs_set(&config, "retention.ms", "-1");
    if (!topic->has_default_size) {
        text_pairs_set(&config, "max.message.bytes", RECORD_BYTES_MAX);
    }
    topic->is_requested = true;
    kafka_admin_ensure_topic(d->producer.admin,
                             &(struct kafka_topic_spec){.name = topic->name, .config = &config}, on_topic,
                             topic);
}

/** False only when the producer's queue is full; other errors pause this topic. */
static bool send_one(struct dead_letter *d, struct dead_letter_record *r)
{
    rd_kafka_resp_err_t code = dead_letter_record_produce(r, d->producer.rk, r->topic->name);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return false;
    }
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {  // over the producer's limit
        note_too_large(r, true);
        (void)uv_idle_start(&d->idle, on_idle);
        return true;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        note_failure(r->topic, code);
        return true;
    }
    move(r, &d->waiting, &d->sent);
    d->alone = r->is_suspect ? r : NULL;
    return true;
}

/** Sends the waiting records that may be sent now, until the producer's queue is full. */
static void pump(struct dead_letter *d)
{
    struct fault f;
    int64_t now_us = clock_now_us();
    if (d->waiting != NULL && d->pause.due_us <= now_us && !kafka_producer_open(&d->producer, &f)) {
        wait_after(&d->pause, "dead letters", f.text);
    }
    struct dead_letter_record *r = d->pause.due_us <= now_us ? d->waiting : NULL;
    for (struct dead_letter_record *next; r != NULL; r = next) {
        next = r->next;
        if (r->topic->pause.due_us > now_us) {
            continue;
        }
        if (d->alone != NULL || (r->is_suspect && d->sent != NULL)) {
            break;  // a suspect is sent alone; the next delivery report calls the pump
        }
        if (!r->topic->exists) {
            make_topic(d, r->topic);
        } else if (!send_one(d, r)) {
            break;  // the next delivery report calls the pump
        }
    }
    wake_when_due(d, now_us);
}

void dead_letter_write(struct dead_letter *d, struct work_item *item, const struct dead_letter_cause *cause,
                       dead_letter_on_stored on_stored, void *self)
{
    struct dead_letter_record *r = dead_letter_record_new(item, cause);
    r->on_stored = on_stored;
    r->self = self;
    r->number = d->record_count++;
    r->topic = get_topic(d, cause->topic);
    DL_APPEND(d->waiting, r);
    (void)uv_idle_start(&d->idle, on_idle);  // records of one loop iteration go together
}

const char *dead_letter_trouble(const struct dead_letter *d, const void *self)
{
    const struct dead_letter_record *lists[] = {d->waiting, d->sent};
    const struct dead_letter_record *r;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        DL_FOREACH (lists[i], r) {
            const char *why = d->pause.why != NULL ? d->pause.why : r->topic->pause.why;
            if (r->self == self && why != NULL) {
                return why;
            }
        }
    }
    return NULL;
}

void dead_letter_redirect(struct dead_letter *d, const void *self, const char *topic)
{
    struct dead_letter_record *lists[] = {d->waiting, d->sent};
    struct dead_letter_record *r;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        DL_FOREACH (lists[i], r) {
            r->topic = r->self == self ? get_topic(d, topic) : r->topic;
        }
    }
    (void)uv_idle_start(&d->idle, on_idle);
}

void dead_letter_give_up(struct dead_letter *d, void *self, int64_t wait_us,
                         dead_letter_on_stored on_given_up)
{
    int64_t until_us = clock_now_us() - wait_us;
    struct dead_letter_record **lists[] = {&d->waiting, &d->sent};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct dead_letter_record *r;
        struct dead_letter_record *next;
        DL_FOREACH_SAFE (*lists[i], r, next) {
            if (r->self != self || r->item == NULL || r->arrived_us > until_us ||
                r->partition->state == PARTITION_ASSIGNED) {
                continue;
            }
            struct work_item *item = TAKE(r->item);
            if (lists[i] == &d->waiting) {
                DL_DELETE(d->waiting, r);
                dead_letter_record_free(r);
            }
            on_given_up(self, item);
        }
    }
}

struct dead_letter *dead_letter_new(uv_loop_t *loop, const struct settings *settings)
{
    static const char *const extra[] = {"client.id", "millrace-dead-letter", "message.max.bytes",
                                        RECORD_BYTES_MAX, NULL};
    struct dead_letter *d = memory_zeroed(1, sizeof(*d));
    d->producer = (struct kafka_producer){
        .loop = loop, .settings = settings, .extra = extra, .on_reports = on_ready, .self = d};
    d->pause = initial_pause();
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
    struct dead_letter_record *r;
    struct dead_letter_record *next;
    DL_FOREACH_SAFE (d->waiting, r, next) {
        dead_letter_record_free(r);
    }
    struct dead_letter_topic *topic;
    struct dead_letter_topic *next_topic;
    LL_FOREACH_SAFE (d->topics, topic, next_topic) {
        free(topic->name);
        free(topic->pause.why);
        free(topic);
    }
    kafka_producer_close(&d->producer);
    free(TAKE(d->pause.why));
    uv_close((uv_handle_t *)&d->timer, on_closed);
    uv_close((uv_handle_t *)&d->idle, on_closed);
}

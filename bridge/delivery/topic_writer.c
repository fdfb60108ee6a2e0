#include "bridge/delivery/topic_writer.h"

#include <utlist.h>

#include "bridge/delivery/topic_record.h"
#include "bridge/delivery/writer_pause.h"
#include "bridge/intake/partition.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/kafka/kafka_producer.h"

/** A topic that is written to; each process makes sure once that it exists. */
struct writer_topic {
    struct writer_topic *next;
    const struct topic_record_type *type;  // of its first record
    char *name;
    bool exists;
    bool is_requested;
    bool has_default_size;  // the broker refused TOPIC_WRITER_BYTES_MAX: the topic has the broker's default
    struct writer_pause pause;
    struct topic_writer *owner;
};

struct topic_writer {
    struct kafka_producer producer;  // opened at the first record
    struct topic_record *waiting;    // not handed to the producer yet, in order
    struct topic_record *sent;       // handed over and not reported
    struct topic_record *alone;      // the suspect that is sent: no other record may share its batch
    uint64_t record_count;
    struct writer_topic *topics;
    struct writer_pause pause;  // of the producer
    uv_timer_t timer;
    uv_idle_t idle;
    int open_handles;
};

static void pump(struct topic_writer *w);

static void on_idle(uv_idle_t *idle)
{
    (void)uv_idle_stop(idle);
    pump(idle->data);
}

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

/** Starts the timer for the end of the first pause. */
static void wake_when_due(struct topic_writer *w, int64_t now_us)
{
    int64_t due_us = w->pause.due_us > now_us ? w->pause.due_us : INT64_MAX;
    struct writer_topic *topic;
    LL_FOREACH (w->topics, topic) {
        int64_t topic_us = topic->pause.due_us;
        due_us = topic_us > now_us && topic_us < due_us ? topic_us : due_us;
    }
    if (due_us != INT64_MAX) {
        (void)uv_timer_start(&w->timer, on_timer, (uint64_t)((due_us - now_us) / CLOCK_US_PER_MS) + 1, 0);
    }
}

static void take_out(struct topic_record *r, struct topic_record **list)
{
    INVARIANT(*list != NULL && r->prev != NULL);
    DL_DELETE(*list, r);
}

static void move(struct topic_record *r, struct topic_record **from, struct topic_record **to)
{
    take_out(r, from);
    DL_APPEND(*to, r);
}

/** Moves records back to `waiting`, in order of their numbers. */
static void put_back(struct topic_writer *w, struct topic_record **records)
{
    struct topic_record *at = w->waiting;
    uint64_t number = 0;
    for (struct topic_record *r; (r = *records) != NULL;) {
        at = r->number < number ? w->waiting : at;
        number = r->number;
        while (at != NULL && at->number < number) {
            at = at->next;
        }
        DL_DELETE(*records, r);
        if (at == NULL) {
            DL_APPEND(w->waiting, r);
        } else {
            DL_PREPEND_ELEM(w->waiting, at, r);
        }
    }
}

/** The broker refused the record, or the batch that it was in, as too large: it is sent alone, then with less
 * in it, until its type gives up. `list` has it. */
static void note_too_large(struct topic_record *r, bool was_alone, struct topic_record **list)
{
    if (!was_alone) {
        r->is_suspect = true;
    } else if (r->type->shrink != NULL && r->type->shrink(r)) {
        return;
    } else if (r->type->refused != NULL) {
        take_out(r, list);
        r->type->refused(r);
        topic_record_free(r);
    } else {
        writer_pause_begin(&r->topic->pause, r->type, r->topic->name,
                           "it refuses even a record without key and value");
    }
}

/** A topic that was deleted is made again. */
static void note_failure(struct writer_topic *topic, rd_kafka_resp_err_t code)
{
    topic->exists = topic->exists && code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART &&
                    code != RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC && code != RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    writer_pause_begin(&topic->pause, topic->type, topic->name, rd_kafka_err2str(code));
}

static void on_report(struct topic_writer *w, const rd_kafka_message_t *message, struct topic_record **failed)
{
    struct topic_record *r = message->_private;
    bool was_alone = w->alone == r;
    w->alone = was_alone ? NULL : w->alone;
    if (r->item == NULL) {
        take_out(r, &w->sent);
        topic_record_free(r);
    } else if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        move(r, &w->sent, failed);
        note_too_large(r, was_alone, failed);
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        move(r, &w->sent, failed);
        note_failure(r->topic, message->err);
    } else {
        writer_pause_end(&r->topic->pause);
        writer_pause_end(&w->pause);
        take_out(r, &w->sent);
        const struct topic_place place = {rd_kafka_topic_name(message->rkt), message->partition,
                                          message->offset};
        r->type->stored(r, &place);
        topic_record_free(r);
    }
}

/** Closes the producer. Its unreported records are sent again by the next one, after a pause. */
static void replace_producer(struct topic_writer *w, const char *why)
{
    kafka_producer_discard(&w->producer);
    struct topic_record *r;
    struct topic_record *next;
    DL_FOREACH_SAFE (w->sent, r, next) {
        if (r->item == NULL) {
            take_out(r, &w->sent);
            topic_record_free(r);
        }
    }
    w->alone = NULL;
    put_back(w, &w->sent);
    struct writer_topic *topic;
    LL_FOREACH (w->topics, topic) {
        topic->is_requested = false;
    }
    if (w->waiting != NULL) {
        writer_pause_begin(&w->pause, w->waiting->type, "a new producer is needed", why);
    }
}

static void on_ready(void *self)
{
    struct topic_writer *w = self;
    struct topic_record *failed = NULL;
    char why[256];
    for (rd_kafka_event_t *event; (event = rd_kafka_queue_poll(w->producer.reports, 0)) != NULL;) {
        const rd_kafka_message_t *message;
        while (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR &&
               (message = rd_kafka_event_message_next(event)) != NULL) {
            on_report(w, message, &failed);
        }
        rd_kafka_event_destroy(event);
    }
    put_back(w, &failed);
    if (kafka_producer_is_broken(&w->producer, why, sizeof(why))) {
        replace_producer(w, why);
    }
    pump(w);
}

static void on_topic(void *self, const struct fault *f)
{
    struct writer_topic *topic = self;
    topic->is_requested = false;
    topic->exists = f == NULL;
    if (f != NULL && f->kind == FAULT_CONFIG && topic->type->is_large && !topic->has_default_size) {
        topic->has_default_size = true;  // the broker may have a lower limit
    } else if (f != NULL) {
        writer_pause_begin(&topic->pause, topic->type, topic->name, f->text);
    }
    pump(topic->owner);
}

static struct writer_topic *get_topic(struct topic_writer *w, const struct topic_record_type *type,
                                      const char *name)
{
    struct writer_topic *topic;
    LL_FOREACH (w->topics, topic) {
        if (strcmp(topic->name, name) == 0) {
            return topic;
        }
    }
    topic = memory_zeroed(1, sizeof(*topic));
    topic->type = type;
    topic->name = memory_string(name);
    topic->owner = w;
    topic->pause = writer_pause_initial();
    LL_PREPEND(w->topics, topic);
    return topic;
}

/** Makes the topic, unless that is in progress. */
static void make_topic(struct topic_writer *w, struct writer_topic *topic)
{
    if (topic->is_requested) {
        return;
    }
    CLEANUP(text_pairs_clear) struct text_pairs config = {0};
    if (topic->type->retention != NULL) {
        text_pairs_set(&config, "retention.ms", topic->type->retention);
    }
    if (topic->type->is_large && !topic->has_default_size) {
        text_pairs_set(&config, "max.message.bytes", TOPIC_WRITER_BYTES_MAX);
    }
    topic->is_requested = true;
    kafka_admin_ensure_topic(w->producer.admin,
                             &(struct kafka_topic_spec){.name = topic->name, .config = &config}, on_topic,
                             topic);
}

/** False only when the producer's queue is full; other errors pause this topic. */
static bool send_one(struct topic_writer *w, struct topic_record *r)
{
    rd_kafka_resp_err_t code = topic_record_produce(r, w->producer.rk, r->topic->name);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return false;
    }
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {  // over the producer's limit
        note_too_large(r, true, &w->waiting);
        (void)uv_idle_start(&w->idle, on_idle);
        return true;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        note_failure(r->topic, code);
        return true;
    }
    move(r, &w->waiting, &w->sent);
    w->alone = r->is_suspect ? r : NULL;
    return true;
}

/** Sends the waiting records that may be sent now, until the producer's queue is full. */
static void pump(struct topic_writer *w)
{
    struct fault f;
    int64_t now_us = clock_now_us();
    if (w->waiting != NULL && w->pause.due_us <= now_us && !kafka_producer_open(&w->producer, &f)) {
        writer_pause_begin(&w->pause, w->waiting->type, "the producer", f.text);
    }
    struct topic_record *r = w->pause.due_us <= now_us ? w->waiting : NULL;
    for (struct topic_record *next; r != NULL; r = next) {
        next = r->next;
        if (r->topic->pause.due_us > now_us) {
            continue;
        }
        if (w->alone != NULL || (r->is_suspect && w->sent != NULL)) {
            break;  // a suspect is sent alone; the next delivery report calls the pump
        }
        if (!r->topic->exists) {
            make_topic(w, r->topic);
        } else if (!send_one(w, r)) {
            break;  // the next delivery report calls the pump
        }
    }
    wake_when_due(w, now_us);
}

void topic_writer_put(struct topic_writer *w, struct topic_record *r, const char *topic)
{
    r->partition = r->item->partition;
    r->number = w->record_count++;
    r->arrived_us = clock_now_us();
    r->topic = get_topic(w, r->type, topic);
    DL_APPEND(w->waiting, r);
    (void)uv_idle_start(&w->idle, on_idle);  // records of one loop iteration go together
}

void topic_writer_prepare(struct topic_writer *w, const struct topic_record_type *type, const char *topic)
{
    struct fault f;
    struct writer_topic *t = get_topic(w, type, topic);
    if (!t->exists && kafka_producer_open(&w->producer, &f)) {
        make_topic(w, t);
    }
}

const char *topic_writer_trouble(const struct topic_writer *w, const void *self)
{
    const struct topic_record *lists[] = {w->waiting, w->sent};
    const struct topic_record *r;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        DL_FOREACH (lists[i], r) {
            const char *why = w->pause.why != NULL ? w->pause.why : r->topic->pause.why;
            if (r->self == self && why != NULL) {
                return why;
            }
        }
    }
    return NULL;
}

void topic_writer_redirect(struct topic_writer *w, const struct topic_record_type *type, const void *self,
                           const char *topic)
{
    struct topic_record *lists[] = {w->waiting, w->sent};
    struct topic_record *r;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        DL_FOREACH (lists[i], r) {
            r->topic = r->self == self && r->type == type ? get_topic(w, type, topic) : r->topic;
        }
    }
    (void)uv_idle_start(&w->idle, on_idle);
}

void topic_writer_give_up(struct topic_writer *w, const struct topic_record_type *type, void *self,
                          int64_t wait_us, void (*on_given_up)(void *self, struct work_item *item))
{
    int64_t until_us = clock_now_us() - wait_us;
    bool is_all = wait_us == TOPIC_WRITER_ALL;
    struct topic_record **lists[] = {&w->waiting, &w->sent};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct topic_record *r;
        struct topic_record *next;
        DL_FOREACH_SAFE (*lists[i], r, next) {
            if (r->self != self || r->type != type || r->item == NULL ||
                (!is_all && (r->arrived_us > until_us || r->partition->state == PARTITION_ASSIGNED))) {
                continue;
            }
            struct work_item *item = TAKE(r->item);
            if (lists[i] == &w->waiting) {
                take_out(r, &w->waiting);
                topic_record_free(r);
            }
            on_given_up(self, item);
        }
    }
}

struct topic_writer *topic_writer_new(uv_loop_t *loop, const struct settings *settings)
{
    static const char *const extra[] = {"client.id", "millrace-writer", "message.max.bytes",
                                        TOPIC_WRITER_BYTES_MAX, NULL};
    struct topic_writer *w = memory_zeroed(1, sizeof(*w));
    w->producer = (struct kafka_producer){
        .loop = loop, .settings = settings, .extra = extra, .on_reports = on_ready, .self = w};
    w->pause = writer_pause_initial();
    (void)uv_timer_init(loop, &w->timer);
    (void)uv_idle_init(loop, &w->idle);
    w->timer.data = w->idle.data = w;
    w->open_handles = 2;
    return w;
}

static void on_closed(uv_handle_t *handle)
{
    struct topic_writer *w = handle->data;
    if (--w->open_handles == 0) {
        free(w);
    }
}

void topic_writer_free(struct topic_writer *w)
{
    if (w == NULL) {
        return;
    }
    DL_CONCAT(w->waiting, w->sent);
    struct topic_record *r;
    struct topic_record *next;
    DL_FOREACH_SAFE (w->waiting, r, next) {
        topic_record_free(r);
    }
    struct writer_topic *topic;
    struct writer_topic *next_topic;
    LL_FOREACH_SAFE (w->topics, topic, next_topic) {
        free(topic->name);
        free(topic->pause.why);
        free(topic);
    }
    kafka_producer_close(&w->producer);
    free(TAKE(w->pause.why));
    uv_close((uv_handle_t *)&w->timer, on_closed);
    uv_close((uv_handle_t *)&w->idle, on_closed);
}

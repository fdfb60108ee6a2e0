// The topic is made only when reading says that it is not there: asking for one that is costs a round trip to
// the controller, and the reader's own metadata requests must never make it (a broker would give it its
// defaults).
//
// Between rounds nothing is fetched. The end of a round is librdkafka's end-of-partition: with read_committed
// that is the last stable offset of a fetch sent after the round began.
#include "schemas/registry/schema_reader.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/kafka/kafka_client.h"

enum { SCHEMA_READER_PARTITION = 0, SCHEMA_READER_RETRY_MS = 1000, SCHEMA_READER_EVENTS_A_TURN = 256 };

struct schema_reader {
    struct schema_index *index;  // lent
    struct schema_reader_listener listener;
    rd_kafka_t *consumer;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *records;
    struct kafka_watch *watch;
    rd_kafka_t *maker;  // makes the topic; NULL but for that time
    struct kafka_admin *admin;
    rd_kafka_conf_t *maker_conf;
    uv_loop_t *loop;
    uv_timer_t *retry;
    bool is_made;    // the topic exists, as far as we know
    bool is_making;  // the broker has been asked to make it
    bool was_made;   // it has made it; until all brokers know, reading may say that it is missing
    bool is_round;
    bool is_trouble_said;
    struct fault made;  // why the topic could not be made; it may be there all the same
    int64_t next_offset;
    uint64_t round;  // begun last
    uint64_t asked;  // highest number given out
};

static void schema_reader_advance(struct schema_reader *r);

static void schema_reader_on_retry(uv_timer_t *timer)
{
    schema_reader_advance(timer->data);
}

static void schema_reader_retry_later(struct schema_reader *r, const char *why)
{
    if (!r->is_trouble_said) {
        r->is_trouble_said = true;
        log_warn("registry", "registry_waiting", LOG_WITH(LOG_TEXT("topic", SCHEMA_READER_TOPIC)),
                 "waiting for Kafka: %s", why);
    }
    (void)uv_timer_start(r->retry, schema_reader_on_retry, SCHEMA_READER_RETRY_MS, 0);
}

static void schema_reader_on_made(void *self, const struct fault *f)
{
    struct schema_reader *r = self;
    r->is_making = false;
    r->made = f != NULL ? *f : (struct fault){0};
    if (f != NULL && f->kind != FAULT_CONFIG) {
        schema_reader_retry_later(r, f->text);
        return;
    }
    // Who may not make topics may still read one that is there: the reading will tell.
    r->is_made = true;
    r->was_made = f == NULL;
    schema_reader_advance(r);
}

static void schema_reader_drop_maker(struct schema_reader *r)
{
    kafka_admin_stop(r->admin);
    r->admin = NULL;
    if (r->maker != NULL) {
        rd_kafka_destroy(r->maker);
        r->maker = NULL;
    }
}

static void schema_reader_make_topic(struct schema_reader *r)
{
    struct fault f;
    if (r->maker == NULL) {
        if (!kafka_client_open(rd_kafka_conf_dup(r->maker_conf), KAFKA_PRODUCER, &r->maker, &f)) {
            schema_reader_retry_later(r, f.text);
            return;
        }
        r->admin = kafka_admin_start(r->loop, r->maker);
    }
    struct text_pairs config = {0};
    text_pairs_set(&config, "cleanup.policy", "compact");
    const struct kafka_topic_spec spec = {SCHEMA_READER_TOPIC, 1, 0, &config};
    r->is_making = true;
    kafka_admin_ensure_topic(r->admin, &spec, schema_reader_on_made, r);
    text_pairs_clear(&config);
}

static void schema_reader_advance(struct schema_reader *r)
{
    if (r->is_round || r->round == r->asked) {
        return;
    }
    if (!r->is_made) {
        if (!r->is_making) {
            schema_reader_make_topic(r);
        }
        return;
    }
    if (rd_kafka_consume_start_queue(r->topic, SCHEMA_READER_PARTITION, r->next_offset, r->records) != 0) {
        schema_reader_retry_later(r, rd_kafka_err2str(rd_kafka_last_error()));
        return;
    }
    r->is_round = true;
    r->round = r->asked;
}

static void schema_reader_stop_round(struct schema_reader *r)
{
    (void)rd_kafka_consume_stop(r->topic, SCHEMA_READER_PARTITION);
    r->is_round = false;
}

static void schema_reader_end_round(struct schema_reader *r)
{
    schema_reader_stop_round(r);
    schema_reader_drop_maker(r);
    if (r->is_trouble_said) {
        r->is_trouble_said = false;
        log_info("registry", "registry_reachable", NULL, "topic " SCHEMA_READER_TOPIC " is read again");
    }
    uint64_t round = r->round;
    schema_reader_advance(r);
    r->listener.on_round(r->listener.self, round);
}

static bool schema_reader_is_missing(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

static void schema_reader_on_error(struct schema_reader *r, rd_kafka_resp_err_t code)
{
    if (!r->is_round) {
        return;
    }
    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        schema_reader_end_round(r);
        return;
    }
    schema_reader_stop_round(r);
    r->round = r->asked - 1;  // the round is begun again, and covers what was asked meanwhile
    if (code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        r->next_offset = RD_KAFKA_OFFSET_BEGINNING;  // the topic was made anew: what we know stays known
    }
    bool is_missing = schema_reader_is_missing(code);
    bool is_refused = code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    r->is_made = !is_missing;
    if (is_refused || (is_missing && r->made.kind == FAULT_CONFIG)) {
        struct fault f = r->made;
        if (is_refused) {
            (void)fault_from(&f, FAULT_CONFIG, "librdkafka", code, "topic %s can't be read: %s",
                             SCHEMA_READER_TOPIC, rd_kafka_err2str(code));
        }
        r->round = r->asked;
        r->listener.on_refused(r->listener.self, &f);
        return;
    }
    if (is_missing && !r->was_made) {
        schema_reader_advance(r);
        return;
    }
    schema_reader_retry_later(r, rd_kafka_err2str(code));
}

static void schema_reader_take(struct schema_reader *r, const rd_kafka_message_t *m)
{
    r->next_offset = m->offset + 1;
    struct slice key = slice_make(m->key, m->key != NULL ? m->key_len : 0);
    struct slice value = slice_make(m->payload, m->payload != NULL ? m->len : 0);
    if (!schema_index_apply(r->index, key, value)) {
        log_warn("registry", "registry_record_ignored", LOG_WITH(LOG_NUMBER("offset", m->offset)),
                 "topic " SCHEMA_READER_TOPIC ": this record is not understood");
    }
}

static void schema_reader_on_event(struct schema_reader *r, rd_kafka_event_t *event)
{
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
        schema_reader_on_error(r, rd_kafka_event_error(event));
        return;
    }
    if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_FETCH) {
        return;
    }
    for (const rd_kafka_message_t *m = rd_kafka_event_message_next(event); m != NULL;
         m = rd_kafka_event_message_next(event)) {
        if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            schema_reader_on_error(r, m->err);
        } else {
            schema_reader_take(r, m);
        }
    }
}

static void schema_reader_on_records(void *self)
{
    struct schema_reader *r = self;
    for (int i = 0; i < SCHEMA_READER_EVENTS_A_TURN; i++) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(r->records, 0);
        if (event == NULL) {
            return;
        }
        schema_reader_on_event(r, event);
        rd_kafka_event_destroy(event);
    }
    kafka_watch_again(r->watch);
}

static bool schema_reader_open_client(struct schema_reader *r, const struct settings *settings,
                                      struct fault *f)
{
    static const char *const READING[] = {
        "enable.partition.eof",
        "true",
        "allow.auto.create.topics",
        "false",
        "auto.offset.reset",
        "earliest",
        "fetch.wait.max.ms",
        "10",
        "topic.metadata.propagation.max.ms",
        "0",
        "topic.metadata.refresh.interval.ms",
        "1000",
        NULL,
    };
    rd_kafka_conf_t *conf = NULL;
    return kafka_client_conf(settings, KAFKA_PRODUCER, NULL, &r->maker_conf, f) &&
           kafka_client_conf(settings, KAFKA_CONSUMER, READING, &conf, f) &&
           kafka_client_open(conf, KAFKA_CONSUMER, &r->consumer, f);
}

bool schema_reader_open(uv_loop_t *loop, const struct settings *settings, struct schema_index *index,
                        const struct schema_reader_listener *listener, struct schema_reader **ret,
                        struct fault *f)
{
    struct schema_reader *r = memory_zeroed(1, sizeof *r);
    r->loop = loop;
    r->is_made = true;
    r->index = index;
    r->listener = *listener;
    r->next_offset = RD_KAFKA_OFFSET_BEGINNING;
    r->retry = memory_zeroed(1, sizeof *r->retry);
    (void)uv_timer_init(loop, r->retry);
    r->retry->data = r;
    if (!schema_reader_open_client(r, settings, f)) {
        schema_reader_close(r);
        return fault_context(f, "embedded registry");
    }
    r->topic = rd_kafka_topic_new(r->consumer, SCHEMA_READER_TOPIC, NULL);
    r->records = rd_kafka_queue_new(r->consumer);
    r->watch = kafka_watch_start(loop, r->records, schema_reader_on_records, r);
    *ret = r;
    return true;
}

uint64_t schema_reader_ask(struct schema_reader *r)
{
    if (r->round == r->asked) {
        r->asked++;  // else a round is asked for that has not begun: it covers this question as well
    }
    schema_reader_advance(r);
    return r->asked;
}

static void schema_reader_on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

void schema_reader_close(struct schema_reader *r)
{
    if (r == NULL) {
        return;
    }
    uv_close((uv_handle_t *)r->retry, schema_reader_on_timer_closed);
    schema_reader_drop_maker(r);
    if (r->maker_conf != NULL) {
        rd_kafka_conf_destroy(r->maker_conf);
    }
    kafka_watch_stop(r->watch);
    if (r->is_round) {
        schema_reader_stop_round(r);
    }
    if (r->records != NULL) {
        rd_kafka_queue_destroy(r->records);
    }
    if (r->topic != NULL) {
        rd_kafka_topic_destroy(r->topic);
    }
    if (r->consumer != NULL) {
        rd_kafka_destroy(r->consumer);
    }
    free(r);
}

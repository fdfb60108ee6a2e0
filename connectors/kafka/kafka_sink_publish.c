// A batch of Kafka's holds records of one partition, and each costs the broker and librdkafka a request. When
// a backlog spreads over many topics, records handed on one by one would go out in batches of a few. So they
// wait here, topic by topic, as Nagle's algorithm has it: with nothing unacknowledged, or with few topics,
// they go on at once; else until most of what is under way has been acknowledged. Each round's batches are
// then as large as the time that the broker took for the last one.
#include <utlist.h>

#include "connectors/kafka/kafka_sink_private.h"

enum {
    KAFKA_SINK_TOPICS_FEW = 64,           // so many have large enough batches without waiting
    KAFKA_SINK_ROUND_RATIO = 4,           // a round begins when it is so many times what is under way
    KAFKA_SINK_TOPIC_BYTES = 64 << 10,    // of one topic that wait at most
    KAFKA_SINK_WAITING_BYTES = 16 << 20,  // of all topics
    KAFKA_SINK_TURN_RECORDS = 2048,       // handed on in one turn of the loop
    KAFKA_SINK_KEEP_BYTES = 1 << 10,      // of a topic's buffer, while there are many
};

static enum sink_step kafka_sink_refused(struct kafka_sink *s, rd_kafka_resp_err_t error, const char *topic,
                                         struct fault *f)
{
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        INVARIANT(s->in_flight > s->waiting_records);  // an acknowledgement makes room
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

// Into librdkafka's queue, as a copy. `more` are headers beside the position; NULL for none.
static enum sink_step kafka_sink_hand_on(struct kafka_sink *s, const struct kafka_sink_topic *topic,
                                         const struct gather_record *record, const rd_kafka_headers_t *more,
                                         struct fault *f)
{
    rd_kafka_headers_t *headers = more == NULL ? rd_kafka_headers_new(1) : rd_kafka_headers_copy(more);
    (void)rd_kafka_header_add(headers, "millrace.position", 17, record->position.data,
                              (ssize_t)record->position.size);
    rd_kafka_vu_t arguments[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic->handle},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)record->key.data, record->key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)record->value.data, record->value.size}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)record->ticket},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(s->producer, arguments, COUNT_OF(arguments));
    if (error == NULL) {
        return SINK_TAKEN;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
    return kafka_sink_refused(s, code, topic->name, f);
}

static void kafka_sink_wait(struct kafka_sink *s, struct kafka_sink_topic *topic,
                            const struct gather_record *record)
{
    if (topic->waiting.count == 0) {
        DL_APPEND(s->waiting, topic);
        s->waiting_topics++;
    }
    size_t before = gather_bytes(&topic->waiting);
    gather_put(&topic->waiting, record);
    s->waiting_records++;
    s->waiting_bytes += gather_bytes(&topic->waiting) - before;
}

// Hands on up to *left records of a topic that has some. TAKEN: nothing refused them.
static enum sink_step kafka_sink_flush_topic(struct kafka_sink *s, struct kafka_sink_topic *topic,
                                             size_t *left, struct fault *f)
{
    size_t keep =
        s->waiting_topics <= KAFKA_SINK_TOPICS_FEW ? 2 * KAFKA_SINK_TOPIC_BYTES : KAFKA_SINK_KEEP_BYTES;
    for (; topic->waiting.count > 0 && *left > 0; (*left)--) {
        struct gather_record record = gather_first(&topic->waiting);
        enum sink_step step = kafka_sink_hand_on(s, topic, &record, NULL, f);
        if (step == SINK_TOO_LARGE) {
            // It was measured before it was taken; should librdkafka measure differently, nothing is lost.
            (void)fault_set(f, FAULT_CONFIG, "a record for topic %s is over message.max.bytes", topic->name);
            return SINK_FAULT;
        }
        if (step != SINK_TAKEN) {
            return step;
        }
        size_t before = gather_bytes(&topic->waiting);
        gather_pop(&topic->waiting, keep);
        s->waiting_records--;
        s->waiting_bytes -= before - gather_bytes(&topic->waiting);
    }
    if (topic->waiting.count == 0) {
        DL_DELETE(s->waiting, topic);
        s->waiting_topics--;
    }
    return SINK_TAKEN;
}

static enum sink_step kafka_sink_flush_all(struct kafka_sink *s, struct kafka_sink_topic *topic,
                                           struct fault *f)
{
    size_t all = SIZE_MAX;
    return kafka_sink_flush_topic(s, topic, &all, f);
}

static void kafka_sink_begin_round(struct kafka_sink *s)
{
    size_t under_way = s->in_flight - s->waiting_records;
    bool is_due = s->waiting_topics <= KAFKA_SINK_TOPICS_FEW ||
                  s->waiting_records >= KAFKA_SINK_ROUND_RATIO * under_way ||
                  s->waiting_bytes >= KAFKA_SINK_WAITING_BYTES;
    s->round_left = is_due || s->round_left > s->waiting_records ? s->waiting_records : s->round_left;
}

enum sink_step kafka_sink_flush(struct kafka_sink *s, struct fault *f)
{
    kafka_sink_begin_round(s);
    size_t turn = s->round_left < KAFKA_SINK_TURN_RECORDS ? s->round_left : KAFKA_SINK_TURN_RECORDS;
    size_t left = turn;
    enum sink_step step = SINK_TAKEN;
    s->is_full = false;
    while (step == SINK_TAKEN && left > 0 && s->waiting != NULL) {
        step = kafka_sink_flush_topic(s, s->waiting, &left, f);
    }
    s->round_left -= turn - left;
    if (step == SINK_TAKEN && s->round_left > 0) {
        kafka_watch_again(s->watch);
    }
    return step;
}

// Takes the record to the others of its topic; what has become much goes on at once.
static enum sink_step kafka_sink_gather(struct kafka_sink *s, struct kafka_sink_topic *topic,
                                        const struct gather_record *record, struct fault *f)
{
    kafka_sink_wait(s, topic, record);
    s->in_flight++;
    enum sink_step step = SINK_TAKEN;
    if (gather_bytes(&topic->waiting) >= KAFKA_SINK_TOPIC_BYTES) {
        step = kafka_sink_flush_all(s, topic, f);
    } else if (s->waiting_bytes >= KAFKA_SINK_WAITING_BYTES) {
        step = kafka_sink_flush(s, f);
    }
    return step == SINK_FAULT ? SINK_FAULT : SINK_TAKEN;
}

enum sink_step kafka_sink_publish(struct kafka_sink *s, const struct kafka_sink_record *record,
                                  struct fault *f)
{
    struct kafka_sink_topic *topic = record->topic;
    struct gather_record taken = {record->ticket, record->key, record->value, record->position};
    if (record->key.size + record->value.size > s->message_max_bytes) {
        return SINK_TOO_LARGE;
    }
    enum sink_step step = s->is_full ? SINK_FULL : SINK_TAKEN;
    if (step == SINK_TAKEN && record->headers == NULL) {
        return kafka_sink_gather(s, topic, &taken, f);
    }
    // The rare record with headers of its own does not wait, and does not overtake.
    if (step == SINK_TAKEN && topic->waiting.count > 0) {
        step = kafka_sink_flush_all(s, topic, f);
    }
    if (step == SINK_TAKEN) {
        step = kafka_sink_hand_on(s, topic, &taken, record->headers, f);
        s->in_flight += step == SINK_TAKEN ? 1 : 0;
    }
    s->owes_room = s->owes_room || step == SINK_FULL;
    return step;
}

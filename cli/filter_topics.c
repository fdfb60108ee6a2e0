#include "cli/filter_topics.h"

#include "bridge/intake/record.h"
#include "bridge/jobs/loop_wait.h"
#include "core/base/memory.h"
#include "core/kafka/kafka_client.h"
#include "schemas/avro/framing.h"
#include "schemas/json/json_check.h"
#include "schemas/registry/registry.h"

enum { WAIT_MS = 30000 };  // for a response of Kafka

struct span {
    const char *topic;  // owned by the topic list
    int32_t partition;
    int64_t start;
    int64_t end;  // behind the last record
    bool is_done;
};

struct known_type {
    int32_t id;
    struct avro_type *type;  // NULL: `why`
    char *why;
};

struct reader {
    const struct filter_topics_params *params;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    struct text_list topics;
    rd_kafka_topic_t **handles;  // of the topics
    struct span *spans;
    size_t span_count;
    size_t open_count;  // spans that are still read
    rd_kafka_message_t **messages;
    size_t message_count;
    size_t message_capacity;
    uv_loop_t loop;
    struct registry *registry;
    struct known_type *types;
    size_t type_count;
    bool is_answered;
    struct fault answer;  // of the registry
};

static bool list_topics(struct reader *r, const struct rd_kafka_metadata *metadata, struct fault *f)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (text_list_glob_match(r->params->topics, metadata->topics[i].topic)) {
            text_list_add(&r->topics, metadata->topics[i].topic);
        }
    }
    return r->topics.count > 0 ||
           fault_set(f, FAULT_CONFIG, "no topic on Kafka matches %s", r->params->topics->items[0]);
}

static bool add_span(struct reader *r, const char *topic, int32_t partition, struct fault *f)
{
    int64_t low = 0;
    int64_t high = 0;
    rd_kafka_resp_err_t error =
        rd_kafka_query_watermark_offsets(r->rk, topic, partition, &low, &high, WAIT_MS);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fault_from(f, FAULT_RETRY, "librdkafka", error, "%s/%d: %s", topic, partition,
                          rd_kafka_err2str(error));
    }
    int64_t start = high - low > r->params->last ? high - r->params->last : low;
    r->spans = memory_resize(r->spans, (r->span_count + 1) * sizeof *r->spans);
    r->spans[r->span_count++] = (struct span){topic, partition, start, high, start >= high};
    r->open_count += start < high ? 1 : 0;
    return true;
}

static bool find_spans(struct reader *r, struct fault *f)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = rd_kafka_metadata(r->rk, 1, NULL, &metadata, WAIT_MS);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fault_from(f, FAULT_RETRY, "librdkafka", error,
                          "Kafka does not respond at %s (bootstrap.servers in millrace.yaml): %s",
                          text_pairs_get(&r->params->settings->kafka, "bootstrap.servers"),
                          rd_kafka_err2str(error));
    }
    bool is_good = list_topics(r, metadata, f);
    for (int i = 0; i < metadata->topic_cnt && is_good; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        for (size_t k = 0; k < r->topics.count && is_good; k++) {
            bool is_it = strcmp(r->topics.items[k], topic->topic) == 0;
            for (int32_t p = 0; is_it && p < topic->partition_cnt && is_good; p++) {
                is_good = add_span(r, r->topics.items[k], p, f);
            }
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return is_good;
}

static bool start_reading(struct reader *r, struct fault *f)
{
    r->queue = rd_kafka_queue_new(r->rk);
    r->handles = memory_zeroed(r->span_count + 1, sizeof(rd_kafka_topic_t *));
    for (size_t i = 0; i < r->span_count; i++) {
        const struct span *span = &r->spans[i];
        r->handles[i] = rd_kafka_topic_new(r->rk, span->topic, NULL);
        if (!span->is_done &&
            rd_kafka_consume_start_queue(r->handles[i], span->partition, span->start, r->queue) != 0) {
            return fault_set(f, FAULT_RETRY, "%s/%d can't be read: %s", span->topic, span->partition,
                             rd_kafka_err2str(rd_kafka_last_error()));
        }
    }
    return true;
}

/** The message's span; NULL when it was read to its end. */
static struct span *open_span(struct reader *r, const rd_kafka_message_t *message)
{
    const char *topic = rd_kafka_topic_name(message->rkt);
    for (size_t i = 0; i < r->span_count; i++) {
        struct span *span = &r->spans[i];
        if (!span->is_done && span->partition == message->partition && strcmp(span->topic, topic) == 0) {
            return span;
        }
    }
    return NULL;
}

static void keep(struct reader *r, rd_kafka_message_t *message)
{
    if (r->message_count == r->message_capacity) {
        r->message_capacity = r->message_capacity == 0 ? 128 : r->message_capacity * 2;
        r->messages = memory_resize(r->messages, r->message_capacity * sizeof(rd_kafka_message_t *));
    }
    r->messages[r->message_count++] = message;
}

/** One message, or the end of a partition, whose offset is the one that comes next. */
static bool take(struct reader *r, rd_kafka_message_t *message, struct fault *f)
{
    bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !is_end) {
        (void)fault_set(f, FAULT_RETRY, "reading Kafka: %s", rd_kafka_message_errstr(message));
        rd_kafka_message_destroy(message);
        return false;
    }
    struct span *span = open_span(r, message);
    if (span != NULL && (is_end || message->offset + 1 >= span->end)) {
        span->is_done = true;
        r->open_count--;
    }
    if (is_end || span == NULL || message->offset >= span->end) {
        rd_kafka_message_destroy(message);
    } else {
        keep(r, message);
    }
    return true;
}

static bool read_spans(struct reader *r, struct fault *f)
{
    while (r->open_count > 0) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(r->queue, WAIT_MS);
        if (message == NULL) {
            return fault_set(f, FAULT_RETRY, "Kafka sends no records");
        }
        if (!take(r, message, f)) {
            return false;
        }
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    const rd_kafka_message_t *x = *(rd_kafka_message_t *const *)a;
    const rd_kafka_message_t *y = *(rd_kafka_message_t *const *)b;
    rd_kafka_timestamp_type_t kind;
    int64_t first = rd_kafka_message_timestamp(x, &kind);
    int64_t second = rd_kafka_message_timestamp(y, &kind);
    if (first != second) {
        return first < second ? -1 : 1;
    }
    int names = strcmp(rd_kafka_topic_name(x->rkt), rd_kafka_topic_name(y->rkt));
    if (names != 0 || x->partition != y->partition) {
        return names != 0 ? names : (x->partition < y->partition ? -1 : 1);
    }
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static void on_schema(void *self, struct slice text, const struct fault *f)
{
    struct reader *r = self;
    struct known_type *known = &r->types[r->type_count - 1];
    struct fault bad = {.kind = FAULT_NONE};
    r->is_answered = true;
    r->answer = f == NULL ? (struct fault){.kind = FAULT_NONE} : *f;
    if (f == NULL && !avro_type_parse(text, &known->type, &bad)) {
        known->why = memory_string(bad.text);
    } else if (f != NULL) {
        known->why = memory_string(f->text);
    }
}

static bool is_answered(void *self)
{
    return ((const struct reader *)self)->is_answered;
}

/** Waits for the registry. False: it can't be asked. */
static bool look_up(struct reader *r, int32_t id, struct fault *f)
{
    r->types = memory_resize(r->types, (r->type_count + 1) * sizeof *r->types);
    r->types[r->type_count++] = (struct known_type){.id = id};
    r->is_answered = false;
    registry_lookup(r->registry, id, on_schema, r);
    if (!loop_wait(&r->loop, LOOP_WAIT_MS, is_answered, r)) {
        registry_cancel(r->registry, r);
        return fault_set(f, FAULT_RETRY, "the schema registry does not respond");
    }
    if (r->answer.kind != FAULT_NONE && r->answer.kind != FAULT_REJECT) {
        *f = r->answer;
        return false;
    }
    return true;
}

static bool find_type(struct reader *r, struct slice wire, const struct avro_type **ret, const char **ret_why,
                      struct fault *f)
{
    int32_t id;
    struct slice avro;
    struct fault bad;
    if (!framing_split(wire, &id, &avro, &bad)) {
        *ret_why = "the value is not in the wire format of a schema registry";
        return true;
    }
    size_t i = 0;
    while (i < r->type_count && r->types[i].id != id) {
        i++;
    }
    if (i == r->type_count && !look_up(r, id, f)) {
        return false;
    }
    *ret = r->types[i].type;
    *ret_why = r->types[i].why;
    return true;
}

/** Whether the value is JSON, and the record's header says so. */
static bool is_json(const rd_kafka_message_t *message)
{
    const void *type;
    size_t size;
    rd_kafka_headers_t *headers = NULL;
    return message->payload != NULL &&
           rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           rd_kafka_header_get_last(headers, "content-type", &type, &size) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           record_is_json_type(slice_make(type, size)) &&
           json_check_value(slice_make(message->payload, message->len));
}

static bool give(struct reader *r, const rd_kafka_message_t *message, struct fault *f)
{
    const char *no_key = NULL;
    struct filter_record record = {.message = message, .topic = rd_kafka_topic_name(message->rkt)};
    struct slice key = slice_make(message->key, message->key == NULL ? 0 : message->key_len);
    if (message->payload != NULL &&
        !find_type(r, slice_make(message->payload, message->len), &record.value_type, &record.why, f)) {
        return false;
    }
    record.is_json = record.value_type == NULL && is_json(message);
    bool is_framed = key.size > FRAMING_SIZE && key.data[0] == 0;
    if (is_framed && !find_type(r, key, &record.key_type, &no_key, f)) {
        return false;
    }
    r->params->on_record(r->params->self, &record);
    return true;
}

static bool give_last(struct reader *r, struct fault *f)
{
    size_t wanted = (size_t)r->params->last;
    qsort(r->messages, r->message_count, sizeof(rd_kafka_message_t *), compare);
    for (size_t i = r->message_count > wanted ? r->message_count - wanted : 0; i < r->message_count; i++) {
        if (!give(r, r->messages[i], f)) {
            return false;
        }
    }
    return true;
}

static void close_reader(struct reader *r)
{
    for (size_t i = 0; i < r->message_count; i++) {
        rd_kafka_message_destroy(r->messages[i]);
    }
    for (size_t i = 0; r->handles != NULL && i < r->span_count && r->handles[i] != NULL; i++) {
        (void)rd_kafka_consume_stop(r->handles[i], r->spans[i].partition);
        rd_kafka_topic_destroy(r->handles[i]);
    }
    for (size_t i = 0; i < r->type_count; i++) {
        avro_type_free(r->types[i].type);
        free(r->types[i].why);
    }
    if (r->queue != NULL) {
        rd_kafka_queue_destroy(r->queue);
    }
    if (r->rk != NULL) {
        rd_kafka_destroy(r->rk);
    }
    registry_close(r->registry);
    (void)uv_run(&r->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&r->loop);
    text_list_clear(&r->topics);
    free(r->types);
    free(r->handles);
    free(r->spans);
    free(r->messages);
}

bool filter_topics_read(const struct filter_topics_params *params, struct fault *f)
{
    static const char *const extra[] = {"enable.partition.eof",
                                        "true",
                                        "auto.offset.reset",
                                        "earliest",
                                        "allow.auto.create.topics",
                                        "false",
                                        NULL};
    CLEANUP(close_reader) struct reader r = {.params = params};
    rd_kafka_conf_t *conf = NULL;
    INVARIANT(uv_loop_init(&r.loop) == 0);
    return kafka_client_conf(params->settings, KAFKA_CONSUMER, extra, &conf, f) &&
           kafka_client_open(conf, KAFKA_CONSUMER, &r.rk, f) && find_spans(&r, f) && start_reading(&r, f) &&
           read_spans(&r, f) && registry_open(&r.loop, params->settings, &r.registry, f) && give_last(&r, f);
}

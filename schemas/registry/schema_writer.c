#include "schemas/registry/schema_writer.h"

#include "core/base/memory.h"
#include "core/kafka/kafka_client.h"

enum {
    SCHEMA_WRITER_MEET_MS = 2000,
    SCHEMA_WRITER_BEGIN_MS = 10000,
    SCHEMA_WRITER_COMMIT_MS = 20000,
    SCHEMA_WRITER_FRAME_BYTES = 128,  // that Kafka's formats add to a record, at most
};

enum schema_writer_job { SCHEMA_WRITER_BEGIN, SCHEMA_WRITER_COMMIT, SCHEMA_WRITER_IDLE };

struct schema_writer {
    uv_loop_t *loop;
    char *topic;
    uv_work_t work;
    bool is_working;
    bool is_closed;
    schema_writer_on_done on_done;
    void *self;
    // What the job under way uses; the loop leaves it alone meanwhile.
    enum schema_writer_job job;
    rd_kafka_t *producer;   // NULL: begin makes it
    rd_kafka_conf_t *conf;  // each producer gets a copy
    struct schema_record *records;
    size_t count;
    struct fault result;
};

static void schema_writer_start(struct schema_writer *w, enum schema_writer_job job);

static bool schema_writer_make_conf(const struct settings *settings, rd_kafka_conf_t **ret, struct fault *f)
{
    // message.timeout.ms: a record that can't be delivered must fail within its transaction.
    static const char *const WRITING[] = {
        "transactional.id",
        "millrace.schemas",
        "transaction.timeout.ms",
        "30000",
        "message.timeout.ms",
        "15000",
        "linger.ms",
        "0",
        NULL,
    };
    return kafka_client_conf(settings, KAFKA_TRANSACTIONAL_PRODUCER, WRITING, ret, f);
}

static bool schema_writer_is_refusal(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

// Takes the error over. After any failure the producer is thrown away: the next begin fences what it may have
// left.
static bool schema_writer_check(struct schema_writer *w, const char *what, rd_kafka_error_t *error)
{
    if (error == NULL) {
        return true;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    enum fault_kind kind = schema_writer_is_refusal(code) ? FAULT_CONFIG : FAULT_RETRY;
    (void)fault_from(&w->result, kind, "librdkafka", code, "writing to topic %s: %s: %s", w->topic, what,
                     rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return false;
}

static void schema_writer_drop(struct schema_writer *w)
{
    if (w->producer != NULL) {
        rd_kafka_destroy(w->producer);
        w->producer = NULL;
    }
}

// librdkafka 2.0 asks for a topic that is new to it once a second and not when it is first written to: the
// first commit would wait for that. What goes wrong here comes again in what follows, which says so.
static void schema_writer_meet_topic(const struct schema_writer *w)
{
    const struct rd_kafka_metadata *found = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(w->producer, w->topic, NULL);
    if (topic == NULL) {
        return;
    }
    if (rd_kafka_metadata(w->producer, 0, topic, &found, SCHEMA_WRITER_MEET_MS) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(found);
    }
    rd_kafka_topic_destroy(topic);
}

static bool schema_writer_do_begin(struct schema_writer *w)
{
    if (w->producer != NULL) {
        return true;  // if somebody fenced us since, the commit says so
    }
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(w->conf);
    if (!kafka_client_open(conf, KAFKA_TRANSACTIONAL_PRODUCER, &w->producer, &w->result)) {
        return false;
    }
    schema_writer_meet_topic(w);
    return schema_writer_check(w, "becoming the only writer",
                               rd_kafka_init_transactions(w->producer, SCHEMA_WRITER_BEGIN_MS));
}

static bool schema_writer_do_commit(struct schema_writer *w)
{
    if (!schema_writer_check(w, "begin", rd_kafka_begin_transaction(w->producer))) {
        return false;
    }
    for (size_t i = 0; i < w->count; i++) {
        const struct schema_record *record = &w->records[i];
        const rd_kafka_vu_t parts[] = {
            {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = w->topic},
            {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0},
            {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {record->key.data, record->key.size}},
            {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {record->value.data, record->value.size}},
            {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        };
        if (!schema_writer_check(w, "produce", rd_kafka_produceva(w->producer, parts, COUNT_OF(parts)))) {
            return false;
        }
    }
    return schema_writer_check(w, "commit",
                               rd_kafka_commit_transaction(w->producer, SCHEMA_WRITER_COMMIT_MS));
}

// On a worker thread.
static void schema_writer_work(uv_work_t *work)
{
    struct schema_writer *w = CONTAINER_OF(work, struct schema_writer, work);
    bool is_done = false;
    w->result = (struct fault){0};
    switch (w->job) {
    case SCHEMA_WRITER_BEGIN:
        is_done = schema_writer_do_begin(w);
        break;
    case SCHEMA_WRITER_COMMIT:
        is_done = schema_writer_do_commit(w);
        break;
    case SCHEMA_WRITER_IDLE:
        break;
    }
    if (!is_done) {
        schema_writer_drop(w);
    }
}

static void schema_writer_free_records(struct schema_writer *w)
{
    for (size_t i = 0; i < w->count; i++) {
        bytes_clear(&w->records[i].key);
        bytes_clear(&w->records[i].value);
    }
    free(w->records);
    w->records = NULL;
    w->count = 0;
}

static void schema_writer_free(struct schema_writer *w)
{
    schema_writer_free_records(w);
    if (w->conf != NULL) {
        rd_kafka_conf_destroy(w->conf);
    }
    free(w->topic);
    free(w);
}

static void schema_writer_after(uv_work_t *work, int status)
{
    (void)status;
    struct schema_writer *w = CONTAINER_OF(work, struct schema_writer, work);
    w->is_working = false;
    schema_writer_free_records(w);
    if (w->is_closed) {
        if (w->producer != NULL) {
            schema_writer_start(w, SCHEMA_WRITER_IDLE);
        } else {
            schema_writer_free(w);
        }
        return;
    }
    if (w->job == SCHEMA_WRITER_IDLE) {
        if (w->on_done != NULL) {
            schema_writer_start(w, SCHEMA_WRITER_BEGIN);  // asked for meanwhile
        }
        return;
    }
    schema_writer_on_done on_done = w->on_done;
    if (on_done != NULL) {
        w->on_done = NULL;
        on_done(w->self, w->result.kind != FAULT_NONE ? &w->result : NULL);
    }
}

static void schema_writer_start(struct schema_writer *w, enum schema_writer_job job)
{
    w->job = job;
    w->is_working = true;
    int failed = uv_queue_work(w->loop, &w->work, schema_writer_work, schema_writer_after);
    INVARIANT(failed == 0);
}

size_t schema_writer_record_max_bytes(const struct schema_writer *w)
{
    size_t max_bytes = kafka_client_message_max_bytes(w->conf);
    return max_bytes > SCHEMA_WRITER_FRAME_BYTES ? max_bytes - SCHEMA_WRITER_FRAME_BYTES : 0;
}

bool schema_writer_open(uv_loop_t *loop, const struct settings *settings, const char *topic,
                        struct schema_writer **ret, struct fault *f)
{
    struct schema_writer *w = memory_zeroed(1, sizeof *w);
    w->loop = loop;
    w->topic = memory_string(topic);
    if (!schema_writer_make_conf(settings, &w->conf, f)) {
        schema_writer_free(w);
        return false;
    }
    *ret = w;
    return true;
}

void schema_writer_begin(struct schema_writer *w, schema_writer_on_done on_done, void *self)
{
    bool is_idling = w->is_working && w->job == SCHEMA_WRITER_IDLE;
    INVARIANT((is_idling || !w->is_working) && !w->is_closed);
    w->on_done = on_done;
    w->self = self;
    if (!is_idling) {
        schema_writer_start(w, SCHEMA_WRITER_BEGIN);
    }
}

void schema_writer_commit(struct schema_writer *w, struct schema_record *records, size_t count,
                          schema_writer_on_done on_done, void *self)
{
    INVARIANT(!w->is_working && !w->is_closed && w->producer != NULL);
    w->on_done = on_done;
    w->self = self;
    w->records = records;
    w->count = count;
    schema_writer_start(w, SCHEMA_WRITER_COMMIT);
}

void schema_writer_idle(struct schema_writer *w)
{
    INVARIANT(!w->is_closed);
    if (!w->is_working && w->producer != NULL) {
        w->on_done = NULL;
        schema_writer_start(w, SCHEMA_WRITER_IDLE);
    }
}

void schema_writer_close(struct schema_writer *w)
{
    if (w == NULL) {
        return;
    }
    w->is_closed = true;
    if (w->is_working) {
        return;  // schema_writer_after goes on from here
    }
    if (w->producer != NULL) {
        schema_writer_start(w, SCHEMA_WRITER_IDLE);
    } else {
        schema_writer_free(w);
    }
}

#include "schemas/registry/schema_writer.h"

#include "core/base/memory.h"
#include "core/kafka/kafka_client.h"

enum {
    SCHEMA_WRITER_MEET_MS = 2000,
    SCHEMA_WRITER_BEGIN_MS = 10000,
    SCHEMA_WRITER_COMMIT_MS = 20000,
    SCHEMA_WRITER_FRAME_BYTES = 128,  // upper bound of what Kafka's record format adds
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
    // While is_working, only the worker thread uses these.
    enum schema_writer_job job;
    rd_kafka_t *producer;   // NULL: begin opens one
    rd_kafka_conf_t *conf;  // each producer gets a copy
    struct schema_record *records;
    size_t count;
    struct fault result;
};

static void start_job(struct schema_writer *w, enum schema_writer_job job);

static bool make_conf(const struct settings *settings, rd_kafka_conf_t **ret, struct fault *f)
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

static bool is_refusal(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

// Takes over the error. After a failure the producer is destroyed; the next begin aborts a transaction that
// it may have left open.
static bool check_error(struct schema_writer *w, const char *what, rd_kafka_error_t *error)
{
    if (error == NULL) {
        return true;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    enum fault_kind kind = is_refusal(code) ? FAULT_CONFIG : FAULT_RETRY;
    (void)fault_from(&w->result, kind, "librdkafka", code, "writing to topic %s: %s: %s", w->topic, what,
                     rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return false;
}

static void destroy_producer(struct schema_writer *w)
{
    if (w->producer != NULL) {
        rd_kafka_destroy(w->producer);
        w->producer = NULL;
    }
}

// Fetches the topic's metadata: librdkafka 2.0 requests it for new topics only once a second, so the first
// commit would wait. An error is ignored here, as the calls that follow report it.
static void fetch_metadata(const struct schema_writer *w)
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

static bool do_begin(struct schema_writer *w)
{
    if (w->producer != NULL) {
        return true;  // if another writer has fenced this one since, the commit fails
    }
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(w->conf);
    if (!kafka_client_open(conf, KAFKA_TRANSACTIONAL_PRODUCER, &w->producer, &w->result)) {
        return false;
    }
    fetch_metadata(w);
    return check_error(w, "becoming the only writer",
                       rd_kafka_init_transactions(w->producer, SCHEMA_WRITER_BEGIN_MS));
}

static bool do_commit(struct schema_writer *w)
{
    if (!check_error(w, "begin", rd_kafka_begin_transaction(w->producer))) {
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
        if (!check_error(w, "produce", rd_kafka_produceva(w->producer, parts, COUNT_OF(parts)))) {
            return false;
        }
    }
    return check_error(w, "commit", rd_kafka_commit_transaction(w->producer, SCHEMA_WRITER_COMMIT_MS));
}

// On a worker thread.
static void do_job(uv_work_t *work)
{
    struct schema_writer *w = CONTAINER_OF(work, struct schema_writer, work);
    bool is_done = false;
    w->result = (struct fault){0};
    switch (w->job) {
    case SCHEMA_WRITER_BEGIN:
        is_done = do_begin(w);
        break;
    case SCHEMA_WRITER_COMMIT:
        is_done = do_commit(w);
        break;
    case SCHEMA_WRITER_IDLE:
        break;
    }
    if (!is_done) {
        destroy_producer(w);
    }
}

static void free_records(struct schema_writer *w)
{
    for (size_t i = 0; i < w->count; i++) {
        bytes_clear(&w->records[i].key);
        bytes_clear(&w->records[i].value);
    }
    free(w->records);
    w->records = NULL;
    w->count = 0;
}

static void free_writer(struct schema_writer *w)
{
    free_records(w);
    if (w->conf != NULL) {
        rd_kafka_conf_destroy(w->conf);
    }
    free(w->topic);
    free(w);
}

static void on_job_done(uv_work_t *work, int status)
{
    (void)status;
    struct schema_writer *w = CONTAINER_OF(work, struct schema_writer, work);
    w->is_working = false;
    free_records(w);
    if (w->is_closed) {
        if (w->producer != NULL) {
            start_job(w, SCHEMA_WRITER_IDLE);
        } else {
            free_writer(w);
        }
        return;
    }
    if (w->job == SCHEMA_WRITER_IDLE) {
        if (w->on_done != NULL) {
            start_job(w, SCHEMA_WRITER_BEGIN);  // was requested meanwhile
        }
        return;
    }
    schema_writer_on_done on_done = w->on_done;
    if (on_done != NULL) {
        w->on_done = NULL;
        on_done(w->self, w->result.kind != FAULT_NONE ? &w->result : NULL);
    }
}

static void start_job(struct schema_writer *w, enum schema_writer_job job)
{
    w->job = job;
    w->is_working = true;
    int failed = uv_queue_work(w->loop, &w->work, do_job, on_job_done);
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
    if (!make_conf(settings, &w->conf, f)) {
        free_writer(w);
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
        start_job(w, SCHEMA_WRITER_BEGIN);
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
    start_job(w, SCHEMA_WRITER_COMMIT);
}

void schema_writer_idle(struct schema_writer *w)
{
    INVARIANT(!w->is_closed);
    if (!w->is_working && w->producer != NULL) {
        w->on_done = NULL;
        start_job(w, SCHEMA_WRITER_IDLE);
    }
}

void schema_writer_close(struct schema_writer *w)
{
    if (w == NULL) {
        return;
    }
    w->is_closed = true;
    if (w->is_working) {
        return;  // on_job_done frees it
    }
    if (w->producer != NULL) {
        start_job(w, SCHEMA_WRITER_IDLE);
    } else {
        free_writer(w);
    }
}

#include "bridge/jobs/letter_scan.h"

#include <inttypes.h>

#include "bridge/intake/consumer_conf.h"
#include "bridge/intake/log_read.h"
#include "bridge/intake/partition_spill.h"
#include "bridge/intake/progress_record.h"
#include "bridge/intake/start_offsets.h"
#include "bridge/jobs/loop_wait.h"
#include "core/base/clock.h"
#include "core/kafka/kafka_client.h"
#include "core/kafka/kafka_query.h"
#include "core/kafka/state_topic.h"

enum { READ_AHEAD_BYTES = 8 << 20, READ_AHEAD_RECORDS = 20000 };

char *letter_group(const char *function)
{
    return memory_format("millrace.%s.dlq", function);
}

struct scan {
    const struct letter_scan_params *params;
    letter_visit visit;
    void *self;
    const char *topic;
    int64_t committed;
    struct progress_record *progress;  // of the partition
    size_t range_at;                   // of the next of its ranges
    struct bytes key;
    struct record *resolving;
    struct fault fault;  // of that
    int64_t seen;        // letters that the filter was asked about
    bool is_over;
};

/** Offsets are asked for in ascending order. */
static bool is_settled(struct scan *s, int64_t offset)
{
    const struct progress_range *ranges = s->progress->ranges;
    while (s->range_at < s->progress->range_count && ranges[s->range_at].to <= offset) {
        s->range_at++;
    }
    return offset < s->committed ||
           (s->range_at < s->progress->range_count && ranges[s->range_at].from <= offset);
}

static bool is_resolved(void *self)
{
    struct scan *s = self;
    struct schema_cache *schemas = s->params->schemas;
    bool is_value_resolved = record_is_tombstone(s->resolving) || record_resolve(s->resolving, schemas);
    return is_value_resolved && record_resolve_key(s->resolving, schemas);
}

/** Looks its schemas up, while the loop turns. */
static bool resolve(struct scan *s, struct record *r)
{
    s->resolving = r;
    if (loop_wait(s->params->loop, LOOP_WAIT_MS, is_resolved, s)) {
        return true;
    }
    const struct last_error *error = schema_cache_error(s->params->schemas);
    return fault_set(&s->fault, FAULT_RETRY, "the schema registry does not respond: %s",
                     error->is_set ? error->text : "it gave no answer for 30 s");
}

static enum log_read_step visit_message(void *self, rd_kafka_message_t *message)
{
    struct scan *s = self;
    if (!s->params->has_settled && is_settled(s, message->offset)) {
        return LOG_READ_ON;
    }
    struct record *r = record_new(s->topic, message, clock_now_us());
    struct letter_info letter;
    if (letter_read(r, &letter)) {
        const struct json_options options = {.int64_as_string = s->params->config->int64_as_string};
        if (!resolve(s, r)) {
            record_release(r);
            return LOG_READ_STOP;
        }
        s->seen++;
        bytes_reset(&s->key);
        record_decode_key(r, &options, &s->key);
        const struct letter_found found = {r, &letter, bytes_slice(&s->key)};
        if (letter_filter_matches(s->params->filter, r, &letter, found.key)) {
            s->is_over = !s->visit(s->self, &found);
        }
    }
    record_release(r);
    return s->is_over ? LOG_READ_STOP : LOG_READ_ON;
}

static bool kafka_fault(struct fault *f, rd_kafka_resp_err_t code, const char *what)
{
    return fault_from(f, FAULT_RETRY, "librdkafka", code, "%s: %s", what, rd_kafka_err2str(code));
}

static bool is_named(const void *self, const char *topic)
{
    return strcmp(topic, self) == 0;
}

/** The partitions of the topic; none when it does not exist. */
static bool list_partitions(rd_kafka_t *rk, const char *name, rd_kafka_topic_partition_list_t *list,
                            struct fault *f)
{
    rd_kafka_resp_err_t code = kafka_query_partitions(rk, is_named, name, list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           kafka_fault(f, code, "Kafka does not say which topics it has");
}

/** The answer of the state topic. */
struct spilled {
    struct bytes value;
    bool is_answered;
    bool has_value;
    struct fault fault;
};

static void on_spilled(void *self, struct slice value, const struct fault *f)
{
    struct spilled *answer = self;
    answer->is_answered = true;
    answer->has_value = value.data != NULL;
    bytes_append_slice(&answer->value, value);
    if (f != NULL) {
        answer->fault = *f;
    }
}

static bool is_answered(void *self)
{
    return ((const struct spilled *)self)->is_answered;
}

static bool read_spilled(const struct scan *s, int32_t partition, struct spilled *ret, struct fault *f)
{
    struct state_topic *state;
    CLEANUP(memory_free_pointer)
    char *name = memory_format("%s.dlq", s->params->config->name);
    CLEANUP(memory_free_pointer) char *key = partition_spill_key(name, s->topic, partition);
    if (!state_topic_open(s->params->loop, s->params->settings, &state, f)) {
        return false;
    }
    state_topic_read(state, key, on_spilled, ret);
    if (!loop_wait(s->params->loop, LOOP_WAIT_MS, is_answered, ret)) {
        (void)fault_set(&ret->fault, FAULT_RETRY, "Kafka does not give topic " STATE_TOPIC_NAME);
    }
    state_topic_close(state);
    if (ret->fault.kind != FAULT_NONE) {
        *f = ret->fault;
    }
    return ret->fault.kind == FAULT_NONE;
}

/** Adds what did not fit into the metadata (partition_spill.h). What can't be used counts as not settled. */
static bool merge_spilled(struct scan *s, int32_t partition, struct fault *f)
{
    struct spilled answer = {0};
    if (s->progress->spill.log == 0) {
        return true;
    }
    bool is_good = read_spilled(s, partition, &answer, f);
    if (is_good && answer.has_value) {
        (void)partition_spill_add(s->progress, s->committed, bytes_slice(&answer.value));
    }
    bytes_clear(&answer.value);
    return is_good;
}

static bool scan_partition(struct scan *s, rd_kafka_t *reader, const rd_kafka_topic_partition_t *committed,
                           int64_t end, struct fault *f)
{
    s->committed = committed->offset < 0 ? 0 : committed->offset;
    s->range_at = 0;
    s->progress->range_count = 0;
    s->progress->spill = (struct progress_spill){0};
    struct slice text = slice_make(committed->metadata, committed->metadata_size);
    if (!progress_record_read(text, s->committed, clock_wall_us() / CLOCK_US_PER_MS, s->progress, f)) {
        s->progress->range_count = 0;  // of another program: what is beyond the offset waits
        s->progress->spill.log = 0;
    }
    if (!merge_spilled(s, committed->partition, f)) {
        return false;
    }
    rd_kafka_topic_t *topic = rd_kafka_topic_new(reader, s->topic, NULL);
    int64_t from = s->params->has_settled ? 0 : s->committed;
    bool is_good = log_read(topic, committed->partition, from, end, visit_message, s, f);
    rd_kafka_topic_destroy(topic);
    if (s->fault.kind != FAULT_NONE) {
        *f = s->fault;
    }
    return is_good && s->fault.kind == FAULT_NONE;
}

static bool scan_partitions(struct scan *s, const rd_kafka_topic_partition_list_t *committed,
                            rd_kafka_topic_partition_list_t *ends, struct fault *f)
{
    static const struct partition_limits LIMITS = {.records = READ_AHEAD_RECORDS, .bytes = READ_AHEAD_BYTES};
    rd_kafka_t *reader;
    if (!consumer_conf_open_reader(s->params->settings, &LIMITS, &reader, f)) {
        return false;
    }
    bool is_good = true;
    s->progress = memory_zeroed(1, sizeof(*s->progress));
    for (int i = 0; i < committed->cnt && is_good && !s->is_over; i++) {
        is_good = scan_partition(s, reader, &committed->elems[i], ends->elems[i].offset, f);
    }
    free(s->progress);
    bytes_clear(&s->key);
    rd_kafka_destroy(reader);
    return is_good;
}

static bool ask_committed(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, struct fault *f)
{
    rd_kafka_resp_err_t code = kafka_query_committed(rk, list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || kafka_fault(f, code, "fetching what is settled");
}

bool letter_scan(const struct letter_scan_params *params, letter_visit visit, void *self,
                 struct letter_scan_result *ret, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *group = letter_group(params->config->name);
    const char *extra[] = {"group.id", group, NULL};
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    if (!kafka_client_conf(params->settings, KAFKA_CONSUMER, extra, &conf, f) ||
        !kafka_client_open(conf, KAFKA_CONSUMER, &rk, f)) {
        return false;
    }
    struct scan s = {.params = params,
                     .visit = visit,
                     .self = self,
                     .topic = params->config->delivery.on_failure.dead_letter};
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_new(1);
    bool is_good = list_partitions(rk, s.topic, ends, f) && start_offsets_ends(rk, ends, f);
    rd_kafka_topic_partition_list_t *committed = rd_kafka_topic_partition_list_copy(ends);
    is_good = is_good && ask_committed(rk, committed, f) && scan_partitions(&s, committed, ends, f);
    rd_kafka_topic_partition_list_destroy(committed);
    if (is_good) {
        *ret = (struct letter_scan_result){.ends = ends, .seen = s.seen};
    } else {
        rd_kafka_topic_partition_list_destroy(ends);
    }
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return is_good;
}

void letter_scan_result_clear(struct letter_scan_result *result)
{
    if (result->ends != NULL) {
        rd_kafka_topic_partition_list_destroy(TAKE(result->ends));
    }
}

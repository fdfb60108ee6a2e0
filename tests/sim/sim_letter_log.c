// The simulated dead-letter topic's partitions, which letters are settled, and who settles them: what
// `millrace dlq` does for a function whose keys are held.
#include <string.h>

#include "bridge/intake/progress_record.h"
#include "core/base/memory.h"
#include "tests/sim/sim_kafka.h"

enum { LETTER_PARTITIONS = 2, LETTERS_MAX = 1024 };

static struct letter_log {
    struct {
        int partition;  // of its event
        int64_t offset;
        bool is_settled;
    } letters[LETTERS_MAX];
    int64_t low;
    int64_t end;
    int64_t committed;  // -1: none
    char *text;
} logs[LETTER_PARTITIONS];

void sim_letter_log_reset(void)
{
    for (int i = 0; i < LETTER_PARTITIONS; i++) {
        free(logs[i].text);
        logs[i].text = NULL;
        logs[i].low = logs[i].end = 0;
        logs[i].committed = -1;
    }
}

void sim_letter_log_append(struct work_item *item)
{
    const int number = (int)sim_roll(LETTER_PARTITIONS);
    struct letter_log *log = &logs[number];
    if (log->end == LETTERS_MAX) {
        sim_fail("too many dead letters");
    }
    log->letters[log->end].partition = item->record->partition;
    log->letters[log->end].offset = item->record->offset;
    log->letters[log->end].is_settled = false;
    item->letter = (struct progress_letter){
        .topic = progress_letter_topic(SIM_LETTER_TOPIC), .partition = number, .offset = log->end++};
}

/** The event was delivered by `millrace dlq redrive`, or was dropped: the events behind it go on. */
static void settle(struct letter_log *log, int64_t at)
{
    const int partition = log->letters[at].partition;
    struct sim_event *e = &sim.partitions[partition].events[log->letters[at].offset];
    if (!e->is_settled) {
        sim_exercise(SIM_HAS_KEY_HELD);
        e->may_repeat = !e->is_parked;  // its owner does not know of the letter
    }
    log->letters[at].is_settled = e->is_settled = true;
    sim_trace("letter settled: %d/%d", partition, (int)log->letters[at].offset);
}

/** As the group of `millrace dlq` commits it. */
static void commit(struct letter_log *log)
{
    static struct progress_record record;
    log->committed = log->low;
    while (log->committed < log->end && log->letters[log->committed].is_settled) {
        log->committed++;
    }
    record.range_count = 0;
    for (int64_t i = log->committed; i < log->end; i++) {
        if (log->letters[i].is_settled) {
            record.ranges[record.range_count++] = (struct progress_range){i, i + 1};
        }
    }
    CLEANUP(bytes_clear) struct bytes text = {0};
    (void)progress_record_write_up_to(&text, log->committed, &record, sim.now_us / 1000, PROGRESS_TEXT_MAX);
    bytes_append_byte(&text, '\0');
    free(log->text);
    log->text = memory_string((const char *)text.data);
}

/** Retention, or somebody, has deleted letters: nothing tells what became of their events. */
static void delete (struct letter_log *log, int64_t low)
{
    sim_trace("letters deleted: before %d", (int)low);
    for (int64_t i = log->low; i < low; i++) {
        if (!log->letters[i].is_settled) {
            settle(log, i);
        }
    }
    log->low = low;
}

static void settle_all(struct letter_log *log)
{
    for (int64_t i = log->low; i < log->end; i++) {
        if (!log->letters[i].is_settled) {
            settle(log, i);
        }
    }
    commit(log);
}

void sim_letter_log_work(void)
{
    for (int i = 0; i < LETTER_PARTITIONS && !sim.has_faults; i++) {
        settle_all(&logs[i]);
    }
    struct letter_log *log = &logs[sim_roll(LETTER_PARTITIONS)];
    if (!sim.has_faults || log->low == log->end) {
        return;
    }
    const int64_t chosen = log->low + sim_roll((unsigned)(log->end - log->low));
    if (sim_chance(10)) {
        delete (log, chosen + 1);
    } else if (!log->letters[chosen].is_settled) {
        settle(log, chosen);
        commit(log);
    }
}

void sim_letter_log_committed(rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        const struct letter_log *log = &logs[list->elems[i].partition];
        rd_kafka_topic_partition_t *which = &list->elems[i];
        which->offset = log->committed < 0 ? RD_KAFKA_OFFSET_INVALID : log->committed;
        free(which->metadata);
        which->metadata = log->text == NULL ? NULL : memory_string(log->text);
        which->metadata_size = log->text == NULL ? 0 : strlen(log->text);
    }
}

rd_kafka_resp_err_t rd_kafka_query_watermark_offsets(rd_kafka_t *rk, const char *topic, int32_t partition,
                                                     int64_t *low, int64_t *high, int timeout_ms)
{
    (void)rk;
    (void)topic;
    (void)timeout_ms;
    if (sim_strikes(SIM_LETTERS_UNKNOWN, 10)) {
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    *low = logs[partition].low;
    *high = logs[partition].end;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool __wrap_kafka_client_conf(const struct settings *settings, enum kafka_role role, const char *const *extra,
                              rd_kafka_conf_t **ret, struct fault *f);
bool __wrap_kafka_client_conf(const struct settings *settings, enum kafka_role role, const char *const *extra,
                              rd_kafka_conf_t **ret, struct fault *f)
{
    (void)settings;
    (void)role;
    (void)extra;
    (void)f;
    *ret = NULL;
    return true;
}

bool __wrap_kafka_client_open(rd_kafka_conf_t *conf, enum kafka_role role, rd_kafka_t **ret, struct fault *f);
bool __wrap_kafka_client_open(rd_kafka_conf_t *conf, enum kafka_role role, rd_kafka_t **ret, struct fault *f)
{
    (void)conf;
    (void)role;
    (void)f;
    *ret = memory_zeroed(1, sizeof(**ret));
    (*ret)->process = sim.current;
    (*ret)->is_of_letters = true;
    return true;
}

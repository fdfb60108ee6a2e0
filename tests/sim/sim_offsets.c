// The simulated Kafka's offsets: what is committed, what a restart knows by it, and that nothing of it is
// untrue.
#include <string.h>

#include <utlist.h>

#include "bridge/intake/partition_spill.h"
#include "core/base/memory.h"
#include "tests/sim/sim_kafka.h"

rd_kafka_resp_err_t rd_kafka_committed(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
    (void)timeout_ms;
    if (rk->is_of_letters) {
        sim_letter_log_committed(list);
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (sim_strikes(SIM_LOOKUP_FAILED, 6)) {
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    for (int i = 0; i < list->cnt; i++) {
        const struct sim_partition *p = &sim.partitions[list->elems[i].partition];
        list->elems[i].offset = p->committed < 0 ? RD_KAFKA_OFFSET_INVALID : p->committed;
        free(list->elems[i].metadata);
        list->elems[i].metadata = p->text == NULL ? NULL : memory_string(p->text);
        list->elems[i].metadata_size = p->text == NULL ? 0 : strlen(p->text);
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_offsets_for_times(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                               int timeout_ms)
{
    (void)rk;
    (void)timeout_ms;
    for (int i = 0; i < list->cnt; i++) {
        const struct sim_partition *p = &sim.partitions[list->elems[i].partition];
        bool is_end = list->elems[i].offset == RD_KAFKA_OFFSET_END;
        list->elems[i].offset = is_end ? p->end : p->low;
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_get_watermark_offsets(rd_kafka_t *rk, const char *topic, int32_t partition,
                                                   int64_t *low, int64_t *high)
{
    (void)rk;
    (void)topic;
    *low = sim.partitions[partition].low;
    *high = sim.partitions[partition].end;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/** What a restart would know of a partition. */
static const struct progress_record *known_of(const struct sim_partition *p, int number)
{
    static struct progress_record record;
    static struct progress_record spilled;
    int64_t offset;
    struct fault f;
    const char *text = p->text == NULL ? "" : p->text;
    if (!progress_record_read(slice_of(text), p->committed, sim.now_us / 1000, &record, &f)) {
        sim_fail("a committed text is unreadable: %s", f.text);
    }
    const struct slice value = sim_state_value(number);
    if (record.spill.log != 0 && value.size > 0 &&
        partition_spill_parse(value, sim.now_us / 1000, &spilled, &offset, &f) &&
        spilled.spill.log == record.spill.log) {
        progress_record_merge(&record, p->committed, &spilled, offset);
    }
    return &record;
}

static bool is_known(const struct sim_partition *p, const struct progress_record *record, int64_t offset)
{
    bool is = offset < p->committed;
    for (size_t i = 0; i < record->range_count; i++) {
        is = is || (offset >= record->ranges[i].from && offset < record->ranges[i].to);
    }
    return is;
}

/** Whether it is known that a dead letter of the event holds its key. */
static bool is_known_parked(const struct progress_record *record, int64_t offset)
{
    bool is = false;
    for (size_t i = 0; i < record->attempt_count; i++) {
        is = is || (record->attempts[i].offset == offset && record->attempts[i].letter.is_stored);
    }
    return is;
}

void sim_forget(struct sim_partition *p, int number)
{
    const struct progress_record *record = known_of(p, number);
    p->generation++;
    for (int64_t i = 0; i < p->end; i++) {
        struct sim_event *e = &p->events[i];
        e->is_parked = e->is_parked && is_known_parked(record, i);
        e->may_repeat = e->is_settled && !is_known(p, record, i) && !e->is_parked;
    }
    sim_trace("forget: partition %d is committed up to %d", number, (int)p->committed);
}

void sim_note_reset(int partition)
{
    struct sim_partition *p = &sim.partitions[partition];
    sim_exercise(SIM_HAS_OUT_OF_RANGE);
    sim_trace("out of range: partition %d begins at %d", partition, (int)p->low);
    p->forgotten += ATTEMPTS_MAX;
    for (int64_t i = 0; i < p->end; i++) {
        p->events[i].is_reread = true;
    }
}

/** Whether the event may have been settled because a later one of its key waits. */
static bool has_later(const struct sim_partition *p, int number, int64_t offset)
{
    const struct sim_event *e = &p->events[offset];
    bool ret = false;
    for (int64_t i = offset + 1; i < p->end; i++) {
        ret = ret || (p->events[i].was_produced && p->events[i].key == e->key);
    }
    return ret && sim.shape.coalesces && e->key >= 0 && !sim_letter_is_due(p->owner, number, offset);
}

void sim_hand_over(struct sim_partition *p, int number)
{
    bool may_repeat[OFFSETS];
    for (int i = 0; i < OFFSETS; i++) {
        const struct sim_event *e = &p->events[i];
        may_repeat[i] = e->behaviour == SIM_FILTERED || e->may_repeat || !e->exists || e->is_reread ||
                        !(e->is_settled || e->is_parked);
    }
    sim_forget(p, number);
    // What has to be spilled is waited for, but not for ever; a refused commit is not repeated.
    bool is_whole = p->forgotten == p->forgotten_before && sim.shape.text_max == 0;
    for (int i = 0; i < OFFSETS && is_whole; i++) {
        const struct sim_event *e = &p->events[i];
        if (!may_repeat[i] && (e->may_repeat || !(e->is_settled || e->is_parked))) {
            sim_fail("handed over: the next owner of %d/%d does not know that it is done", number, i);
        }
    }
}

void sim_forget_more(int partition)
{
    struct sim_partition *p = &sim.partitions[partition];
    const struct progress_record *record = known_of(p, partition);
    for (int64_t i = 0; i < p->end; i++) {
        struct sim_event *e = &p->events[i];
        e->is_parked = e->is_parked && is_known_parked(record, i);
        e->may_repeat =
            e->may_repeat || (e->is_settled && !is_known(p, record, i) && !is_known_parked(record, i));
    }
}

/** Nothing that is not settled is committed as settled. */
static void check_committed(struct sim_partition *p, int number)
{
    const struct progress_record *record = known_of(p, number);
    for (int64_t i = 0; i < OFFSETS; i++) {
        struct sim_event *e = &p->events[i];
        bool is_wrong = is_known(p, record, i) && e->exists && !e->is_settled;
        if (is_wrong && has_later(p, number, i)) {
            sim_settle_coalesced(p, e);
        } else if (is_wrong) {
            sim_fail("lost: %d/%d is committed as settled (offset %d, \"%s\") and is not", number, (int)i,
                     (int)p->committed, p->text == NULL ? "" : p->text);
        }
    }
}

static struct commit {
    struct commit *next;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_partition_list_t *list;
    uint32_t generations[PARTITIONS];
} * commits;  // in flight

static void apply(struct commit *c)
{
    for (int i = 0; i < c->list->cnt; i++) {
        rd_kafka_topic_partition_t *which = &c->list->elems[i];
        struct sim_partition *p = &sim.partitions[which->partition];
        if (p->owner != c->rk->process || p->generation != c->generations[which->partition]) {
            which->err = RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
            continue;
        }
        p->committed = which->offset;
        free(p->text);
        p->text = memory_format("%.*s", (int)which->metadata_size,
                                which->metadata == NULL ? "" : (const char *)which->metadata);
        sim_trace("commit: partition %d at %d \"%s\"", which->partition, (int)p->committed, p->text);
        check_committed(p, which->partition);
    }
}

static void end_commit(void *arg)
{
    struct commit *c = arg;
    LL_DELETE(commits, c);
    bool is_refused = sim_strikes(SIM_COMMIT_REFUSED, 10);
    if (!is_refused) {
        apply(c);
    }
    for (int i = 0; i < c->list->cnt && is_refused; i++) {
        const int number = c->list->elems[i].partition;
        sim.partitions[number].forgotten += c->rk->is_giving[number] ? 1 : 0;
        c->list->elems[i].err = RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
    }
    sim_kafka_push(c->queue, RD_KAFKA_EVENT_OFFSET_COMMIT,
                   is_refused ? RD_KAFKA_RESP_ERR_NOT_COORDINATOR : RD_KAFKA_RESP_ERR_NO_ERROR, c->list);
    free(c);
}

void sim_kafka_drop_commits(int process)
{
    struct commit *c;
    struct commit *next;
    LL_FOREACH_SAFE (commits, c, next) {
        if (c->rk->process != process) {
            continue;
        }
        if (sim_chance(2)) {
            apply(c);  // it had arrived
        }
        LL_DELETE(commits, c);
        sim_cancel(c);
        rd_kafka_topic_partition_list_destroy(c->list);
        free(c);
    }
}

rd_kafka_resp_err_t rd_kafka_commit_queue(
    rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list, rd_kafka_queue_t *queue,
    void (*cb)(rd_kafka_t *, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t *, void *), void *opaque)
{
    (void)cb;
    (void)opaque;
    struct commit *c = memory_zeroed(1, sizeof(*c));
    *c = (struct commit){.rk = rk, .queue = queue, .list = rd_kafka_topic_partition_list_copy(list)};
    for (int i = 0; i < PARTITIONS; i++) {
        c->generations[i] = sim.partitions[i].generation;
    }
    LL_PREPEND(commits, c);
    sim_after(1000 + sim_roll(300) * 1000, end_commit, c);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

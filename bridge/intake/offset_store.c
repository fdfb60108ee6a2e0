// librdkafka learns where a log ends from fetch responses. A function that is full fetches nothing, so the
// end offsets are listed.
#include "bridge/intake/offset_store.h"

#include <utlist.h>

#include "bridge/intake/partition_spill.h"
#include "bridge/intake/topic_check.h"
#include "core/base/log.h"

enum { MS_PER_S = 1000, LIST_TIMEOUT_MS = 2000 };
#define LIST_AGAIN_US (5 * CLOCK_US_PER_S)
#define LIST_AFTER_FAILURE_US (60 * CLOCK_US_PER_S)  // a timeout blocks one of few worker threads

/** One request for end offsets. */
struct ends_job {
    uv_work_t work;
    struct offset_store *store;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;
};

void offset_store_keep_attempts(struct offset_store *s, struct partition *p)
{
    struct progress_record *record = s->record;
    size_t count = 0;
    if (p->failing != NULL) {
        count = s->listener.get_attempts(s->listener.self, p, record->attempts, PROGRESS_ATTEMPTS_MAX);
    }
    partition_keep_attempts(p, record->attempts, count);
}

/** Fills s->record with what is known beyond the partition's safe offset. Returns its hash. */
static uint64_t collect(struct offset_store *s, struct partition *p)
{
    struct progress_record *record = s->record;
    record->range_count = record->attempt_count = 0;
    record->spill = (struct progress_spill){0};
    if (s->is_text_refused) {
        return progress_record_hash(record);
    }
    if (p->state == PARTITION_REVOKED) {
        partition_keep_attempts(p, NULL, 0);  // what was settled since it was revoked has none any more
    } else if (p->failing != NULL || p->attempt_count > 0) {
        offset_store_keep_attempts(s, p);
    }
    record->attempt_count =
        p->attempt_count < PROGRESS_ATTEMPTS_MAX ? p->attempt_count : PROGRESS_ATTEMPTS_MAX;
    if (record->attempt_count > 0) {
        memcpy(record->attempts, p->attempts, record->attempt_count * sizeof(*p->attempts));
    }
    record->range_count = progress_settled(&p->progress, record->ranges, PROGRESS_RANGES_MAX);
    return progress_record_hash(record);
}

/** Whether what is known beyond the committed offset has changed, and is due. */
static bool is_text_due(const struct partition *p, uint64_t hash, bool is_last)
{
    bool has_changed = hash != p->committed_hash;
    int64_t again_us = p->has_new_letter                     ? 0
                       : p->failures > p->failures_committed ? OFFSET_STORE_ATTEMPTS_AGAIN_US
                       : p->spill.named.log != 0             ? OFFSET_STORE_SPILLED_AGAIN_US
                                                             : OFFSET_STORE_AGAIN_US;
    bool is_due = is_last || clock_now_us() - p->committed_us >= again_us;
    return is_due && p->progress.committing < 0 && p->progress.committed == progress_safe(&p->progress) &&
           has_changed;
}

static void add(rd_kafka_topic_partition_list_t *list, const struct partition *p, int64_t offset,
                const char *text)
{
    rd_kafka_topic_partition_t *which = rd_kafka_topic_partition_list_add(list, p->topic, p->number);
    which->offset = offset;
    if (text != NULL && text[0] != '\0') {
        which->metadata = memory_string(text);  // freed by librdkafka
        which->metadata_size = strlen(text);
    }
}

/** Appends the text for the metadata. What does not fit is spilled first: until that is acknowledged, the
 * text names the record before. Returns whether a restart would know all of it. */
static bool describe(struct offset_store *s, struct partition *p, uint64_t hash, bool is_last,
                     struct bytes *out)
{
    struct progress_record *record = s->record;
    int64_t now_ms = clock_wall_us() / CLOCK_US_PER_MS;
    int64_t safe = progress_safe(&p->progress);
    record->spill = (struct progress_spill){0};
    bool is_whole = progress_record_write(out, safe, record, now_ms);
    p->is_spill_committing = false;
    p->needs_spill = !is_whole;
    if (!is_whole && p->spill.state != NULL) {
        if (p->spill.hash != hash) {
            partition_spill_write(p, record, hash, is_last);
        }
        bytes_reset(out);
        record->spill = p->spill.named;
        p->is_spill_committing = record->spill.log != 0;
        (void)progress_record_write(out, safe, record, now_ms);
        is_whole = p->spill.named.log != 0 && p->spill.hash == hash;
    }
    bytes_append_byte(out, '\0');
    return is_whole;
}

static void begin_commit(struct offset_store *s, struct partition *p, int64_t offset, uint64_t hash,
                         bool is_last, rd_kafka_topic_partition_list_t *list)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    bool is_whole = describe(s, p, hash, is_last, &text);
    add(list, p, offset, (const char *)text.data);
    free(p->committing_text);
    p->committing_text = memory_string((const char *)text.data);
    bool is_final = is_whole || p->spill.state == NULL || p->spill.is_refused;
    uint64_t spilled = p->is_spill_committing && p->spill.failures > p->failures_committed
                           ? p->spill.failures
                           : p->failures_committed;
    p->committing_hash = is_final ? hash : ~hash;
    p->failures_committing = is_final ? p->failures : spilled;
    p->committed_us = clock_now_us();
    p->has_new_letter = false;
    progress_commit_begun(&p->progress, offset);
}

static void add_if_due(struct offset_store *s, struct partition *p, bool is_last,
                       rd_kafka_topic_partition_list_t *list)
{
    if (p->state == PARTITION_LOST || p->progress.committing >= 0 || p->spill.is_loading ||
        topic_check_is_doubted(p)) {
        return;
    }
    int64_t offset = progress_next_commit(&p->progress);
    uint64_t hash = collect(s, p);
    if (offset < 0 && is_text_due(p, hash, is_last)) {
        offset = p->progress.committed;
    }
    if (offset >= 0) {
        begin_commit(s, p, offset, hash, is_last, list);
    } else if (hash == p->committed_hash) {
        p->failures_committed = p->failures;  // nothing of them can be committed, or they were settled
    }
}

bool offset_store_is_behind(struct offset_store *s, struct partition *p)
{
    return progress_next_commit(&p->progress) >= 0 || collect(s, p) != p->committed_hash;
}

bool offset_store_is_spilling(const struct offset_store *s)
{
    const struct partition *p;
    LL_FOREACH (*s->partitions, p) {
        if (p->state == PARTITION_REVOKED && partition_spill_is_pending(p)) {
            return true;
        }
    }
    return false;
}

void offset_store_spilled(struct offset_store *s, const struct partition *p)
{
    s->is_repeat_due = s->is_repeat_due || p->state == PARTITION_REVOKED;
}

static bool send_commit(struct offset_store *s, const rd_kafka_topic_partition_list_t *list)
{
    s->is_committing = list->cnt > 0 &&
                       rd_kafka_commit_queue(s->rk, list, s->queue, NULL, NULL) == RD_KAFKA_RESP_ERR_NO_ERROR;
    s->committing_since_us = clock_now_us();
    s->is_repeat_due = false;
    return s->is_committing;
}

bool offset_store_confirm(struct offset_store *s)
{
    if (s->is_committing || s->queue == NULL || !join_watch_can_commit(s->join)) {
        return false;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    struct partition *p;
    LL_FOREACH (*s->partitions, p) {
        if (p->state != PARTITION_LOST && p->progress.committed >= 0 && !topic_check_is_doubted(p)) {
            add(list, p, p->progress.committed, s->is_text_refused ? NULL : p->committed_text);
        }
    }
    bool is_begun = send_commit(s, list);
    rd_kafka_topic_partition_list_destroy(list);
    return is_begun;
}

bool offset_store_commit(struct offset_store *s, bool is_last)
{
    if (s->is_committing || !join_watch_can_commit(s->join)) {
        return false;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    struct partition *p;
    LL_FOREACH (*s->partitions, p) {
        add_if_due(s, p, is_last, list);
    }
    bool is_begun = send_commit(s, list);
    if (!is_begun) {
        offset_store_commit_ended(s, RD_KAFKA_RESP_ERR__FAIL, NULL);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return is_begun;
}

static void note_refusal(const struct partition *p, rd_kafka_resp_err_t code)
{
    // During a rebalance or a move of the coordinator. The next tick commits again.
    log_debug("bridge", "commit_refused",
              LOG_WITH(LOG_TEXT("topic", p->topic), LOG_NUMBER("partition", p->number)), "%s",
              rd_kafka_err2str(code));
}

static void note_refused_text(struct offset_store *s, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; list != NULL && i < list->cnt && !s->is_text_refused; i++) {
        if (list->elems[i].err == RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE) {
            s->is_text_refused = s->is_repeat_due = true;
            log_warn("bridge", "progress_refused", LOG_WITH(LOG_TEXT("topic", list->elems[i].topic)),
                     "the broker takes less than %d characters of metadata with an offset "
                     "(offset.metadata.max.bytes): after a restart, events that are settled behind an "
                     "unsettled one are delivered again, and attempts count from 0",
                     PROGRESS_TEXT_MAX);
        }
    }
}

void offset_store_commit_ended(struct offset_store *s, rd_kafka_resp_err_t code,
                               const rd_kafka_topic_partition_list_t *list)
{
    struct partition *p;
    LL_FOREACH (*s->partitions, p) {
        if (p->progress.committing < 0) {
            continue;
        }
        const rd_kafka_topic_partition_t *which =
            list == NULL ? NULL : rd_kafka_topic_partition_list_find(list, p->topic, p->number);
        rd_kafka_resp_err_t own = which == NULL ? RD_KAFKA_RESP_ERR__NO_OFFSET : which->err;
        own = code != RD_KAFKA_RESP_ERR_NO_ERROR ? code : own;
        if (own != RD_KAFKA_RESP_ERR_NO_ERROR) {
            note_refusal(p, own);
        }
        if (own == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
            p->doubted_us = clock_now_us();
        }
        if (own == RD_KAFKA_RESP_ERR_NO_ERROR) {
            free(p->committed_text);
            p->committed_text = TAKE(p->committing_text);
            // It says all that is known, or else one that was written meanwhile is named by the next commit.
            if (!p->is_spill_committing && !p->needs_spill && p->state != PARTITION_LOST) {
                partition_spill_delete(p);
            }
            p->committed_hash = p->committing_hash;
            p->failures_committed = p->failures_committing;
        }
        progress_commit_ended(&p->progress, own == RD_KAFKA_RESP_ERR_NO_ERROR);
    }
}

static bool is_accepted(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t *list)
{
    return code == RD_KAFKA_RESP_ERR_NO_ERROR && list != NULL && list->cnt > 0 &&
           list->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void on_events(void *self)
{
    struct offset_store *s = self;
    for (rd_kafka_event_t *event; s->queue != NULL && (event = rd_kafka_queue_poll(s->queue, 0)) != NULL;) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT) {
            rd_kafka_resp_err_t code = rd_kafka_event_error(event);
            const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
            bool is_good = is_accepted(code, list);
            s->is_committing = false;
            note_refused_text(s, list);
            offset_store_commit_ended(s, code, list);
            rd_kafka_event_destroy(event);
            s->listener.on_committed(s->listener.self, is_good);  // may close the store
        } else {
            rd_kafka_event_destroy(event);
        }
    }
}

int64_t offset_store_waiting_us(const struct offset_store *s)
{
    return s->is_committing ? clock_now_us() - s->committing_since_us : 0;
}

static void list_ends(uv_work_t *work)
{
    struct ends_job *job = work->data;
    job->code = rd_kafka_offsets_for_times(job->store->rk, job->list, LIST_TIMEOUT_MS);
}

static void on_ends_listed(uv_work_t *work, int status)
{
    (void)status;
    struct ends_job *job = work->data;
    struct offset_store *s = job->store;
    s->is_listing_ends = false;
    bool is_known = job->code == RD_KAFKA_RESP_ERR_NO_ERROR;
    s->list_ends_us = clock_now_us() + (is_known ? LIST_AGAIN_US : LIST_AFTER_FAILURE_US);
    struct partition *p;
    LL_FOREACH (*s->partitions, p) {
        const rd_kafka_topic_partition_t *which =
            is_known ? rd_kafka_topic_partition_list_find(job->list, p->topic, p->number) : NULL;
        if (which != NULL && which->err == RD_KAFKA_RESP_ERR_NO_ERROR && which->offset >= 0) {
            p->end_offset = which->offset;
        }
    }
    rd_kafka_topic_partition_list_destroy(job->list);
    free(job);
    s->listener.on_worker_done(s->listener.self);
}

void offset_store_list_ends(struct offset_store *s)
{
    if (s->is_listing_ends || clock_now_us() < s->list_ends_us) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    struct partition *p;
    LL_FOREACH (*s->partitions, p) {
        if (p->state == PARTITION_ASSIGNED && (p->is_held || partition_has_more(p))) {
            rd_kafka_topic_partition_list_add(list, p->topic, p->number)->offset = RD_KAFKA_OFFSET_END;
        }
    }
    if (list->cnt == 0) {
        rd_kafka_topic_partition_list_destroy(list);
        return;
    }
    struct ends_job *job = memory_zeroed(1, sizeof(*job));
    job->store = s;
    job->list = list;
    job->work.data = job;
    s->is_listing_ends = true;
    INVARIANT(uv_queue_work(s->loop, &job->work, list_ends, on_ends_listed) == 0);
}

int64_t offset_store_lag(const struct partition *p)
{
    int64_t low = 0;
    int64_t high = -1;
    fetcher_log_ends(&p->reader, &low, &high);
    high = p->end_offset > high ? p->end_offset : high;
    if (high < 0) {
        return -1;
    }
    int64_t safe = progress_safe(&p->progress);
    safe = safe < low ? low : safe;
    return high > safe ? high - safe : 0;
}

void offset_store_open(struct offset_store *s, uv_loop_t *loop, rd_kafka_t *rk, struct partition **partitions,
                       const struct join_watch *join, const struct offset_store_listener *listener)
{
    *s = (struct offset_store){
        .loop = loop, .rk = rk, .partitions = partitions, .join = join, .listener = *listener};
    s->record = memory_new(sizeof(*s->record));
    s->queue = rd_kafka_queue_new(rk);
    s->watch = kafka_watch_start(loop, s->queue, on_events, s);
}

void offset_store_close(struct offset_store *s)
{
    kafka_watch_stop(TAKE(s->watch));
    rd_kafka_queue_destroy(TAKE(s->queue));
    free(TAKE(s->record));
}

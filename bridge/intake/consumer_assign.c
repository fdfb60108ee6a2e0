// Rebalances arrive as events on the main queue. They are answered with empty lists: the group's assignment
// is what the coordinator said, and librdkafka would fetch what the client assigns.
//
//   ASSIGN: look up the committed offsets on a worker thread, read the partitions, incremental_assign
//
//   REVOKE: on_revoked, commit, wait for running calls, commit again, incremental_unassign
//
//   REVOKE of a lost assignment: on_revoked, incremental_unassign; nothing is committed
#include <utlist.h>

#include "bridge/intake/consumer_conf.h"
#include "bridge/intake/consumer_state.h"
#include "bridge/intake/partition_spill.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum { COMMITTED_TIMEOUT_MS = 10000 };
#define CHECK_WAIT_US (5 * CLOCK_US_PER_S)

void consumer_log_refusal(const struct consumer *c, const char *what, rd_kafka_error_t *error)
{
    if (error != NULL) {
        log_warn(c->component, "assignment_refused", NULL, "%s: %s", what, rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
}

static void on_partition_ready(void *self)
{
    struct partition *p = self;
    struct consumer *c = p->consumer;
    if (!p->is_held && p->state == PARTITION_ASSIGNED) {
        c->listener.on_ready(c->listener.self);
    }
}

/** Whether calls of the partition's earlier, lost assignment still run. */
static bool has_predecessor(const struct consumer *c, const struct partition *p)
{
    const struct partition *other;
    LL_FOREACH (c->partitions, other) {
        if (other != p && other->state == PARTITION_LOST && other->number == p->number &&
            strcmp(other->topic, p->topic) == 0) {
            return true;
        }
    }
    return false;
}

/** Calls of one key must not overlap: a reassigned partition waits until calls of its lost assignment have
 * ended. */
static void release_waiting(struct consumer *c)
{
    bool is_released = false;
    struct partition *p;
    LL_FOREACH (c->partitions, p) {
        if (p->state == PARTITION_WAITING && !p->spill.is_loading && !has_predecessor(c, p)) {
            p->state = PARTITION_ASSIGNED;
            partition_read(p);
            is_released = true;
        }
    }
    if (is_released) {
        c->listener.on_ready(c->listener.self);
    }
}

void consumer_spill_done(void *self, struct partition *p)
{
    struct consumer *c = self;
    offset_store_spilled(&c->offsets, p);
    release_waiting(c);
    consumer_advance_revoke(c);
}

/** A text of another program is ignored: then records above the committed offset are delivered again. */
static void restore_progress(const struct consumer *c, struct partition *p,
                             const rd_kafka_topic_partition_t *which)
{
    struct fault f;
    if (!partition_restore(p, slice_make(which->metadata, which->metadata_size), &f)) {
        log_warn(c->component, "progress_unreadable",
                 LOG_WITH(LOG_TEXT("topic", p->topic), LOG_NUMBER("partition", p->number)), "%s", f.text);
    }
    partition_spill_load(p);
    p->state = p->spill.is_loading ? PARTITION_WAITING : p->state;
}

static void open_partition(struct consumer *c, const rd_kafka_topic_partition_t *which)
{
    struct partition *p = partition_open(c->fetcher, which, on_partition_ready);
    bool is_new = which->opaque != NULL;
    p->consumer = c;
    p->is_registered = !is_new;
    topic_check_begin(p);
    p->spill.on_done = consumer_spill_done;
    p->spill.self = c;
    partition_spill_open(p, c->state_topic, c->progress_name);
    if (has_predecessor(c, p)) {
        p->state = PARTITION_WAITING;
        log_info(c->component, "partition_waits",
                 LOG_WITH(LOG_TEXT("topic", p->topic), LOG_NUMBER("partition", p->number)),
                 "reassigned while calls of its lost assignment run: it waits for them");
    }
    if (is_new) {
        log_info(c->component, "partition_added",
                 LOG_WITH(LOG_TEXT("topic", p->topic), LOG_NUMBER("partition", p->number)),
                 "it has no committed offset: starting at its beginning");
        progress_set_uncommitted(&p->progress);  // it has no committed offset: commit even its first
        fetcher_distrust(c->fetcher, p->topic, p->number);  // Kafka forgets the offsets of deleted topics
    } else {
        restore_progress(c, p, which);
    }
    LL_APPEND(c->partitions, p);
    if (p->state == PARTITION_ASSIGNED) {
        partition_read(p);
    }
}

static void open_partitions(struct consumer *c, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        open_partition(c, &list->elems[i]);
    }
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    consumer_log_refusal(c, "assign", rd_kafka_incremental_assign(c->rk, none));
    rd_kafka_topic_partition_list_destroy(none);
    log_info(c->component, "partitions_assigned", LOG_WITH(LOG_NUMBER("partitions", list->cnt)),
             "%d partitions assigned", list->cnt);
    group_state_enter(&c->state, GROUP_MEMBER);
    consumer_set_kafka_error(c, NULL);
    c->listener.on_assigned(c->listener.self);
}

static rd_kafka_resp_err_t first_error(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = list->elems[i].err;
    }
    return code;
}

/** A partition without a committed offset begins at its first record: it is newer than the registration, or
 * its offset has expired, which the registration has reported. It is marked by its `opaque`. */
static rd_kafka_resp_err_t look_up_beginnings(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *asked = rd_kafka_topic_partition_list_new(list->cnt);
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *which = &list->elems[i];
        which->opaque = which->offset < 0 ? which : NULL;
        if (which->opaque != NULL) {
            rd_kafka_topic_partition_list_add(asked, which->topic, which->partition)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
        }
    }
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (asked->cnt > 0) {
        code = first_error(rd_kafka_offsets_for_times(rk, asked, COMMITTED_TIMEOUT_MS), asked);
    }
    for (int i = 0; i < asked->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        const rd_kafka_topic_partition_t *known = &asked->elems[i];
        rd_kafka_topic_partition_list_find(list, known->topic, known->partition)->offset = known->offset;
    }
    rd_kafka_topic_partition_list_destroy(asked);
    return code;
}

static void look_up_offsets(uv_work_t *work)
{
    struct consumer_job *job = work->data;
    rd_kafka_t *rk = job->consumer->rk;
    job->code = first_error(rd_kafka_committed(rk, job->list, COMMITTED_TIMEOUT_MS), job->list);
    if (job->code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        job->code = look_up_beginnings(rk, job->list);
    }
}

/** Answers an assignment event with an empty assignment: librdkafka does not leave the group before it is
 * answered. Takes over the list. */
static void assign_nothing(struct consumer *c, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    open_partitions(c, none);
    rd_kafka_topic_partition_list_destroy(none);
    rd_kafka_topic_partition_list_destroy(list);
}

/** Waits before the next look-up; a guessed offset would lose or repeat events. Takes over the list. */
static void retry_lookup_later(struct consumer *c, rd_kafka_topic_partition_list_t *list, const char *why)
{
    log_write(c->lookup_backoff.failures == 0 ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, c->component,
              "offsets_unknown", NULL, "%s", why);
    group_state_enter(&c->state, GROUP_LOOKUP_FAILED);
    c->unanswered = list;
    c->retry_us = clock_now_us() + backoff_next_us(&c->lookup_backoff);
}

static void on_offsets_known(uv_work_t *work, int status)
{
    (void)status;
    struct consumer_job *job = work->data;
    struct consumer *c = job->consumer;
    rd_kafka_topic_partition_list_t *list = job->list;
    rd_kafka_resp_err_t code = job->code;
    struct fault f;
    CLEANUP(memory_free_pointer)
    char *why = memory_format("fetching the committed offsets: %s", rd_kafka_err2str(code));
    bool is_known = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    free(job);
    if (rd_kafka_assignment_lost(c->rk) || (!is_known && c->on_closed != NULL)) {
        assign_nothing(c, list);  // lost meanwhile: another member may call events of these partitions
    } else if (is_known) {
        backoff_reset(&c->lookup_backoff);
        open_partitions(c, list);
        rd_kafka_topic_partition_list_destroy(list);
    } else if (consumer_is_refused(code, why, &f)) {
        group_state_enter(&c->state, GROUP_LOOKUP_FAILED);
        c->unanswered = list;
        c->listener.on_fault(c->listener.self, &f);  // the listener closes the consumer
        consumer_retry_lookup(c);
    } else {
        retry_lookup_later(c, list, why);
    }
    consumer_advance_close(c);
}

/** Looks up where the assigned partitions begin. Takes over the list. */
static void assign(struct consumer *c, rd_kafka_topic_partition_list_t *list)
{
    struct consumer_job *job = memory_zeroed(1, sizeof(*job));
    job->consumer = c;
    job->list = list;
    job->work.data = job;
    group_state_enter(&c->state, GROUP_LOOKING_UP);
    INVARIANT(uv_queue_work(c->loop, &job->work, look_up_offsets, on_offsets_known) == 0);
}

void consumer_retry_lookup(struct consumer *c)
{
    if (c->state != GROUP_LOOKUP_FAILED) {
        return;
    }
    if (rd_kafka_assignment_lost(c->rk) || c->on_closed != NULL) {
        assign_nothing(c, TAKE(c->unanswered));
    } else if (clock_now_us() >= c->retry_us) {
        assign(c, TAKE(c->unanswered));
    }
}

static void unassign(struct consumer *c)
{
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    consumer_log_refusal(c, "unassign", rd_kafka_incremental_unassign(c->rk, none));
    rd_kafka_topic_partition_list_destroy(none);
    log_info(c->component, "partitions_revoked", LOG_WITH(LOG_NUMBER("partitions", c->revoked->cnt)),
             "%d partitions given back", c->revoked->cnt);
    rd_kafka_topic_partition_list_destroy(c->revoked);
    c->revoked = NULL;
    group_state_enter(&c->state, GROUP_MEMBER);
    struct partition *p;
    struct partition *next;
    LL_FOREACH_SAFE (c->partitions, p, next) {
        if (p->state == PARTITION_REVOKED || (p->state == PARTITION_LOST && p->item_count == 0)) {
            LL_DELETE(c->partitions, p);
            partition_free(p);
        }
    }
    c->turn = NULL;
    release_waiting(c);
    consumer_advance_close(c);
}

/** Whether the last commit of a revoked partition waits for the look-up that shows whether its topic was
 * deleted (topic_check.h). It takes some 3 s. */
static bool waits_for_check(struct consumer *c)
{
    struct partition *doubted = NULL;
    struct partition *p;
    LL_FOREACH (c->partitions, p) {
        bool is_doubted = p->state == PARTITION_REVOKED && topic_check_is_doubted(p);
        doubted = is_doubted && offset_store_is_behind(&c->offsets, p) ? p : doubted;
    }
    if (doubted == NULL) {
        return false;
    }
    c->check_since_us = c->check_since_us == 0 ? clock_now_us() : c->check_since_us;
    if (clock_now_us() - c->check_since_us < CHECK_WAIT_US) {
        return true;
    }
    log_warn(c->component, "commit_skipped",
             LOG_WITH(LOG_TEXT("topic", doubted->topic), LOG_NUMBER("partition", doubted->number)),
             "its topic may have been deleted, and Kafka has not said whether: what was settled last is "
             "delivered again");
    return false;
}

void consumer_advance_revoke(struct consumer *c)
{
    if ((c->state != GROUP_REVOKING && c->state != GROUP_COMMITTING) || c->offsets.is_committing) {
        return;
    }
    struct partition *p;
    LL_FOREACH (c->partitions, p) {
        if (p->state == PARTITION_REVOKED && p->item_count > 0) {
            return;
        }
    }
    if (offset_store_is_spilling(&c->offsets)) {
        return;
    }
    if (c->state == GROUP_REVOKING && waits_for_check(c)) {
        return;
    }
    bool is_due = c->state == GROUP_REVOKING || c->offsets.is_repeat_due;
    if (is_due && offset_store_commit(&c->offsets, true)) {
        if (c->state == GROUP_REVOKING) {
            group_state_enter(&c->state, GROUP_COMMITTING);
        }
        return;
    }
    unassign(c);
}

static void revoke_partitions(struct consumer *c, const rd_kafka_topic_partition_list_t *list)
{
    bool is_lost = rd_kafka_assignment_lost(c->rk) != 0;
    c->revoked = rd_kafka_topic_partition_list_copy(list);
    group_state_enter(&c->state, GROUP_DROPPING);
    struct partition *p;
    LL_FOREACH (c->partitions, p) {
        bool is_assigned = p->state == PARTITION_ASSIGNED || p->state == PARTITION_WAITING;
        if (is_assigned && rd_kafka_topic_partition_list_find(c->revoked, p->topic, p->number) != NULL) {
            if (!is_lost) {
                offset_store_keep_attempts(&c->offsets, p);
            }
            p->state = is_lost ? PARTITION_LOST : PARTITION_REVOKED;
            partition_stop(p);
            c->listener.on_revoked(c->listener.self, p);
        }
    }
    if (is_lost) {
        log_warn(c->component, "assignment_lost", NULL,
                 "the membership of the group ended before the last offsets were committed: the newest "
                 "events may be delivered twice");
        unassign(c);
        return;
    }
    group_state_enter(&c->state, GROUP_REVOKING);
    c->check_since_us = 0;
    (void)offset_store_commit(&c->offsets, true);  // settled events need not wait for running calls
    consumer_advance_revoke(c);
}

void consumer_rebalance(struct consumer *c, rd_kafka_event_t *event)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assign(c, rd_kafka_topic_partition_list_copy(list));
    } else {
        revoke_partitions(c, list);
    }
}

void consumer_partition_idle(struct consumer *c, struct partition *p)
{
    if (p->state == PARTITION_LOST && !group_state_is_revoking(c->state)) {
        LL_DELETE(c->partitions, p);
        c->turn = NULL;
        partition_free(p);
        release_waiting(c);
        consumer_advance_close(c);
        return;
    }
    consumer_advance_revoke(c);
}

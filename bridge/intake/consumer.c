// A function's consumer: opening, errors of the client, commits, closing.
#include <utlist.h>

#include "bridge/intake/consumer_conf.h"
#include "bridge/intake/consumer_state.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"

#define GROUP_PREFIX "millrace."  // of all groups

enum { FIRST_ASSIGNMENT_WAIT_US = 4000000, COMMIT_WAIT_US = 10000000 };

bool consumer_is_refused(rd_kafka_resp_err_t code, const char *what, struct fault *f)
{
    bool is_group = code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    if (!is_group && code != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        return false;
    }
    (void)fault_from(f, FAULT_CONFIG, "librdkafka", code,
                     "%s: allow READ on the topics and on group millrace.*", what);
    return true;
}

void consumer_set_kafka_error(struct consumer *c, const char *why)
{
    if (why != NULL || c->has_kafka_error) {
        c->has_kafka_error = why != NULL;
        c->listener.on_kafka_error(c->listener.self, why);
    }
}

void consumer_on_error(struct consumer *c, rd_kafka_resp_err_t code, const char *text)
{
    struct fault f;
    if (consumer_is_refused(code, text, &f)) {
        c->listener.on_fault(c->listener.self, &f);
        return;
    }
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR__FATAL:
        (void)fault_from(&f, FAULT_FATAL, "librdkafka", code, "consumer: %s", text);
        c->listener.on_fault(c->listener.self, &f);
        return;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        log_warn(c->component, "topic_unknown", NULL, "%s; it is read from its first record once it exists",
                 text);
        c->listener.on_assigned(c->listener.self);  // the topics that exist are assigned
        return;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        // Without partitions nothing waits for Kafka, and no commit would show that it responds again.
        if (c->partitions != NULL || c->state != GROUP_MEMBER) {
            CLEANUP(memory_free_pointer) char *why = memory_format("Kafka does not answer: %s", text);
            consumer_set_kafka_error(c, why);
        }
        return;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
        log_debug(c->component, "consumer_error", NULL, "%s", text);  // kafka_log logs it, once
        return;
    default:
        log_warn(c->component, "consumer_error", LOG_WITH(LOG_TEXT("code", rd_kafka_err2name(code))), "%s",
                 text);
    }
}

/** After a standstill and after a Kafka error: the response to a commit shows whether this is still a member.
 */
static void confirm_membership(struct consumer *c)
{
    bool is_doubtful = c->standstill.state == STANDSTILL_DOUBTFUL || c->has_kafka_error;
    if (is_doubtful && offset_store_confirm(&c->offsets)) {
        standstill_asked(&c->standstill);
    }
}

static void on_main_ready(void *self)
{
    struct consumer *c = self;
    (void)standstill_check(&c->standstill, clock_now_us());
    c->is_polling = true;  // closing would destroy the queue that this loop polls
    for (rd_kafka_event_t *event; (event = rd_kafka_queue_poll(c->main_queue, 0)) != NULL;) {
        switch (rd_kafka_event_type(event)) {
        case RD_KAFKA_EVENT_REBALANCE:
            consumer_rebalance(c, event);
            break;
        case RD_KAFKA_EVENT_ERROR:
            consumer_on_error(c, rd_kafka_event_error(event), rd_kafka_event_error_string(event));
            break;
        default:
            break;
        }
        rd_kafka_event_destroy(event);
    }
    c->is_polling = false;
    confirm_membership(c);
    consumer_advance_close(c);
}

bool consumer_may_call(struct consumer *c)
{
    bool may_call = standstill_check(&c->standstill, clock_now_us());
    if (!may_call && c->main_queue != NULL) {
        kafka_watch_again(c->main_watch);
    }
    return may_call;
}

void consumer_commit_letter(struct partition *p)
{
    letter_commits_add(&p->consumer->letters, p);
}

static void on_committed(void *self, bool is_accepted)
{
    struct consumer *c = self;
    bool was_asked = c->standstill.state == STANDSTILL_ASKED;
    standstill_answered(&c->standstill, is_accepted);
    if (is_accepted) {
        consumer_set_kafka_error(c, NULL);
    }
    if (was_asked && c->standstill.state == STANDSTILL_NONE) {
        c->listener.on_resumed(c->listener.self);
    }
    consumer_advance_revoke(c);
    letter_commits_go_on(&c->letters);
}

static size_t get_attempts(void *self, const struct partition *p, struct progress_attempt *ret, size_t max)
{
    const struct consumer *c = self;
    return c->listener.get_attempts(c->listener.self, p, ret, max);
}

static void on_worker_done(void *self)
{
    consumer_advance_close(self);
}

static void commit_after(struct consumer *c, int64_t again_us)
{
    if (c->main_queue != NULL && offset_store_may_commit(&c->offsets, again_us)) {
        (void)offset_store_commit(&c->offsets, false);
    }
}

void consumer_commit_attempts(struct consumer *c)
{
    commit_after(c, OFFSET_STORE_ATTEMPTS_AGAIN_US);
}

void consumer_commit_settled(struct consumer *c)
{
    commit_after(c, OFFSET_STORE_AGAIN_US);
}

void consumer_tick(struct consumer *c)
{
    if (c->main_queue != NULL) {
        on_main_ready(c);  // also without events: the group expels a consumer that does not poll
    }
    if (c->main_queue == NULL) {
        return;  // leaving
    }
    (void)offset_store_commit(&c->offsets, false);  // also during a revocation: calls may run for long
    if (offset_store_waiting_us(&c->offsets) > COMMIT_WAIT_US) {
        consumer_set_kafka_error(c, "Kafka has not responded to a commit for more than 10 s");
    }
    confirm_membership(c);
    consumer_retry_lookup(c);
    consumer_advance_revoke(c);
    struct partition *p;
    LL_FOREACH (c->partitions, p) {
        if (p->state == PARTITION_ASSIGNED) {
            partition_read(p);  // it may have failed
        }
    }
    topic_check_run(&c->topics);
    if (c->on_closed == NULL) {
        offset_store_list_ends(&c->offsets);
    }
    consumer_advance_close(c);
}

struct partition *consumer_partitions(const struct consumer *c)
{
    return c->partitions;
}

int64_t consumer_lag(const struct consumer *c, const struct partition *p)
{
    (void)c;
    return offset_store_lag(p);
}

int64_t consumer_oldest_ms(const struct partition *p)
{
    int64_t oldest_ms = progress_oldest_ms(&p->progress);
    return oldest_ms < 0 && p->held != NULL ? p->held->timestamp_ms : oldest_ms;
}

static void leave(uv_work_t *work)
{
    struct consumer_job *job = work->data;
    rd_kafka_t *rk = job->consumer->rk;
    if (job->has_joined) {
        (void)rd_kafka_consumer_close(rk);
        rd_kafka_destroy(rk);
    } else {
        // 2.0.2 may abort when a cooperative consumer closes before its first assignment.
        rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct consumer *c = handle->data;
    free(c->component);
    free(c->progress_name);
    c->on_closed(c->closed_self);
    free(c);
}

static void on_left(uv_work_t *work, int status)
{
    (void)status;
    struct consumer_job *job = work->data;
    struct consumer *c = job->consumer;
    free(job);
    letter_commits_close(&c->letters, on_timer_closed);
}

static bool has_assigned(const struct consumer *c)
{
    struct partition *p;
    LL_FOREACH (c->partitions, p) {
        if (p->state == PARTITION_ASSIGNED || p->state == PARTITION_WAITING) {
            return true;
        }
    }
    return false;
}

/** Closes in order: the partitions, the group membership, then the client on a worker thread. */
void consumer_advance_close(struct consumer *c)
{
    bool can_close = c->state == GROUP_JOINING || c->state == GROUP_MEMBER || c->state == GROUP_UNSUBSCRIBING;
    if (c->on_closed == NULL || !can_close || offset_store_is_busy(&c->offsets) || c->is_polling) {
        return;
    }
    bool has_waited = clock_now_us() - c->closing_since_us > FIRST_ASSIGNMENT_WAIT_US;
    if (c->state == GROUP_JOINING && !has_waited) {
        return;  // consumer_tick calls this again
    }
    if (c->partitions != NULL) {
        if (c->state == GROUP_MEMBER && has_assigned(c)) {
            group_state_enter(&c->state, GROUP_UNSUBSCRIBING);
            (void)rd_kafka_unsubscribe(c->rk);  // a revocation of all partitions follows
        }
        return;
    }
    kafka_watch_stop(c->main_watch);
    rd_kafka_queue_destroy(TAKE(c->main_queue));
    topic_check_close(&c->topics);
    offset_store_close(&c->offsets);
    struct consumer_job *job = memory_zeroed(1, sizeof(*job));
    job->consumer = c;
    job->work.data = job;
    job->has_joined = c->state != GROUP_JOINING;
    group_state_enter(&c->state, GROUP_LEAVING);
    INVARIANT(uv_queue_work(c->loop, &job->work, leave, on_left) == 0);
}

void consumer_close(struct consumer *c, void (*on_closed)(void *self), void *self)
{
    c->on_closed = on_closed;
    c->closed_self = self;
    c->closing_since_us = clock_now_us();
    kafka_watch_again(c->main_watch);
    consumer_advance_close(c);
}

bool consumer_open(const struct consumer_params *params, struct consumer **ret, struct fault *f)
{
    CLEANUP(memory_free_pointer) struct consumer *c = memory_zeroed(1, sizeof(*c));
    c->loop = params->loop;
    c->listener = params->listener;
    c->fetcher = params->fetcher;
    CLEANUP(memory_free_pointer) char *group = function_config_group(params->config->name);
    const struct job *job = params->job;
    const struct consumer_group member = {.group = job == NULL ? group : job->group,
                                          .topics =
                                              job == NULL ? &params->config->source.topics : job->topics};
    if (!consumer_conf_open(params->settings, &member, &c->join, &c->rk, f)) {
        return false;
    }
    c->component = memory_format("function/%s", params->config->name);
    c->progress_name = memory_string(member.group + strlen(GROUP_PREFIX));
    c->state_topic = params->state_topic;
    c->lookup_backoff = backoff_make(500 * CLOCK_US_PER_MS, 30 * CLOCK_US_PER_S);
    c->main_queue = rd_kafka_queue_get_consumer(c->rk);
    c->main_watch = kafka_watch_start(c->loop, c->main_queue, on_main_ready, c);
    const struct offset_store_listener store = {.on_committed = on_committed,
                                                .get_attempts = get_attempts,
                                                .on_worker_done = on_worker_done,
                                                .self = c};
    offset_store_open(&c->offsets, c->loop, c->rk, &c->partitions, &c->join, &store);
    letter_commits_init(&c->letters, c->loop, &c->offsets);
    c->letters.timer.data = c;
    const struct topic_check_listener topics = {.on_made_again = consumer_topic_made_again, .self = c};
    topic_check_open(&c->topics, c->loop, c->rk, member.group, &c->partitions, &topics);
    standstill_init(&c->standstill, consumer_conf_number(c->rk, "session.timeout.ms"),
                    consumer_conf_number(c->rk, "heartbeat.interval.ms"), clock_now_us());
    *ret = TAKE(c);
    return true;
}

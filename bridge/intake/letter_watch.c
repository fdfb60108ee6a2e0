#include "bridge/intake/letter_watch.h"

#include "bridge/intake/partition_spill.h"
#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/kafka/kafka_client.h"

enum { TIMEOUT_MS = 5000 };
#define LOOK_AGAIN_US (2 * CLOCK_US_PER_S)
#define LOOK_AGAIN_MAX_US (60 * CLOCK_US_PER_S)

struct letter_watch {
    uv_loop_t *loop;
    const struct settings *settings;
    struct state_topic *state;  // lent; may be NULL
    char *name;                 // of the group, without its prefix
    char *group;
    letter_on_state on_state;  // NULL: freed once the worker is done
    void *self;
    rd_kafka_t *rk;  // a client of the group that never joins it; NULL: not open
    struct backoff backoff;
    int64_t due_us;
    bool is_looking;
    uv_work_t work;
    rd_kafka_topic_partition_list_t *list;
    int64_t *lows;
    int64_t *highs;
    bool *exist;
    bool is_good;
    struct fault fault;
    int at;                           // the partition that is reported
    struct progress_record *settled;  // of it
};

struct letter_watch *letter_watch_new(uv_loop_t *loop, const struct settings *settings,
                                      struct state_topic *state, const char *function,
                                      letter_on_state on_state, void *self)
{
    struct letter_watch *w = memory_zeroed(1, sizeof(*w));
    w->loop = loop;
    w->settings = settings;
    w->state = state;
    w->name = memory_format("%s.dlq", function);
    w->group = memory_format("millrace.%s", w->name);
    w->on_state = on_state;
    w->self = self;
    w->work.data = w;
    w->backoff = backoff_make(LOOK_AGAIN_US, LOOK_AGAIN_MAX_US);
    return w;
}

static void free_look(struct letter_watch *w)
{
    rd_kafka_topic_partition_list_destroy(TAKE(w->list));
    free(TAKE(w->lows));
    free(TAKE(w->highs));
    free(TAKE(w->exist));
}

static void free_watch(struct letter_watch *w)
{
    free(w->name);
    free(w->group);
    free(w);
}

static bool open_client(struct letter_watch *w)
{
    const char *extra[] = {"group.id", w->group, NULL};
    rd_kafka_conf_t *conf;
    return w->rk != NULL || (kafka_client_conf(w->settings, KAFKA_CONSUMER, extra, &conf, &w->fault) &&
                             kafka_client_open(conf, KAFKA_CONSUMER, &w->rk, &w->fault));
}

static bool refuse(struct letter_watch *w, rd_kafka_resp_err_t code)
{
    return fault_from(&w->fault, FAULT_RETRY, "librdkafka", code, "looking for settled dead letters: %s",
                      rd_kafka_err2str(code));
}

static bool look_at(struct letter_watch *w, int i)
{
    const rd_kafka_topic_partition_t *which = &w->list->elems[i];
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(w->rk, which->topic, which->partition,
                                                                &w->lows[i], &w->highs[i], TIMEOUT_MS);
    w->exist[i] = code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART &&
                  code != RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION && code != RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || !w->exist[i] || refuse(w, code);
}

static void look(uv_work_t *work)
{
    struct letter_watch *w = work->data;
    w->is_good = open_client(w);
    for (int i = 0; i < w->list->cnt && w->is_good; i++) {
        w->is_good = look_at(w, i);
    }
    if (w->is_good) {
        rd_kafka_resp_err_t code = rd_kafka_committed(w->rk, w->list, TIMEOUT_MS);
        w->is_good = code == RD_KAFKA_RESP_ERR_NO_ERROR || refuse(w, code);
    }
}

static void close_client(uv_work_t *work)
{
    struct letter_watch *w = work->data;
    if (w->rk != NULL) {
        rd_kafka_destroy_flags(w->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
}

static void on_client_closed(uv_work_t *work, int status)
{
    (void)status;
    free_watch(work->data);
}

static void end_look(struct letter_watch *w)
{
    w->is_looking = false;
    free(TAKE(w->settled));
    free_look(w);
}

static void report(struct letter_watch *w)
{
    const rd_kafka_topic_partition_t *which = &w->list->elems[w->at];
    const struct letter_state s = {.topic = progress_letter_topic(which->topic),
                                   .partition = which->partition,
                                   .exists = w->exist[w->at],
                                   .low = w->lows[w->at],
                                   .high = w->highs[w->at],
                                   .settled = which->offset < 0 ? 0 : which->offset,
                                   .beyond = w->settled};
    w->on_state(w->self, &s);
}

static void report_rest(struct letter_watch *w);

/** What can't be used counts as not settled. */
static void on_spilled(void *self, struct slice value, const struct fault *f)
{
    struct letter_watch *w = self;
    if (f != NULL || !partition_spill_add(w->settled, w->list->elems[w->at].offset, value)) {
        log_debug("bridge", "progress_unreadable", LOG_WITH(LOG_TEXT("group", w->group)), "%s",
                  f == NULL ? "the spilled progress is missing, or of another log" : f->text);
    }
    report(w);
    w->at++;
    report_rest(w);
}

/** A text of another program: these letters wait until the offset passes them. */
static void read_settled(struct letter_watch *w, const rd_kafka_topic_partition_t *which)
{
    struct fault f;
    struct progress_record *r = w->settled;
    r->range_count = 0;
    r->spill = (struct progress_spill){0};
    if (which->offset >= 0 &&
        !progress_record_read(slice_make(which->metadata, which->metadata_size), which->offset,
                              clock_wall_us() / CLOCK_US_PER_MS, r, &f)) {
        log_debug("bridge", "progress_unreadable", LOG_WITH(LOG_TEXT("topic", which->topic)), "%s", f.text);
        r->range_count = 0;
        r->spill.log = 0;
    }
}

static void report_rest(struct letter_watch *w)
{
    for (; w->at < w->list->cnt; w->at++) {
        const rd_kafka_topic_partition_t *which = &w->list->elems[w->at];
        read_settled(w, which);
        if (w->settled->spill.log != 0 && w->state != NULL) {
            CLEANUP(memory_free_pointer)
            char *key = partition_spill_key(w->name, which->topic, which->partition);
            state_topic_read(w->state, key, on_spilled, w);
            return;
        }
        report(w);
    }
    w->due_us = clock_now_us() + LOOK_AGAIN_US;
    end_look(w);
}

static void close_watch(struct letter_watch *w)
{
    INVARIANT(uv_queue_work(w->loop, &w->work, close_client, on_client_closed) == 0);
}

static void on_looked(uv_work_t *work, int status)
{
    (void)status;
    struct letter_watch *w = work->data;
    if (w->on_state == NULL) {
        end_look(w);
        close_watch(w);
    } else if (w->is_good) {
        backoff_reset(&w->backoff);
        w->at = 0;
        w->settled = memory_zeroed(1, sizeof(*w->settled));
        report_rest(w);
    } else {
        log_write(w->backoff.failures == 0 ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "bridge", "letters_unknown",
                  LOG_WITH(LOG_TEXT("group", w->group)), "%s; parked keys wait", w->fault.text);
        w->due_us = clock_now_us() + LOOK_AGAIN_US + backoff_next_us(&w->backoff);
        end_look(w);
    }
}

bool letter_watch_is_due(const struct letter_watch *w)
{
    return !w->is_looking && clock_now_us() >= w->due_us;
}

void letter_watch_look(struct letter_watch *w, const char *topic, const int32_t *partitions, size_t count)
{
    if (!letter_watch_is_due(w) || count == 0) {
        return;
    }
    w->list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(w->list, topic, partitions[i]);
    }
    w->lows = memory_zeroed(count, sizeof(*w->lows));
    w->highs = memory_zeroed(count, sizeof(*w->highs));
    w->exist = memory_zeroed(count, sizeof(*w->exist));
    w->is_looking = true;
    INVARIANT(uv_queue_work(w->loop, &w->work, look, on_looked) == 0);
}

void letter_watch_free(struct letter_watch *w)
{
    if (w == NULL) {
        return;
    }
    w->on_state = NULL;
    if (w->settled != NULL) {
        state_topic_forget(w->state, w);  // the worker is done; what was spilled is being read
        end_look(w);
    }
    if (!w->is_looking) {
        close_watch(w);
    }
}

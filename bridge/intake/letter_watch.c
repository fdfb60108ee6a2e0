#include "bridge/intake/letter_watch.h"

#include <string.h>

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
    char *group;
    letter_on_states on_states;  // NULL: freed once the worker is done
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
};

struct letter_watch *letter_watch_new(uv_loop_t *loop, const struct settings *settings, const char *function,
                                      letter_on_states on_states, void *self)
{
    struct letter_watch *w = memory_zeroed(1, sizeof(*w));
    w->loop = loop;
    w->settings = settings;
    w->group = memory_format("millrace.%s.dlq", function);
    w->on_states = on_states;
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

/** A text of another program, and what was spilled: these letters wait until the offset passes them. */
static void read_beyond(const rd_kafka_topic_partition_t *which, struct progress_record *ret)
{
    struct fault f;
    if (!progress_record_read(slice_make(which->metadata, which->metadata_size), which->offset,
                              clock_wall_us() / CLOCK_US_PER_MS, ret, &f)) {
        log_debug("bridge", "progress_unreadable", LOG_WITH(LOG_TEXT("topic", which->topic)), "%s", f.text);
    }
}

static void report(struct letter_watch *w)
{
    size_t count = (size_t)w->list->cnt;
    struct letter_state *states = memory_zeroed(count + 1, sizeof(*states));
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_topic_partition_t *which = &w->list->elems[i];
        struct progress_record *beyond = memory_zeroed(1, sizeof(*beyond));
        if (which->offset >= 0) {
            read_beyond(which, beyond);
        }
        states[i] = (struct letter_state){.partition = which->partition,
                                          .exists = w->exist[i],
                                          .low = w->lows[i],
                                          .high = w->highs[i],
                                          .settled = which->offset < 0 ? 0 : which->offset,
                                          .beyond = beyond};
    }
    w->on_states(w->self, states, count);
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)states[i].beyond);
    }
    free(states);
}

static void on_looked(uv_work_t *work, int status)
{
    (void)status;
    struct letter_watch *w = work->data;
    w->is_looking = false;
    if (w->on_states == NULL) {
        free_look(w);
        INVARIANT(uv_queue_work(w->loop, &w->work, close_client, on_client_closed) == 0);
        return;
    }
    if (w->is_good) {
        backoff_reset(&w->backoff);
        w->due_us = clock_now_us() + LOOK_AGAIN_US;
        report(w);
    } else {
        log_write(w->backoff.failures == 0 ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "bridge", "letters_unknown",
                  LOG_WITH(LOG_TEXT("group", w->group)), "%s; parked keys wait", w->fault.text);
        w->due_us = clock_now_us() + LOOK_AGAIN_US + backoff_next_us(&w->backoff);
    }
    free_look(w);
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
    w->on_states = NULL;
    if (!w->is_looking) {
        INVARIANT(uv_queue_work(w->loop, &w->work, close_client, on_client_closed) == 0);
    }
}

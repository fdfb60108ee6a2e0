// A partition is read in sweeps, from the lowest wanted offset to the highest. The next sweep continues where
// the last one ended, unless a lower offset is wanted.
//
// Offsets without a record are reported as gone only if the reading began exactly there. A gap later in the
// sweep is not reported: the wanted offsets in it are requested again, and the next reading begins there.
// A record of another key at that very offset is of another log: then the wanted one is gone, too.
#include "bridge/intake/refetch.h"

#include <utlist.h>

#include "bridge/intake/consumer_conf.h"
#include "core/base/log.h"

enum {
    RECORDS_A_TURN = 256,
    RECORDS_AHEAD = 10000,
    BYTES_AHEAD = 1 << 20,
    NEAR = 100000,  // reading on over this many offsets costs less than a new fetch position
};

/** The reading of one partition. */
struct reading {
    struct reading *next;
    struct refetch *owner;
    struct partition *partition;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;  // NULL: not started
    struct kafka_watch *watch;
    rd_kafka_message_t *refused;  // offered again by refetch_resume
    int64_t position;             // of the next record
    int64_t target;               // the last offset of this sweep; -1: no sweep
    int64_t want_first;           // of the next sweep; -1: none
    int64_t want_last;
    bool is_first;      // no record was offered since reading began at `position`
    size_t read_count;  // since the fetcher was woken last
    size_t read_bytes;
};

struct refetch {
    uv_loop_t *loop;
    const struct settings *settings;  // lent
    char *component;
    struct refetch_listener listener;
    rd_kafka_t *rk;  // NULL: not opened yet
    struct reading *readings;
};

static void on_ready(void *self);

/** Drops the queue with its messages. */
static void end_reading(struct reading *g)
{
    if (g->queue == NULL) {
        return;
    }
    if (g->refused != NULL) {
        rd_kafka_message_destroy(TAKE(g->refused));
    }
    kafka_watch_stop(TAKE(g->watch));
    (void)rd_kafka_consume_stop(g->topic, g->partition->number);
    rd_kafka_queue_destroy(TAKE(g->queue));
    g->target = -1;
}

static void begin_reading(struct reading *g, int64_t offset)
{
    struct refetch *r = g->owner;
    end_reading(g);
    g->position = offset;
    g->is_first = true;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(r->rk);
    if (rd_kafka_consume_start_queue(g->topic, g->partition->number, offset, queue) != 0) {
        log_warn(r->component, "refetch_failed",
                 LOG_WITH(LOG_TEXT("topic", g->partition->topic), LOG_NUMBER("offset", offset)), "%s",
                 rd_kafka_err2str(rd_kafka_last_error()));
        rd_kafka_queue_destroy(queue);
        return;
    }
    g->queue = queue;
    g->watch = kafka_watch_start(r->loop, queue, on_ready, g);
}

static void end_sweep(struct reading *g)
{
    g->target = -1;
    g->owner->listener.on_swept(g->owner->listener.self, g->partition);
}

/** Reports a gap if the first record, or the partition's end, is beyond the offset that reading began at. */
static void note_gap(struct reading *g, int64_t offset)
{
    if (g->is_first && offset > g->position) {
        g->owner->listener.on_gone(g->owner->listener.self, g->partition, g->position, offset);
        g->position = offset;
    }
}

static void on_error(struct reading *g, const rd_kafka_message_t *message)
{
    if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        log_debug(g->owner->component, "refetch_error", LOG_WITH(LOG_TEXT("topic", g->partition->topic)),
                  "%s", rd_kafka_message_errstr(message));
        return;
    }
    // The end may be before `position` if this broker lags behind the former leader: the record follows.
    bool is_before = g->is_first && message->offset <= g->position;
    note_gap(g, message->offset);
    if (!is_before) {
        // Wanted offsets before the end were not found: the next sweep starts there, and reports them as
        // gone.
        g->position = message->offset > g->position ? message->offset : g->position;
        end_sweep(g);
    }
}

/** False: the record was refused. */
static bool offer(struct reading *g, rd_kafka_message_t *message)
{
    const struct refetch_listener *to = &g->owner->listener;
    note_gap(g, message->offset);
    if (!to->on_record(to->self, g->partition, message)) {
        g->refused = message;
        return false;
    }
    g->position = message->offset + 1;
    if (g->is_first) {
        // A ticket that still waits for this offset is of a replaced log: its record is gone.
        g->is_first = false;
        to->on_gone(to->self, g->partition, message->offset, g->position);
    }
    rd_kafka_message_destroy(message);
    if (g->position > g->target && g->target >= 0) {
        end_sweep(g);
    }
    return true;
}

static rd_kafka_message_t *next_message(struct reading *g)
{
    if (g->refused != NULL) {
        return TAKE(g->refused);
    }
    rd_kafka_message_t *message = rd_kafka_consume_queue(g->queue, 0);
    g->read_count += message == NULL ? 0 : 1;
    g->read_bytes += message == NULL ? 0 : message->len + message->key_len;
    if (g->read_count >= RECORDS_AHEAD / 2 || g->read_bytes >= BYTES_AHEAD / 2 ||
        (message == NULL && g->read_count >= RECORDS_A_TURN)) {
        g->read_count = g->read_bytes = 0;
        consumer_conf_wake(g->owner->rk, g->partition->topic, g->partition->number);
    }
    return message;
}

static void on_ready(void *self)
{
    struct reading *g = self;
    struct refetch *r = g->owner;
    rd_kafka_message_t *message = NULL;
    bool is_taken = true;
    int count = 0;
    while (is_taken && g->target >= 0 && count < RECORDS_A_TURN && (message = next_message(g)) != NULL) {
        count++;
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            on_error(g, message);
            rd_kafka_message_destroy(message);
        } else {
            is_taken = offer(g, message);
        }
    }
    if (count == RECORDS_A_TURN) {
        kafka_watch_again(g->watch);
    }
    r->listener.on_turn_end(r->listener.self);
}

static bool open_client(struct refetch *r)
{
    static const struct partition_limits limits = {.records = RECORDS_AHEAD, .bytes = BYTES_AHEAD};
    struct fault f;
    if (r->rk == NULL && !consumer_conf_open_reader(r->settings, &limits, &r->rk, &f)) {
        log_error(r->component, "refetch_failed", NULL, "%s; tried again", f.text);
    }
    return r->rk != NULL;
}

static struct reading *reading_of(struct refetch *r, struct partition *p)
{
    struct reading *g;
    LL_FOREACH (r->readings, g) {
        if (g->partition == p) {
            return g;
        }
    }
    g = memory_zeroed(1, sizeof(*g));
    *g = (struct reading){.owner = r, .partition = p, .target = -1, .want_first = -1, .want_last = -1};
    LL_PREPEND(r->readings, g);
    return g;
}

void refetch_want(struct refetch *r, struct partition *p, int64_t offset)
{
    struct reading *g = reading_of(r, p);
    if (g->target < 0) {
        g->want_first = g->want_first < 0 || offset < g->want_first ? offset : g->want_first;
        g->want_last = offset > g->want_last ? offset : g->want_last;
    } else if (offset >= g->position && offset > g->target) {
        g->target = offset;
    }
}

void refetch_run(struct refetch *r)
{
    struct reading *g;
    LL_FOREACH (r->readings, g) {
        if (g->target >= 0 || g->want_first < 0 || !open_client(r)) {
            continue;
        }
        if (g->topic == NULL) {
            g->topic = rd_kafka_topic_new(r->rk, g->partition->topic, NULL);
            INVARIANT(g->topic != NULL);
        }
        if (g->queue == NULL || g->want_first < g->position || g->want_first - g->position > NEAR) {
            begin_reading(g, g->want_first);
        }
        if (g->queue != NULL) {
            g->target = g->want_last;
            g->want_first = g->want_last = -1;
            kafka_watch_again(g->watch);
        }
    }
}

void refetch_resume(struct refetch *r)
{
    struct reading *g;
    LL_FOREACH (r->readings, g) {
        if (g->refused != NULL) {
            kafka_watch_again(g->watch);
        }
    }
}

static void free_reading(struct reading *g)
{
    end_reading(g);
    if (g->topic != NULL) {
        rd_kafka_topic_destroy(g->topic);
    }
    free(g);
}

void refetch_stop(struct refetch *r, const struct partition *p)
{
    struct reading *g;
    struct reading *next;
    LL_FOREACH_SAFE (r->readings, g, next) {
        if (g->partition == p) {
            LL_DELETE(r->readings, g);
            free_reading(g);
        }
    }
}

struct refetch *refetch_new(uv_loop_t *loop, const struct settings *settings, const char *component,
                            const struct refetch_listener *listener)
{
    struct refetch *r = memory_zeroed(1, sizeof(*r));
    r->loop = loop;
    r->settings = settings;
    r->component = memory_string(component);
    r->listener = *listener;
    return r;
}

static void destroy_client(uv_work_t *work)
{
    rd_kafka_destroy(work->data);
}

static void on_destroyed(uv_work_t *work, int status)
{
    (void)status;
    free(work);
}

void refetch_free(struct refetch *r)
{
    if (r == NULL) {
        return;
    }
    struct reading *g;
    struct reading *next;
    LL_FOREACH_SAFE (r->readings, g, next) {
        free_reading(g);
    }
    if (r->rk != NULL) {
        uv_work_t *work = memory_zeroed(1, sizeof(*work));
        work->data = r->rk;
        INVARIANT(uv_queue_work(r->loop, work, destroy_client, on_destroyed) == 0);
    }
    free(r->component);
    free(r);
}

// A client reads a partition at one position only, so each feed of the same partition has another client. The
// first clients read few partitions with much read-ahead each; what does not fit there goes to the others.
//
// A feed never waits for long for its slowest reader: after BLOCKED_US the readers that are behind get a feed
// of their own. At the end of the log a reader moves to the oldest feed that covers its position, so that
// readers which have caught up share again.
#include "bridge/intake/fetcher.h"

#include <utlist.h>

#include "bridge/intake/consumer_conf.h"
#include "bridge/intake/feed.h"
#include "bridge/intake/leader_watch.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"

enum { CHECK_MS = 50, BLOCKED_US = 200000, IDLE_US = 10000000, NEW_US = 10000000 };

struct fetcher_client {
    struct fetcher_client *next;
    rd_kafka_t *rk;
    struct leader_watch *watch;
    struct partition_limits limits;
    size_t feeds_max;
    size_t feed_count;
    int64_t idle_us;  // since when it has no feeds
};

struct fetcher {
    uv_loop_t *loop;
    const struct settings *settings;  // lent
    struct fetcher_client *clients;
    struct feed *feeds;
    uint64_t feeds_opened;
    bool is_failing;  // the last client could not be opened
    uv_timer_t timer;
};

static void check_soon(struct fetcher *f);

/** The limits of the clients in the order of their opening; the last are those of all later ones. */
static const struct fetcher_client CLASSES[] = {
    {.limits = {.records = 20000, .bytes = 1 << 20}, .feeds_max = 8},
    {.limits = {.records = 20000, .bytes = 256 << 10}, .feeds_max = 32},
    {.limits = {.records = 20000, .bytes = 64 << 10}, .feeds_max = SIZE_MAX},
};

static void free_client(struct fetcher_client **client)
{
    if (*client != NULL) {
        leader_watch_free((*client)->watch);
        free(*client);
    }
}

static void destroy_client(uv_work_t *work)
{
    const struct fetcher_client *client = work->data;
    rd_kafka_destroy(client->rk);
}

static void on_destroyed(uv_work_t *work, int status)
{
    (void)status;
    struct fetcher_client *client = work->data;
    free_client(&client);
    free(work);
}

static void close_client(struct fetcher *f, struct fetcher_client *client)
{
    LL_DELETE(f->clients, client);
    uv_work_t *work = memory_zeroed(1, sizeof(*work));
    work->data = client;
    INVARIANT(uv_queue_work(f->loop, work, destroy_client, on_destroyed) == 0);
}

/** NULL: librdkafka can't start another client, perhaps for want of descriptors; logged once. */
static struct fetcher_client *open_client(struct fetcher *f)
{
    struct fault fault;
    size_t count = 0;
    struct fetcher_client *client = NULL;
    LL_COUNT(f->clients, client, count);
    CLEANUP(free_client) struct fetcher_client *made = memory_zeroed(1, sizeof(*made));
    *made = CLASSES[count < COUNT_OF(CLASSES) ? count : COUNT_OF(CLASSES) - 1];
    made->watch = leader_watch_new();
    if (!consumer_conf_open_fetcher(f->settings, &made->limits, leader_watch_reader(made->watch), &made->rk,
                                    &fault)) {
        log_write(f->is_failing ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR, "bridge", "fetch_failed", NULL,
                  "%s; tried again", fault.text);
        f->is_failing = true;
        return NULL;
    }
    f->is_failing = false;
    client = TAKE(made);
    LL_APPEND(f->clients, client);
    return client;
}

static bool is_of(const struct feed *feed, const char *topic, int32_t number)
{
    return feed->partition == number && strcmp(feed->topic, topic) == 0;
}

static bool can_read(const struct fetcher *f, const struct fetcher_client *client, const char *topic,
                     int32_t number)
{
    const struct feed *feed;
    LL_FOREACH (f->feeds, feed) {
        if (feed->client == client && is_of(feed, topic, number)) {
            return false;
        }
    }
    return client->feed_count < client->feeds_max;
}

/** Notes which feeds of the partition have others beside them. */
static void count_feeds(struct fetcher *f, const char *topic, int32_t number)
{
    size_t count = 0;
    struct feed *feed;
    LL_FOREACH (f->feeds, feed) {
        count += is_of(feed, topic, number) ? 1 : 0;
    }
    LL_FOREACH (f->feeds, feed) {
        feed->is_alone = is_of(feed, topic, number) ? count == 1 : feed->is_alone;
    }
}

/** NULL: it can't be opened now. */
static struct feed *open_feed(struct fetcher *f, const char *topic, int32_t number, int64_t offset)
{
    struct fetcher_client *client;
    LL_FOREACH (f->clients, client) {
        if (can_read(f, client, topic, number)) {
            break;
        }
    }
    client = client == NULL ? open_client(f) : client;
    if (client == NULL) {
        return NULL;
    }
    struct feed *feed = feed_open(f->loop, client->rk, topic, number, offset);
    feed->fetcher = f;
    feed->client = client;
    feed->number = f->feeds_opened++;
    client->feed_count++;
    LL_APPEND(f->feeds, feed);
    count_feeds(f, topic, number);
    return feed;
}

static void close_feed(struct feed *feed)
{
    struct fetcher *f = feed->fetcher;
    feed->client->feed_count--;
    feed->client->idle_us = clock_now_us();
    check_soon(f);
    LL_DELETE(f->feeds, feed);
    count_feeds(f, feed->topic, feed->partition);
    feed_close(feed);
}

/** The oldest feed that has what follows the offset, opened before `before`; NULL: none. */
static struct feed *find_feed(const struct fetcher *f, const char *topic, int32_t number, int64_t offset,
                              uint64_t before)
{
    struct feed *feed;
    LL_FOREACH (f->feeds, feed) {
        if (feed->number < before && is_of(feed, topic, number) && feed_covers(feed, offset)) {
            return feed;
        }
    }
    return NULL;
}

static void leave_feed(struct feed_reader *r)
{
    struct feed *feed = r->feed;
    LL_DELETE(feed->readers, r);
    r->feed = NULL;
    if (feed->readers == NULL) {
        close_feed(feed);
    } else if (feed->blocked_us != 0 && !feed_is_full(feed)) {
        feed->blocked_us = 0;
        feed_notify(feed);
    }
}

bool fetcher_attach(struct fetcher *f, struct feed_reader *r, const char *topic, int32_t number,
                    int64_t offset, void (*on_ready)(void *self), void *self)
{
    *r = (struct feed_reader){.on_ready = on_ready, .self = self, .position = offset};
    struct feed *feed = find_feed(f, topic, number, offset, UINT64_MAX);
    feed = feed == NULL ? open_feed(f, topic, number, offset) : feed;
    if (feed == NULL) {
        return false;
    }
    feed_add_reader(feed, r, offset);
    kafka_watch_again(feed->watch);
    return true;
}

void fetcher_distrust(struct fetcher *f, const char *topic, int32_t number)
{
    int64_t now_us = clock_now_us();
    struct feed *feed;
    LL_FOREACH (f->feeds, feed) {
        // A new feed is of the new log: all functions of a topic begin at about the same time, and share it.
        if (is_of(feed, topic, number) && now_us - feed->opened_us >= NEW_US) {
            feed_close_window(feed);
        }
    }
}

void fetcher_close_windows(struct fetcher *f, const char *topic, int32_t number)
{
    struct feed *feed;
    LL_FOREACH (f->feeds, feed) {
        if (is_of(feed, topic, number)) {
            feed_close_window(feed);
        }
    }
}

uint64_t fetcher_refused(const struct fetcher *f, uint64_t key)
{
    uint64_t count = 0;
    const struct fetcher_client *client;
    LL_FOREACH (f->clients, client) {
        count += leader_watch_count(client->watch, key);
    }
    return count;
}

void fetcher_detach(struct feed_reader *r)
{
    if (r->feed != NULL) {
        leave_feed(r);
    }
}

static void move(struct feed_reader *r, struct feed *to)
{
    leave_feed(r);
    feed_add_reader(to, r, r->position);
    kafka_watch_again(to->watch);
}

/** Separates the readers that hold up the others. */
static void split(struct feed *feed)
{
    uint64_t slowest = feed_slowest(feed);
    uint64_t middle = slowest + (feed->next_sequence - slowest) / 2;
    bool is_waiting = false;
    struct feed_reader *r;
    struct feed_reader *next;
    LL_FOREACH (feed->readers, r) {
        is_waiting = is_waiting || r->sequence == feed->next_sequence;
    }
    if (!is_waiting) {
        feed->blocked_us = 0;  // the one that waited has left
        return;
    }
    LL_FOREACH_SAFE (feed->readers, r, next) {
        if (r->sequence > middle) {
            continue;
        }
        // Feeds that are newer: those which were split off now, too.
        struct feed *to = feed->next;
        while (to != NULL && !(is_of(to, feed->topic, feed->partition) && feed_covers(to, r->position))) {
            to = to->next;
        }
        to = to == NULL ? open_feed(feed->fetcher, feed->topic, feed->partition, r->position) : to;
        if (to != NULL) {
            move(r, to);
        }
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct fetcher *f = timer->data;
    int64_t now_us = clock_now_us();
    bool is_blocked = false;
    struct feed *feed;
    LL_FOREACH (f->feeds, feed) {
        is_blocked = is_blocked || feed->blocked_us != 0;
        if (feed->blocked_us != 0 && now_us - feed->blocked_us >= BLOCKED_US) {
            split(feed);
        }
    }
    struct fetcher_client *client;
    struct fetcher_client *next;
    LL_FOREACH_SAFE (f->clients, client, next) {
        // The last one is the one with the smallest limits; others are used again.
        if (client->next == NULL && client != f->clients && client->feed_count == 0 &&
            now_us - client->idle_us >= IDLE_US) {
            close_client(f, client);
        }
    }
    if (!is_blocked && (f->clients == NULL || f->clients->next == NULL)) {
        (void)uv_timer_stop(timer);
    }
}

static void check_soon(struct fetcher *f)
{
    if (!uv_is_active((uv_handle_t *)&f->timer)) {
        (void)uv_timer_start(&f->timer, on_timer, CHECK_MS, CHECK_MS);
        uv_unref((uv_handle_t *)&f->timer);
    }
}

const struct feed_item *fetcher_peek(struct feed_reader *r)
{
    struct feed *feed = r->feed;
    if (r->sequence == feed->next_sequence && feed->is_ready) {
        if (feed_is_full(feed)) {
            feed->blocked_us = feed->blocked_us == 0 ? clock_now_us() : feed->blocked_us;
            check_soon(feed->fetcher);
            return NULL;
        }
        feed_fill(feed, feed->client->rk, &feed->client->limits);
    }
    return r->sequence == feed->next_sequence ? NULL : feed_item_at(feed, r->sequence);
}

/** The end of the log was reached: joins the oldest feed that is there, too. */
static void join(struct feed_reader *r)
{
    struct feed *feed = r->feed;
    struct feed *older = find_feed(feed->fetcher, feed->topic, feed->partition, r->position, feed->number);
    if (older != NULL) {
        move(r, older);
    }
}

void fetcher_pop(struct feed_reader *r)
{
    struct feed *feed = r->feed;
    const struct feed_item *item = feed_item_at(feed, r->sequence++);
    bool is_end = item->record == NULL && item->message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (item->record != NULL) {
        r->position = item->record->offset + 1;
    } else if (is_end) {
        r->position = item->message->offset > r->position ? item->message->offset : r->position;
    }
    if (feed->blocked_us != 0 && !feed_is_full(feed)) {
        feed->blocked_us = 0;
        feed_notify(feed);
    }
    if (is_end && !feed->is_alone && r->sequence == feed->next_sequence) {
        join(r);
    }
}

bool fetcher_has_more(const struct feed_reader *r)
{
    const struct feed *feed = r->feed;
    return feed != NULL && (r->sequence < feed->next_sequence || (feed->is_ready && feed->blocked_us == 0));
}

void fetcher_log_ends(const struct feed_reader *r, int64_t *ret_first, int64_t *ret_end)
{
    *ret_first = 0;
    *ret_end = -1;
    if (r->feed != NULL) {
        (void)rd_kafka_get_watermark_offsets(r->feed->client->rk, r->feed->topic, r->feed->partition,
                                             ret_first, ret_end);
    }
}

size_t fetcher_read_ahead(const struct feed_reader *r)
{
    return r->feed->client->limits.bytes;
}

size_t fetcher_feed_count(const struct fetcher *f)
{
    size_t count = 0;
    const struct feed *feed;
    LL_COUNT(f->feeds, feed, count);
    return count;
}

struct fetcher *fetcher_new(uv_loop_t *loop, const struct settings *settings)
{
    struct fetcher *f = memory_zeroed(1, sizeof(*f));
    f->loop = loop;
    f->settings = settings;
    (void)uv_timer_init(loop, &f->timer);
    f->timer.data = f;
    return f;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void fetcher_free(struct fetcher *f)
{
    if (f == NULL) {
        return;
    }
    INVARIANT(f->feeds == NULL);
    while (f->clients != NULL) {
        close_client(f, f->clients);
    }
    uv_close((uv_handle_t *)&f->timer, on_closed);
}

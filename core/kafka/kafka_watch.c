// A librdkafka queue wakes the loop through an eventfd; librdkafka's threads only write eight bytes to it.
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/kafka/kafka_client.h"

struct kafka_watch {
    uv_poll_t poll;
    int fd;
    rd_kafka_queue_t *queue;  // lent
    kafka_on_ready on_ready;
    void *self;
};

static const uint64_t WAKE = 1;  // an eventfd takes writes of eight bytes

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct kafka_watch *w = poll->data;
    uint64_t count;
    // Read before the drain: events that arrive during the drain wake the loop again.
    if (read(w->fd, &count, sizeof(count)) == (ssize_t)sizeof(count)) {
        w->on_ready(w->self);
    }
}

struct kafka_watch *kafka_watch_start(uv_loop_t *loop, rd_kafka_queue_t *queue, kafka_on_ready on_ready,
                                      void *self)
{
    struct kafka_watch *w = memory_zeroed(1, sizeof(*w));
    w->queue = queue;
    w->on_ready = on_ready;
    w->self = self;
    w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    INVARIANT(w->fd >= 0);
    int failed = uv_poll_init(loop, &w->poll, w->fd);
    INVARIANT(failed == 0);
    w->poll.data = w;
    (void)uv_poll_start(&w->poll, UV_READABLE, on_readable);
    rd_kafka_queue_io_event_enable(queue, w->fd, &WAKE, sizeof(WAKE));
    // librdkafka writes only when the queue becomes non-empty: it may have events already.
    kafka_watch_again(w);
    return w;
}

void kafka_watch_again(struct kafka_watch *w)
{
    ssize_t written = write(w->fd, &WAKE, sizeof(WAKE));
    (void)written;  // EAGAIN: the counter is full, so the descriptor is readable anyway
}

static void on_closed(uv_handle_t *handle)
{
    struct kafka_watch *w = handle->data;
    close(w->fd);
    free(w);
}

void kafka_watch_stop(struct kafka_watch *w)
{
    if (w == NULL) {
        return;
    }
    rd_kafka_queue_io_event_enable(w->queue, -1, NULL, 0);
    (void)uv_poll_stop(&w->poll);
    uv_close((uv_handle_t *)&w->poll, on_closed);
}

#include "bridge/endpoints/process/instance_output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bridge/endpoints/process/output_text.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"

#define EVENT "process_output"
#define CUT_MARK "…"
#define TAIL_BETWEEN " | "

enum {
    BLOCK_BYTES = 8 << 10,  // read in one turn of the loop
    LINE_COST = 64,         // bytes that a line counts for beyond its own: short ones are not for nothing
    PAUSE_MS = 100,
    ID_SIZE = 64,
    UTF8_MAX = 4,
};

enum output_state {
    OUTPUT_NEW,      // no process yet
    OUTPUT_READING,  // the loop calls when there is something
    OUTPUT_PAUSED,   // the timer resumes
    OUTPUT_ENDED,    // nothing is read any more
};

struct instance_output {
    uv_loop_t *loop;
    const char *component;
    enum output_state state;
    pid_t pid;
    int read_fd;   // -1: not open
    int write_fd;  // of the process; -1: not open
    uv_poll_t poll;
    uv_timer_t timer;
    int handles;            // open on the loop
    char id[ID_SIZE];       // of the request that runs; "": none, or several
    char line_id[ID_SIZE];  // of the line's
    struct bytes line;      // as it was written, without its end
    bool is_continued;      // the line's beginning was cut off and written before
    struct bytes text;      // the line as it is logged
    struct bytes tail;
    int64_t room_bytes;  // that may be read now
    int64_t filled_us;   // when room was last given
    void (*on_closed)(void *self);
    void *self;
};

/* ---- lines ---- */

/** Drops the oldest lines, or the beginning of a line that is too long itself. */
static void shorten_tail(struct bytes *tail)
{
    size_t over = tail->size - INSTANCE_OUTPUT_TAIL_MAX;
    const uint8_t *between = memmem(tail->data + over, tail->size - over, TAIL_BETWEEN, strlen(TAIL_BETWEEN));
    size_t keep_from = between != NULL ? (size_t)(between - tail->data) + strlen(TAIL_BETWEEN) : over;
    while (keep_from < tail->size && (tail->data[keep_from] & 0xc0) == 0x80) {
        keep_from++;
    }
    memmove(tail->data, tail->data + keep_from, tail->size - keep_from);
    tail->size -= keep_from;
}

static void remember(struct bytes *tail, struct slice text)
{
    if (tail->size > 0) {
        bytes_append_string(tail, TAIL_BETWEEN);
    }
    bytes_append_slice(tail, text);
    if (tail->size > INSTANCE_OUTPUT_TAIL_MAX) {
        shorten_tail(tail);
    }
}

/** Writes the raw line, or a part of one: `is_cut` when more of it follows. */
static void write_line(struct instance_output *o, struct slice raw, bool is_cut)
{
    bytes_reset(&o->text);
    if (o->is_continued) {
        bytes_append_string(&o->text, CUT_MARK);
    }
    output_text_append(&o->text, raw);
    if (is_cut) {
        bytes_append_string(&o->text, CUT_MARK);
    }
    o->is_continued = is_cut;
    o->room_bytes -= LINE_COST;
    if (text_is_blank(bytes_slice(&o->text))) {
        return;
    }
    remember(&o->tail, bytes_slice(&o->text));
    if (log_may_repeat(o->component, EVENT)) {
        log_info(
            o->component, EVENT,
            LOG_WITH(LOG_NUMBER("pid", o->pid), {o->line_id[0] == '\0' ? NULL : "request_id", o->line_id, 0}),
            "%s", bytes_text(&o->text));
    }
}

/** Writes what is too long, up to the end of a character, and keeps the rest. */
static void cut_line(struct instance_output *o)
{
    struct slice part = text_cut(bytes_slice(&o->line), INSTANCE_OUTPUT_LINE_MAX);
    if (part.size <= INSTANCE_OUTPUT_LINE_MAX - UTF8_MAX) {
        part.size = INSTANCE_OUTPUT_LINE_MAX;  // it is not UTF-8
    }
    write_line(o, part, true);
    memmove(o->line.data, o->line.data + part.size, o->line.size - part.size);
    o->line.size -= part.size;
}

static void end_line(struct instance_output *o)
{
    if (o->line.size > INSTANCE_OUTPUT_LINE_MAX) {
        cut_line(o);
    }
    write_line(o, bytes_slice(&o->line), false);
    bytes_reset(&o->line);
}

/** Appends a part of a line, which has no line end. */
static void take_part(struct instance_output *o, struct slice part)
{
    if (o->line.size == 0 && !o->is_continued && part.size > 0) {
        memcpy(o->line_id, o->id, sizeof(o->id));
    }
    while (part.size > 0) {
        size_t room = INSTANCE_OUTPUT_LINE_MAX + UTF8_MAX - o->line.size;
        size_t size = part.size < room ? part.size : room;
        bytes_append(&o->line, part.data, size);
        part = slice_make(part.data + size, part.size - size);
        if (o->line.size == INSTANCE_OUTPUT_LINE_MAX + UTF8_MAX) {
            cut_line(o);
        }
    }
}

static void take(struct instance_output *o, struct slice block)
{
    o->room_bytes -= (int64_t)block.size;
    while (block.size > 0) {
        const uint8_t *end = memchr(block.data, '\n', block.size);
        size_t size = end == NULL ? block.size : (size_t)(end - block.data);
        take_part(o, slice_make(block.data, size));
        if (end != NULL) {
            end_line(o);
            size++;
        }
        block = slice_make(block.data + size, block.size - size);
    }
}

/* ---- reading ---- */

enum reading { READING_MORE, READING_EMPTY, READING_END };

/** Reads at most `most` bytes, which are at most BLOCK_BYTES. */
static enum reading read_block(struct instance_output *o, size_t most, bool is_wanted)
{
    uint8_t block[BLOCK_BYTES];
    ssize_t count;
    do {
        count = read(o->read_fd, block, most);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) {
        return count < 0 && errno == EAGAIN ? READING_EMPTY : READING_END;
    }
    if (is_wanted) {
        take(o, slice_make(block, (size_t)count));
    }
    return (size_t)count < most ? READING_EMPTY : READING_MORE;
}

static void stop_reading(struct instance_output *o)
{
    if (o->state == OUTPUT_READING) {
        (void)uv_poll_stop(&o->poll);
    }
    (void)uv_timer_stop(&o->timer);
    o->state = OUTPUT_ENDED;
}

static void refill(struct instance_output *o)
{
    int64_t now_us = clock_now_us();
    int64_t passed_us = now_us - o->filled_us < CLOCK_US_PER_S ? now_us - o->filled_us : CLOCK_US_PER_S;
    int64_t room = o->room_bytes + passed_us * INSTANCE_OUTPUT_BYTES_PER_SECOND / CLOCK_US_PER_S;
    o->room_bytes = room < INSTANCE_OUTPUT_BYTES_PER_SECOND ? room : INSTANCE_OUTPUT_BYTES_PER_SECOND;
    o->filled_us = now_us;
}

static void on_timer(uv_timer_t *timer);

static void pause_when_full(struct instance_output *o)
{
    refill(o);
    if (o->room_bytes <= 0) {
        o->state = OUTPUT_PAUSED;
        (void)uv_poll_stop(&o->poll);
        (void)uv_timer_start(&o->timer, on_timer, PAUSE_MS, 0);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;  // an error shows in read, too
    (void)events;
    struct instance_output *o = poll->data;
    if (read_block(o, BLOCK_BYTES, true) == READING_END) {
        stop_reading(o);
        return;
    }
    pause_when_full(o);
}

static void on_timer(uv_timer_t *timer)
{
    struct instance_output *o = timer->data;
    o->state = OUTPUT_READING;
    (void)uv_poll_start(&o->poll, UV_READABLE, on_readable);
    pause_when_full(o);
}

void instance_output_set_request(struct instance_output *o, const char *id)
{
    const char *name = id == NULL ? "" : id;
    if (strncmp(o->id, name, ID_SIZE - 1) == 0) {
        return;
    }
    enum reading found = READING_MORE;
    for (size_t size = 0; o->state == OUTPUT_READING && size < INSTANCE_OUTPUT_TAKE && found == READING_MORE;
         size += BLOCK_BYTES) {
        found = read_block(o, BLOCK_BYTES, true);
        pause_when_full(o);
    }
    struct slice cut = text_cut(slice_of(name), ID_SIZE - 1);
    memset(o->id, 0, sizeof(o->id));
    memcpy(o->id, cut.data, cut.size);
}

/** Of what is in the pipe only the last is taken: the beginning is read and lost. */
static void lose_beginning(struct instance_output *o, size_t size)
{
    if (o->line.size > 0) {
        end_line(o);
    }
    for (size_t left = size; left > 0;) {
        size_t most = left < BLOCK_BYTES ? left : BLOCK_BYTES;
        if (read_block(o, most, false) != READING_MORE) {
            break;
        }
        left -= most;
    }
    log_warn(o->component, "process_output_lost",
             LOG_WITH(LOG_NUMBER("pid", o->pid), LOG_NUMBER("bytes", size)),
             "the process ended and left more output than is read");
}

void instance_output_drain(struct instance_output *o)
{
    int waiting = 0;
    if ((o->state == OUTPUT_READING || o->state == OUTPUT_PAUSED) &&
        ioctl(o->read_fd, FIONREAD, &waiting) == 0) {
        size_t size = (size_t)waiting;
        if (size > INSTANCE_OUTPUT_TAKE) {
            lose_beginning(o, size - INSTANCE_OUTPUT_TAKE);
            size = INSTANCE_OUTPUT_TAKE;
        }
        // Not until the pipe is empty: others may go on to write.
        while (size > 0) {
            size_t most = size < BLOCK_BYTES ? size : BLOCK_BYTES;
            if (read_block(o, most, true) != READING_MORE) {
                break;
            }
            size -= most;
        }
    }
    if (o->line.size > 0) {
        end_line(o);
    }
    stop_reading(o);
}

const char *instance_output_tail(struct instance_output *o)
{
    return bytes_text(&o->tail);
}

/* ---- its life ---- */

struct instance_output *instance_output_new(uv_loop_t *loop, const char *component)
{
    struct instance_output *o = memory_zeroed(1, sizeof(*o));
    o->loop = loop;
    o->component = component;
    o->read_fd = -1;
    o->write_fd = -1;
    o->room_bytes = INSTANCE_OUTPUT_BYTES_PER_SECOND;
    o->filled_us = clock_now_us();
    (void)uv_timer_init(loop, &o->timer);
    o->timer.data = o;
    o->poll.data = o;
    o->handles = 1;
    return o;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

bool instance_output_prepare(struct instance_output *o, uv_stdio_container_t *ret_out,
                             uv_stdio_container_t *ret_err, struct fault *f)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return fault_from(f, FAULT_RETRY, "errno", errno, "a pipe for its output: %s", strerror(errno));
    }
    o->read_fd = ends[0];
    o->write_fd = ends[1];
    // Only this end: the process writes to a pipe that waits.
    (void)fcntl(o->read_fd, F_SETFL, O_NONBLOCK);
    int failed = uv_poll_init(o->loop, &o->poll, o->read_fd);
    if (failed != 0) {
        close_fd(&o->read_fd);
        close_fd(&o->write_fd);
        return fault_set(f, FAULT_RETRY, "a watch on its output: %s", uv_strerror(failed));
    }
    o->handles++;
    *ret_out = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = o->write_fd};
    *ret_err = *ret_out;
    return true;
}

void instance_output_start(struct instance_output *o, pid_t pid)
{
    o->pid = pid;
    close_fd(&o->write_fd);
    o->state = OUTPUT_READING;
    (void)uv_poll_start(&o->poll, UV_READABLE, on_readable);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct instance_output *o = handle->data;
    if (--o->handles > 0) {
        return;
    }
    close_fd(&o->read_fd);
    bytes_clear(&o->line);
    bytes_clear(&o->text);
    bytes_clear(&o->tail);
    o->on_closed(o->self);
    free(o);
}

void instance_output_close(struct instance_output *o, void (*on_closed)(void *self), void *self)
{
    o->on_closed = on_closed;
    o->self = self;
    stop_reading(o);
    close_fd(&o->write_fd);
    if (o->read_fd >= 0) {
        uv_close((uv_handle_t *)&o->poll, on_handle_closed);
    }
    uv_close((uv_handle_t *)&o->timer, on_handle_closed);
}

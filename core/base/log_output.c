#include "core/base/log_output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

enum { FINISH_MS = 1000 };

static struct bytes buffered;  // lines to write; the first may be written in part
static uint64_t dropped;

/** Writes until the pipe is full for longer than `wait_ms`; returns how many bytes are done with. */
static size_t write_now(const uint8_t *data, size_t size, int wait_ms)
{
    size_t done = 0;
    while (done < size) {
        struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
        int ready = poll(&out, 1, wait_ms);  // ALLOW-BANNED: wait_ms is 0 except at the end of the process
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready <= 0) {
            return done;
        }
        // A pipe that is ready takes up to PIPE_BUF bytes without blocking, in one piece.
        size_t chunk = size - done < PIPE_BUF ? size - done : PIPE_BUF;
        ssize_t count = write(STDERR_FILENO, data + done, chunk);
        if (count < 0 && errno == EAGAIN) {
            return done;
        }
        if (count < 0 && errno != EINTR) {
            return size;  // a full disk or a closed pipe must not stop the process: the data is lost
        }
        done += count < 0 ? 0 : (size_t)count;
    }
    return done;
}

static void write_buffered(int wait_ms)
{
    if (buffered.size == 0) {
        return;
    }
    size_t done = write_now(buffered.data, buffered.size, wait_ms);
    memmove(buffered.data, buffered.data + done, buffered.size - done);
    buffered.size -= done;
    if (buffered.size == 0) {
        bytes_clear(&buffered);
    }
}

void log_output_write(struct slice line)
{
    write_buffered(0);
    size_t done = buffered.size == 0 ? write_now(line.data, line.size, 0) : 0;
    if (done == line.size) {
        return;
    }
    // A line that was written in part is buffered even beyond the limit.
    if (done == 0 && buffered.size + line.size > LOG_OUTPUT_MAX_BYTES) {
        dropped++;
        return;
    }
    bytes_append(&buffered, line.data + done, line.size - done);
}

uint64_t log_output_flush(void)
{
    write_buffered(0);
    if (buffered.size > 0) {
        return 0;
    }
    uint64_t count = dropped;
    dropped = 0;
    return count;
}

void log_output_finish(void)
{
    write_buffered(FINISH_MS);
}

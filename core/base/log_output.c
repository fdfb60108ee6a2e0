#include "core/base/log_output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

enum { FINISH_MS = 1000 };

static struct bytes waiting;  // whole lines, but for the beginning of the first
static uint64_t dropped;

/** How much of the data was taken without waiting; the rest is for later. */
static size_t write_now(const uint8_t *data, size_t size, int wait_ms)
{
    size_t done = 0;
    while (done < size) {
        struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
        int ready = poll(&out, 1, wait_ms);  // ALLOW-BANNED: waits 0 ms, but at the end of the process
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready <= 0) {
            return done;
        }
        // A pipe that is ready takes this much without waiting, and in one piece.
        size_t chunk = size - done < PIPE_BUF ? size - done : PIPE_BUF;
        ssize_t count = write(STDERR_FILENO, data + done, chunk);
        if (count < 0 && errno == EAGAIN) {
            return done;
        }
        if (count < 0 && errno != EINTR) {
            return size;  // a full disk or a closed pipe must not stop the work: it is lost
        }
        done += count < 0 ? 0 : (size_t)count;
    }
    return done;
}

static void write_waiting(int wait_ms)
{
    if (waiting.size == 0) {
        return;
    }
    size_t done = write_now(waiting.data, waiting.size, wait_ms);
    memmove(waiting.data, waiting.data + done, waiting.size - done);
    waiting.size -= done;
    if (waiting.size == 0) {
        bytes_clear(&waiting);
    }
}

void log_output_write(struct slice line)
{
    write_waiting(0);
    size_t done = waiting.size == 0 ? write_now(line.data, line.size, 0) : 0;
    if (done == line.size) {
        return;
    }
    // A line whose beginning is out already is kept in any case.
    if (done == 0 && waiting.size + line.size > LOG_OUTPUT_MAX_BYTES) {
        dropped++;
        return;
    }
    bytes_append(&waiting, line.data + done, line.size - done);
}

uint64_t log_output_flush(void)
{
    write_waiting(0);
    if (waiting.size > 0) {
        return 0;
    }
    uint64_t count = dropped;
    dropped = 0;
    return count;
}

void log_output_finish(void)
{
    write_waiting(FINISH_MS);
}

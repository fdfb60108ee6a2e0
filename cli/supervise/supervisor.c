#include "cli/supervise/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <utlist.h>

#include "cli/cli.h"
#include "cli/supervise/child.h"
#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum { DRAIN_MS = 25000, FAILED_AGAIN_MS = 60000, READ_BYTES = 65536 };
#define RESTART_MIN_US (1 * CLOCK_US_PER_S)
#define RESTART_MAX_US (60 * CLOCK_US_PER_S)
#define HEALTHY_US (60 * CLOCK_US_PER_S)
#define TURN_US (10 * CLOCK_US_PER_S)

enum supervised_state {
    SUPERVISED_RUNNING,
    SUPERVISED_DRAINING,     // asked to leave
    SUPERVISED_BACKING_OFF,  // ended by itself; starts again later
    SUPERVISED_FAILED,       // ended with 78: waits for somebody to change something; tried each minute
    SUPERVISED_STOPPED,      // left as asked
};

static const char *const STATE_NAMES[] = {
    [SUPERVISED_RUNNING] = "running",         [SUPERVISED_DRAINING] = "draining",
    [SUPERVISED_BACKING_OFF] = "backing_off", [SUPERVISED_FAILED] = "failed",
    [SUPERVISED_STOPPED] = "stopped",
};

/** One process there is to be; from its first start until it is no longer wished for. */
struct supervised {
    struct supervisor *supervisor;
    char *kind;
    char *name;
    char *component;
    int number;
    uint64_t print;
    enum supervised_state state;
    char detail[512];
    bool is_wished;         // false: goes away after the drain
    bool is_again;          // starts again after the drain
    uv_process_t *process;  // NULL: none runs
    uv_pipe_t *pipe;
    uv_timer_t *timer;  // restart, or the drain's limit
    struct backoff backoff;
    int64_t started_us;
    int64_t reported_us;  // when its loop last gave a sign
    struct bytes input;
    char *scratch;
    struct child_report report;
    struct supervised *next;
};

struct supervisor {
    struct supervisor_params params;
    struct supervised *children;
    bool is_draining;
    bool is_ended;
};

static void start_child(struct supervised *c);

static void on_closed_free(uv_handle_t *handle)
{
    free(handle);
}

static void enter(struct supervised *c, enum supervised_state to, const char *why)
{
    c->state = to;
    (void)snprintf(c->detail, sizeof(c->detail), "%s", why);
}

static void close_pipe(struct supervised *c)
{
    if (c->pipe != NULL) {
        uv_close((uv_handle_t *)TAKE(c->pipe), on_closed_free);
    }
    bytes_reset(&c->input);
    child_report_clear(&c->report);
}

static void free_child(struct supervised *c)
{
    close_pipe(c);
    if (c->process != NULL) {
        (void)uv_process_kill(c->process, SIGKILL);
        uv_close((uv_handle_t *)c->process, on_closed_free);
    }
    uv_close((uv_handle_t *)c->timer, on_closed_free);
    bytes_clear(&c->input);
    free(c->scratch);
    free(c->kind);
    free(c->name);
    free(c->component);
    free(c);
}

/** Whether something still runs or will run again by itself. */
static bool is_going_on(const struct supervised *c)
{
    return c->state == SUPERVISED_RUNNING || c->state == SUPERVISED_DRAINING ||
           c->state == SUPERVISED_BACKING_OFF;
}

static bool is_any_going_on(const struct supervisor *s)
{
    for (const struct supervised *c = s->children; c != NULL; c = c->next) {
        if (is_going_on(c)) {
            return true;
        }
    }
    return false;
}

static void check_end(struct supervisor *s)
{
    if (s->is_draining && !s->is_ended && !is_any_going_on(s)) {
        s->is_ended = true;
        s->params.on_end(s->params.self);
    }
}

static void on_restart(uv_timer_t *timer)
{
    start_child(timer->data);
}

static void restart_later(struct supervised *c, const char *why)
{
    if (clock_now_us() - c->started_us >= HEALTHY_US) {
        backoff_reset(&c->backoff);
    }
    // At least the shortest wait: a child that ends at once must not keep the machine busy.
    int64_t wait_us = backoff_next_us(&c->backoff);
    wait_us = wait_us < RESTART_MIN_US ? RESTART_MIN_US : wait_us;
    enter(c, SUPERVISED_BACKING_OFF, why);
    log_error(c->component, "child_ended", LOG_WITH(LOG_NUMBER("restart_ms", wait_us / CLOCK_US_PER_MS)),
              "%s; starts again", why);
    (void)uv_timer_start(c->timer, on_restart, (uint64_t)(wait_us / CLOCK_US_PER_MS), 0);
}

/** What it waits for need not be in a file, nor give a sign: a right granted, a database made. */
static void wait_for_change(struct supervised *c, const char *why)
{
    enter(c, SUPERVISED_FAILED, why);
    log_error(
        c->component, "child_failed", LOG_WITH(LOG_NUMBER("restart_ms", FAILED_AGAIN_MS)),
        "something must be changed first; it starts again when a file of the folder changes, at SIGHUP, and "
        "each minute: %s",
        why);
    if (!c->supervisor->is_draining) {
        (void)uv_timer_start(c->timer, on_restart, FAILED_AGAIN_MS, 0);
    }
}

static void on_left(struct supervised *c)
{
    enter(c, SUPERVISED_STOPPED, "");
    if (c->supervisor->is_draining) {
        return;
    }
    if (c->is_wished && c->is_again) {
        backoff_reset(&c->backoff);
        start_child(c);
    } else if (!c->is_wished) {
        LL_DELETE(c->supervisor->children, c);
        free_child(c);
    }
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret)
{
    (void)size;
    struct supervised *c = handle->data;
    *ret = uv_buf_init(c->scratch, READ_BYTES);
}

/** Takes in what the child has sent; false when that is not what a child sends. */
static bool take_reports(struct supervised *c)
{
    struct fault f;
    for (;;) {
        switch (child_report_read(&c->input, &c->report, &f)) {
        case CHILD_REPORT:
            c->reported_us = clock_now_us();
            break;
        case CHILD_NOTHING:
            return true;
        case CHILD_FAULT:
            log_error(c->component, "report_refused", NULL, "%s", f.text);
            return false;
        }
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct supervised *c = stream->data;
    if (count < 0) {
        (void)uv_read_stop(stream);  // its exit follows
        return;
    }
    bytes_append(&c->input, buffer->base, (size_t)count);
    if (!take_reports(c)) {
        (void)uv_read_stop(stream);
        (void)uv_process_kill(c->process, SIGKILL);
    }
}

/** Its last words may still be in the pipe when we hear of its end. */
static void read_last_words(struct supervised *c)
{
    uv_os_fd_t fd;
    if (c->pipe == NULL || uv_fileno((uv_handle_t *)c->pipe, &fd) != 0) {
        return;
    }
    for (ssize_t count; (count = read(fd, c->scratch, READ_BYTES)) > 0;) {
        bytes_append(&c->input, c->scratch, (size_t)count);
    }
    (void)take_reports(c);
}

static void on_child_exit(uv_process_t *process, int64_t status, int signal)
{
    struct supervised *c = process->data;
    struct supervisor *supervisor = c->supervisor;  // c may go
    uv_close((uv_handle_t *)process, on_closed_free);
    c->process = NULL;
    (void)uv_timer_stop(c->timer);
    read_last_words(c);
    char why[sizeof(c->detail)];
    if (c->report.fault.size > 0 && signal == 0) {
        (void)snprintf(why, sizeof(why), "%s", bytes_text(&c->report.fault));
    } else if (signal != 0) {
        (void)snprintf(why, sizeof(why), "ended by signal %d (%s)", signal, strsignal(signal));
    } else {
        (void)snprintf(why, sizeof(why), "ended with exit code %d", (int)status);
    }
    close_pipe(c);
    if (c->state == SUPERVISED_DRAINING) {
        log_info(c->component, "child_left", NULL, "%s", why);
        on_left(c);
    } else if (signal == 0 && status == CLI_CONFIG) {
        wait_for_change(c, why);
    } else {
        restart_later(c, why);
    }
    check_end(supervisor);
}

static int spawn(struct supervised *c)
{
    char number[16];
    (void)snprintf(number, sizeof(number), "%d", c->number);
    const char *dir = c->supervisor->params.dir;
    bool is_connector = strcmp(c->kind, "connector") == 0;
    const char *arguments[] = {
        "millrace", is_connector ? "connect" : "bridge", "-c", dir, "--child-fd", "3", "--number",
        number,     is_connector ? c->name : NULL,       NULL};
    uv_stdio_container_t stdio[4] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = 1},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)c->pipe},
    };
    const uv_process_options_t options = {
        .exit_cb = on_child_exit,
        .file = "/proc/self/exe",
        .args = (char **)(uintptr_t)arguments,
        .stdio = stdio,
        .stdio_count = 4,
    };
    return uv_spawn(c->supervisor->params.loop, c->process, &options);
}

static void start_child(struct supervised *c)
{
    uv_loop_t *loop = c->supervisor->params.loop;
    c->process = memory_zeroed(1, sizeof(*c->process));
    c->pipe = memory_zeroed(1, sizeof(*c->pipe));
    (void)uv_pipe_init(loop, c->pipe, 0);
    c->process->data = c;
    c->pipe->data = c;
    c->is_again = false;
    c->started_us = clock_now_us();
    c->reported_us = c->started_us;
    int failed = spawn(c);
    if (failed != 0) {
        uv_close((uv_handle_t *)TAKE(c->process), on_closed_free);
        close_pipe(c);
        restart_later(c, uv_strerror(failed));
        return;
    }
    enter(c, SUPERVISED_RUNNING, "");
    (void)uv_read_start((uv_stream_t *)c->pipe, on_alloc, on_read);
    log_info(c->component, "child_started", LOG_WITH(LOG_NUMBER("pid", c->process->pid)), "started");
}

static void on_drain_limit(uv_timer_t *timer)
{
    struct supervised *c = timer->data;
    log_warn(c->component, "child_killed", NULL, "has not drained in 25 s: killed, the rest comes again");
    if (c->process != NULL) {
        (void)uv_process_kill(c->process, SIGKILL);
    }
}

/** Asks a running child to leave; one that does not run has left. */
static void drain_child(struct supervised *c)
{
    if (c->state == SUPERVISED_DRAINING) {
        return;
    }
    if (c->state == SUPERVISED_RUNNING) {
        enter(c, SUPERVISED_DRAINING, "");
        (void)uv_process_kill(c->process, SIGTERM);
        (void)uv_timer_start(c->timer, on_drain_limit, DRAIN_MS, 0);
        return;
    }
    (void)uv_timer_stop(c->timer);
    on_left(c);
}

static struct supervised *new_child(struct supervisor *s, const struct supervisor_wish *wish)
{
    struct supervised *c = memory_zeroed(1, sizeof(*c));
    c->supervisor = s;
    c->kind = memory_string(wish->kind);
    c->name = memory_string(wish->name);
    c->component = strcmp(wish->kind, "connector") == 0 ? memory_format("connector/%s", wish->name)
                                                        : memory_string(wish->name);
    c->number = wish->number;
    c->backoff = backoff_make(RESTART_MIN_US, RESTART_MAX_US);
    c->scratch = memory_new(READ_BYTES);
    c->timer = memory_zeroed(1, sizeof(*c->timer));
    (void)uv_timer_init(s->params.loop, c->timer);
    c->timer->data = c;
    LL_APPEND(s->children, c);
    return c;
}

static struct supervised *find_child(struct supervisor *s, const struct supervisor_wish *wish)
{
    struct supervised *c;
    LL_FOREACH (s->children, c) {
        if (strcmp(c->kind, wish->kind) == 0 && strcmp(c->name, wish->name) == 0) {
            return c;
        }
    }
    return NULL;
}

static void apply_wish(struct supervisor *s, const struct supervisor_wish *wish)
{
    struct supervised *c = find_child(s, wish);
    bool is_new = c == NULL;
    c = is_new ? new_child(s, wish) : c;
    bool is_changed = c->print != wish->print;
    c->is_wished = true;
    c->print = wish->print;
    if (is_new || c->state == SUPERVISED_FAILED || c->state == SUPERVISED_STOPPED) {
        (void)uv_timer_stop(c->timer);
        start_child(c);
    } else if (c->state == SUPERVISED_DRAINING) {
        c->is_again = true;
    } else if (is_changed && c->state == SUPERVISED_RUNNING) {
        log_info(c->component, "child_restarting", NULL, "its configuration has changed");
        c->is_again = true;
        drain_child(c);
    }
}

void supervisor_retry(struct supervisor *s)
{
    struct supervised *c;
    LL_FOREACH (s->children, c) {
        if (c->state == SUPERVISED_FAILED && !s->is_draining) {
            (void)uv_timer_stop(c->timer);
            start_child(c);
        }
    }
}

void supervisor_apply(struct supervisor *s, const struct supervisor_wish *wishes, size_t count)
{
    if (s->is_draining) {
        return;
    }
    struct supervised *c;
    struct supervised *next;
    LL_FOREACH (s->children, c) {
        c->is_wished = false;
    }
    for (size_t i = 0; i < count; i++) {
        apply_wish(s, &wishes[i]);
    }
    LL_FOREACH_SAFE (s->children, c, next) {
        if (!c->is_wished) {
            c->is_again = false;
            drain_child(c);
        }
    }
}

struct supervisor *supervisor_start(const struct supervisor_params *params)
{
    struct supervisor *s = memory_zeroed(1, sizeof(*s));
    s->params = *params;
    return s;
}

void supervisor_drain(struct supervisor *s)
{
    s->is_draining = true;
    struct supervised *c;
    struct supervised *next;
    LL_FOREACH_SAFE (s->children, c, next) {
        drain_child(c);
    }
    check_end(s);
}

void supervisor_each(void *self, void (*on_part)(void *context, const struct health_part *part),
                     void *context)
{
    const struct supervisor *s = self;
    for (const struct supervised *c = s->children; c != NULL; c = c->next) {
        bool is_running = c->state == SUPERVISED_RUNNING;
        bool is_stuck = is_running && clock_now_us() - c->reported_us >= TURN_US;
        const struct health_part part = {
            .kind = c->kind,
            .name = c->name,
            .state = STATE_NAMES[c->state],
            .detail = is_stuck ? "has not reported for 10 s" : c->detail,
            .is_alive = !is_stuck,
            .is_ready = is_running && !is_stuck && c->report.is_ready,
            .status = bytes_slice(&c->report.status),
            .metrics = bytes_slice(&c->report.metrics),
        };
        on_part(context, &part);
    }
}

void supervisor_free(struct supervisor *s)
{
    if (s == NULL) {
        return;
    }
    struct supervised *c;
    struct supervised *next;
    LL_FOREACH_SAFE (s->children, c, next) {
        free_child(c);
    }
    free(s);
}

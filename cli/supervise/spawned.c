#include "cli/supervise/spawned.h"

#include <signal.h>
#include <unistd.h>

#include "core/base/log.h"

enum { READ_BYTES = 65536 };

struct spawned {
    struct spawned_params params;
    uv_process_t process;
    uv_pipe_t pipe;
    int handles;  // still open on the loop
    struct bytes input;
    char *scratch;
};

static void on_closed(uv_handle_t *handle)
{
    struct spawned *s = handle->data;
    if (--s->handles == 0) {
        bytes_clear(&s->input);
        free(s->scratch);
        free(s);
    }
}

static void close_all(struct spawned *s)
{
    uv_close((uv_handle_t *)&s->pipe, on_closed);
    uv_close((uv_handle_t *)&s->process, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret)
{
    (void)size;
    struct spawned *s = handle->data;
    *ret = uv_buf_init(s->scratch, READ_BYTES);
}

/** Hands out the received reports; false when one is invalid. */
static bool take_reports(struct spawned *s)
{
    struct fault f;
    for (;;) {
        CLEANUP(child_report_clear) struct child_report report = {0};
        switch (child_report_read(&s->input, &report, &f)) {
        case CHILD_REPORT:
            s->params.on_report(s->params.self, &report);
            break;
        case CHILD_NOTHING:
            return true;
        case CHILD_FAULT:
            log_error(s->params.component, "report_refused", NULL, "%s", f.text);
            return false;
        }
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct spawned *s = stream->data;
    if (count < 0) {
        (void)uv_read_stop(stream);  // on_process_exit follows
        return;
    }
    bytes_append(&s->input, buffer->base, (size_t)count);
    if (!take_reports(s)) {
        (void)uv_read_stop(stream);
        (void)uv_process_kill(&s->process, SIGKILL);
    }
}

/** The child's final report may still be unread. */
static void read_final_report(struct spawned *s)
{
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&s->pipe, &fd) != 0) {
        return;
    }
    for (ssize_t count; (count = read(fd, s->scratch, READ_BYTES)) > 0;) {
        bytes_append(&s->input, s->scratch, (size_t)count);
    }
    (void)take_reports(s);
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal)
{
    struct spawned *s = process->data;
    read_final_report(s);
    close_all(s);
    s->params.on_exit(s->params.self, status, signal);
}

bool spawned_start(const struct spawned_params *params, struct spawned **ret, struct fault *f)
{
    struct spawned *s = memory_zeroed(1, sizeof(*s));
    s->params = *params;
    s->scratch = memory_new(READ_BYTES);
    s->handles = 2;
    (void)uv_pipe_init(params->loop, &s->pipe, 0);
    s->process.data = s;
    s->pipe.data = s;
    uv_stdio_container_t stdio[4] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = 1},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&s->pipe},
    };
    const uv_process_options_t options = {
        .exit_cb = on_process_exit,
        .file = params->executable,
        .args = (char **)(uintptr_t)params->arguments,
        .env = params->environment,
        .stdio = stdio,
        .stdio_count = 4,
    };
    int failed = uv_spawn(params->loop, &s->process, &options);
    if (failed != 0) {
        close_all(s);
        return fault_set(f, FAULT_RETRY, "%s", uv_strerror(failed));
    }
    (void)uv_read_start((uv_stream_t *)&s->pipe, on_alloc, on_read);
    *ret = s;
    return true;
}

int spawned_pid(const struct spawned *s)
{
    return s->process.pid;
}

void spawned_signal(struct spawned *s, int number)
{
    (void)uv_process_kill(&s->process, number);
}

void spawned_free(struct spawned *s)
{
    if (s != NULL) {
        spawned_signal(s, SIGKILL);
        close_all(s);
    }
}

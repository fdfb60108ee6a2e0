#include "bridge/endpoints/aws/aws_process.h"

#include <ctype.h>
#include <fnmatch.h>
#include <signal.h>
#include <unistd.h>

#include <openssl/crypto.h>

enum { OUTPUT_MAX = 64 * 1024, ERRORS_MAX = 4 * 1024, SHOWN_MAX = 200 };

enum {
    HANDLES = 4,
    DRAINED_CHUNKS = 32,  // more than a pipe or a socket holds
};

struct aws_process {
    uv_process_t process;
    uv_timer_t timer;
    uv_pipe_t output_pipe;
    uv_pipe_t errors_pipe;
    struct bytes output;
    struct bytes errors;  // the first ERRORS_MAX bytes
    char chunk[8192];
    bool has_ended;
    int64_t exit_code;
    int exit_signal;
    const char *problem;          // why it was killed; NULL: it was not
    aws_process_on_done on_done;  // NULL: cancelled, or called already
    void *self;
    int open_handles;
};

bool aws_process_split(const char *command, struct text_list *ret, struct fault *f)
{
    struct bytes word CLEANUP(bytes_wipe) = {0};
    bool is_word = false;
    char quote = '\0';
    for (const char *c = command; *c != '\0'; c++) {
        bool escapes =
            *c == '\\' && quote != '\'' && c[1] != '\0' && (quote == '\0' || c[1] == '"' || c[1] == '\\');
        if (escapes) {
            bytes_append_byte(&word, (uint8_t) * ++c);
            is_word = true;
        } else if (quote == '\0' && (*c == '"' || *c == '\'')) {
            quote = *c;
            is_word = true;
        } else if (*c == quote) {
            quote = '\0';
        } else if (quote == '\0' && isspace((unsigned char)*c) != 0) {
            if (is_word) {
                text_list_add(ret, bytes_text(&word));
            }
            bytes_reset(&word);
            is_word = false;
        } else {
            bytes_append_byte(&word, (uint8_t)*c);
            is_word = true;
        }
    }
    if (is_word) {
        text_list_add(ret, bytes_text(&word));
    }
    if (quote != '\0') {
        return fault_set(f, FAULT_CONFIG, "credential_process: a quote (%c) is not closed", quote);
    }
    return ret->count > 0 || fault_set(f, FAULT_CONFIG, "credential_process is empty");
}

/** The part of this process's environment that it gets: NULL-ended, borrowed strings. */
static char **make_environment(void)
{
    static const char *const GIVEN[] = {"AWS_*", "PATH", "HOME", "USER",   "LOGNAME",   "SHELL",
                                        "LANG",  "LC_*", "TZ",   "TMPDIR", "SSL_CERT_*"};
    size_t count = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **made = memory_zeroed(count + 1, sizeof(*made));
    size_t given = 0;
    for (size_t i = 0; i < count; i++) {
        CLEANUP(memory_free_pointer)
        char *name = slice_to_string(slice_make(environ[i], strcspn(environ[i], "=")));
        bool is_given = false;
        for (size_t k = 0; k < COUNT_OF(GIVEN); k++) {
            is_given = is_given || fnmatch(GIVEN[k], name, 0) == 0;
        }
        if (is_given) {
            made[given++] = environ[i];
        }
    }
    return made;
}

static void on_closed(uv_handle_t *handle)
{
    struct aws_process *p = handle->data;
    if (--p->open_handles > 0) {
        return;
    }
    bytes_wipe(&p->output);
    bytes_wipe(&p->errors);
    OPENSSL_cleanse(p->chunk, sizeof(p->chunk));
    free(p);
}

static void close_handle(void *handle)
{
    if (uv_is_closing(handle) == 0) {
        uv_close(handle, on_closed);
    }
}

/** The process's own handle is closed when it has ended: until then libuv must wait for it. */
static void close_others(struct aws_process *p)
{
    close_handle(&p->timer);
    close_handle(&p->output_pipe);
    close_handle(&p->errors_pipe);
}

static void kill_group(struct aws_process *p)
{
    if (!p->has_ended) {
        (void)kill(-p->process.pid, SIGKILL);
    }
}

/** The first line of its standard error, without what is not printable. */
static struct slice first_line(struct bytes *errors)
{
    size_t size = 0;
    while (size < errors->size && size < SHOWN_MAX && errors->data[size] >= ' ' &&
           errors->data[size] < 0x7f) {
        size++;
    }
    return slice_make(errors->data, size);
}

static bool judge(struct aws_process *p, struct fault *f)
{
    struct slice said = first_line(&p->errors);
    const char *colon = said.size > 0 ? ": " : "";
    if (p->problem != NULL) {
        return fault_set(f, FAULT_RETRY, "credential_process %s", p->problem);
    }
    if (p->exit_signal != 0) {
        return fault_set(f, FAULT_RETRY, "credential_process was ended by signal %d%s%.*s", p->exit_signal,
                         colon, (int)said.size, (const char *)said.data);
    }
    return p->exit_code == 0 ||
           fault_set(f, FAULT_RETRY, "credential_process ended with %lld%s%.*s", (long long)p->exit_code,
                     colon, (int)said.size, (const char *)said.data);
}

static void finish(struct aws_process *p)
{
    aws_process_on_done on_done = p->on_done;
    struct fault f;
    p->on_done = NULL;
    close_others(p);
    if (on_done != NULL) {
        bool is_good = judge(p, &f);
        on_done(p->self, is_good ? bytes_slice(&p->output) : (struct slice){NULL, 0}, is_good ? NULL : &f);
    }
}

/** What it started in its group may hold its pipes open: that ends too. */
static void give_up(struct aws_process *p, const char *problem)
{
    p->problem = problem;
    kill_group(p);
    finish(p);
}

static void on_timeout(uv_timer_t *timer)
{
    give_up(timer->data, "did not end in time");
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct aws_process *p = handle->data;
    (void)suggested;
    *ret = uv_buf_init(p->chunk, sizeof(p->chunk));
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct aws_process *p = stream->data;
    if (size > 0 && p->output.size + (size_t)size > OUTPUT_MAX) {
        give_up(p, "writes more than 64 KiB");
    } else if (size > 0) {
        bytes_append(&p->output, buffer->base, (size_t)size);
    } else if (size < 0) {
        (void)uv_read_stop(stream);
    }
}

static void on_errors(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct aws_process *p = stream->data;
    size_t room = ERRORS_MAX - p->errors.size;
    if (size > 0) {
        bytes_append(&p->errors, buffer->base, (size_t)size < room ? (size_t)size : room);
    } else if (size < 0) {
        (void)uv_read_stop(stream);
    }
}

/** Reads what is there already: all that the process wrote before it ended, and maybe more of what it
 * started. */
static void drain(uv_pipe_t *pipe, uv_read_cb on_read)
{
    struct aws_process *p = pipe->data;
    uv_os_fd_t fd;
    for (size_t i = 0; i < DRAINED_CHUNKS && uv_is_closing((uv_handle_t *)pipe) == 0; i++) {
        ssize_t size = uv_fileno((uv_handle_t *)pipe, &fd) == 0 ? read(fd, p->chunk, sizeof(p->chunk)) : -1;
        if (size <= 0) {
            return;
        }
        const uv_buf_t buffer = uv_buf_init(p->chunk, sizeof(p->chunk));
        on_read((uv_stream_t *)pipe, size, &buffer);
    }
}

/** Something that it started may hold its pipes open for ever: that is not waited for. */
static void on_ended(uv_process_t *process, int64_t exit_code, int exit_signal)
{
    struct aws_process *p = process->data;
    p->exit_code = exit_code;
    p->exit_signal = exit_signal;
    p->has_ended = true;
    close_handle(&p->process);
    if (uv_is_closing((uv_handle_t *)&p->timer) != 0) {
        return;  // it was given up
    }
    drain(&p->output_pipe, on_output);
    if (uv_is_closing((uv_handle_t *)&p->timer) == 0) {
        drain(&p->errors_pipe, on_errors);
        finish(p);
    }
}

static int spawn(struct aws_process *p, uv_loop_t *loop, struct text_list *words)
{
    CLEANUP(memory_free_pointer) char **environment = make_environment();
    char **arguments CLEANUP(memory_free_pointer) = memory_zeroed(words->count + 1, sizeof(*arguments));
    memcpy(arguments, words->items, words->count * sizeof(*arguments));
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->output_pipe},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->errors_pipe},
    };
    const uv_process_options_t options = {
        .exit_cb = on_ended,
        .file = words->items[0],
        .args = arguments,
        .env = environment,
        .flags = UV_PROCESS_DETACHED,  // the leader of a group, so that it can be killed with what it started
        .stdio_count = COUNT_OF(stdio),
        .stdio = stdio,
    };
    return uv_spawn(loop, &p->process, &options);
}

bool aws_process_start(uv_loop_t *loop, const struct aws_process_params *params, struct aws_process **ret,
                       struct fault *f)
{
    struct text_list words CLEANUP(text_list_clear) = {0};
    if (!aws_process_split(params->command, &words, f)) {
        return false;
    }
    struct aws_process *p = memory_zeroed(1, sizeof(*p));
    p->output.is_secret = true;
    p->open_handles = HANDLES;
    (void)uv_timer_init(loop, &p->timer);
    (void)uv_pipe_init(loop, &p->output_pipe, 0);
    (void)uv_pipe_init(loop, &p->errors_pipe, 0);
    p->timer.data = p->output_pipe.data = p->errors_pipe.data = p->process.data = p;
    int failed = spawn(p, loop, &words);
    if (failed != 0) {
        close_handle(&p->process);  // uv_spawn has initialised it
        close_others(p);
        return fault_set(f, FAULT_RETRY, "credential_process: %.200s: %s", words.items[0],
                         uv_strerror(failed));
    }
    p->on_done = params->on_done;
    p->self = params->self;
    (void)uv_timer_start(&p->timer, on_timeout, params->timeout_ms, 0);
    (void)uv_read_start((uv_stream_t *)&p->output_pipe, on_allocate, on_output);
    (void)uv_read_start((uv_stream_t *)&p->errors_pipe, on_allocate, on_errors);
    *ret = p;
    return true;
}

void aws_process_cancel(struct aws_process *p)
{
    if (p != NULL) {
        p->on_done = NULL;
        give_up(p, "is not needed");
    }
}

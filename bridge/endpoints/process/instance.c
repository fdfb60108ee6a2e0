#include "bridge/endpoints/process/instance.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "bridge/config/process_user.h"
#include "bridge/endpoints/process/error_document.h"
#include "bridge/endpoints/process/instance_command.h"
#include "bridge/endpoints/process/instance_environment.h"
#include "bridge/endpoints/process/instance_output.h"
#include "bridge/endpoints/process/output_text.h"
#include "bridge/endpoints/process/process_limits.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"

enum {
    STOP_MS = 1000,          // from SIGTERM to the kill; the bridge's own end waits 1.5 s
    KILL_MS = 1000,          // for the guard (cli/guard) to kill all, before it is killed itself
    CONNECTIONS_SPARE = 16,  // beyond one for each invocation and one for its result
};

struct instance {
    struct instance_params params;  // `config` and `function` are gone after the start
    enum instance_state state;
    size_t concurrency;
    struct runtime_server *server;
    struct instance_output *output;
    struct process_limits *limits;  // NULL: none is watched
    uv_process_t process;
    uv_timer_t timer;  // the end of the initialisation, of STOP_MS or of KILL_MS
    int parts;         // of server, output, process and timer those that are still open
    size_t running;
    int64_t idle_since_us;
    struct bytes init_error;  // what the function said why it can't start
    enum instance_kill killed;
    bool was_ready;  // it has asked for an invocation
};

static const char *component(const struct instance *i)
{
    return i->params.component;
}

/* ---- its end ---- */

static void on_part_closed(void *self)
{
    struct instance *i = self;
    if (--i->parts > 0) {
        return;
    }
    if (i->state == INSTANCE_ENDED) {  // else it was never started
        i->params.on_closed(i->params.self, i);
    }
    bytes_clear(&i->init_error);
    free(i);
}

static void on_handle_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

static void close_parts(struct instance *i)
{
    i->parts = 3;
    process_limits_stop(TAKE(i->limits));
    runtime_server_stop(TAKE(i->server), on_part_closed, i);
    instance_output_close(TAKE(i->output), on_part_closed, i);
    uv_close((uv_handle_t *)&i->timer, on_handle_closed);
    if (uv_handle_get_type((uv_handle_t *)&i->process) == UV_PROCESS) {  // uv_spawn was called
        i->parts++;
        uv_close((uv_handle_t *)&i->process, on_handle_closed);
    }
}

/** Signals the process and all that it has started, unless they have left its session's process group. */
static void signal_group(const struct instance *i, int number)
{
    (void)kill(-i->process.pid, number);
}

static void log_end(const struct instance *i, enum instance_end_reason reason, const char *text)
{
    bool is_expected = reason == INSTANCE_END_STOPPED;
    log_write(is_expected ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, component(i),
              reason == INSTANCE_END_INIT_FAILED ? "process_init_failed" : "process_ended",
              LOG_WITH(LOG_NUMBER("pid", i->process.pid), LOG_NUMBER("running", i->running)), "%s", text);
}

static void on_process_exit(uv_process_t *process, int64_t code, int signal)
{
    struct instance *i = process->data;
    signal_group(i, SIGKILL);  // what is left without its guard
    instance_output_drain(i->output);
    const struct instance_exit how = {
        .killed = i->killed,
        .was_stopped = i->state == INSTANCE_STOPPING,
        .was_ready = i->was_ready,
        .code = code,
        .signal = signal,
        .said = i->init_error.size > 0 ? bytes_text(&i->init_error) : instance_output_tail(i->output),
    };
    CLEANUP(bytes_clear) struct bytes text = {0};
    instance_exit_describe(&how, &text);
    enum instance_end_reason reason = instance_exit_reason(&how);
    i->state = INSTANCE_ENDED;
    log_end(i, reason, bytes_text(&text));
    const struct instance_end end = {reason, bytes_text(&text)};
    i->params.on_end(i->params.self, i, &end);
    close_parts(i);
}

static void on_kill_over(uv_timer_t *timer)
{
    signal_group(timer->data, SIGKILL);
}

/** Asks the guard, which also finds what has left the process group, and wakes it if the group was stopped.
 */
static void kill_all(struct instance *i)
{
    process_limits_stop(TAKE(i->limits));  // it might stop the guard
    (void)kill(i->process.pid, SIGUSR1);
    signal_group(i, SIGCONT);
    (void)uv_timer_start(&i->timer, on_kill_over, KILL_MS, 0);
}

void instance_kill(struct instance *i, enum instance_kill why)
{
    if (i->state >= INSTANCE_KILLED) {
        return;
    }
    i->state = INSTANCE_KILLED;
    i->killed = why;
    log_write(why == INSTANCE_KILL_RETIRED ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, component(i), "process_killed",
              LOG_WITH(LOG_NUMBER("pid", i->process.pid), LOG_TEXT("reason", instance_exit_kill_name(why))),
              "the function's process is killed");
    kill_all(i);
}

static void on_stop_over(uv_timer_t *timer)
{
    instance_kill(timer->data, INSTANCE_KILL_STOP_TIMEOUT);
}

void instance_stop(struct instance *i)
{
    if (i->state >= INSTANCE_STOPPING) {
        return;
    }
    i->state = INSTANCE_STOPPING;
    process_limits_stop(TAKE(i->limits));  // a process that is held does not see SIGTERM
    signal_group(i, SIGTERM);
    (void)uv_timer_start(&i->timer, on_stop_over, STOP_MS, 0);
}

void instance_retire(struct instance *i)
{
    if (i->state >= INSTANCE_RETIRING) {
        return;
    }
    i->state = INSTANCE_RETIRING;
    if (i->running == 0) {
        instance_kill(i, INSTANCE_KILL_RETIRED);
    }
}

/* ---- its invocations ---- */

static void on_waiting(void *self)
{
    struct instance *i = self;
    if (i->state == INSTANCE_STARTING) {
        i->state = INSTANCE_READY;
        i->was_ready = true;
        i->idle_since_us = clock_now_us();
        (void)uv_timer_stop(&i->timer);
        log_info(component(i), "process_ready", LOG_WITH(LOG_NUMBER("pid", i->process.pid)),
                 "the function asks for its first invocation");
    }
    if (i->state == INSTANCE_READY) {
        i->params.on_ready(i->params.self, i);
    }
}

/** Shows the id with the output, if there is only one that it can be of. */
static void name_request(struct instance *i)
{
    const struct runtime_invocation *only = i->running == 1 ? runtime_server_first(i->server) : NULL;
    instance_output_set_request(i->output, only == NULL ? NULL : only->id);
}

/** One invocation less. */
static void release(struct instance *i)
{
    i->running--;
    i->idle_since_us = clock_now_us();
    name_request(i);
}

static void on_result(void *self, struct runtime_invocation *invocation, const struct runtime_result *r)
{
    struct instance *i = self;
    release(i);
    i->params.on_result(i->params.self, i, invocation, r);
    if (i->state == INSTANCE_RETIRING && i->running == 0) {
        instance_kill(i, INSTANCE_KILL_RETIRED);
    }
}

static void on_init_error(void *self, const struct runtime_result *r)
{
    struct instance *i = self;
    CLEANUP(bytes_clear) struct bytes all = {0};
    error_document_describe(r->error_type, r->body, &all);
    bytes_reset(&i->init_error);
    output_text_append(&i->init_error, text_cut(bytes_slice(&all), INSTANCE_OUTPUT_TAIL_MAX));
}

bool instance_invoke(struct instance *i, struct runtime_invocation *invocation)
{
    if (i->state != INSTANCE_READY || i->running >= i->concurrency ||
        !runtime_server_send(i->server, invocation)) {
        return false;
    }
    i->running++;
    name_request(i);
    return true;
}

struct runtime_invocation *instance_take_running(struct instance *i)
{
    struct runtime_invocation *first = runtime_server_first(i->server);
    if (first != NULL) {
        runtime_server_forget(i->server, first);
        release(i);
    }
    return first;
}

void instance_abandon(struct instance *i, struct runtime_invocation *invocation)
{
    runtime_server_forget(i->server, invocation);
    release(i);
    if (i->running == 0) {
        instance_kill(i, INSTANCE_KILL_CANCELLED);
    } else {
        instance_retire(i);
    }
}

enum instance_state instance_state(const struct instance *i)
{
    return i->state;
}

size_t instance_running(const struct instance *i)
{
    return i->running;
}

int64_t instance_idle_since_us(const struct instance *i)
{
    return i->idle_since_us;
}

/* ---- its start ---- */

static void on_init_over(uv_timer_t *timer)
{
    instance_kill(timer->data, INSTANCE_KILL_INIT_TIMEOUT);
}

static void on_memory(void *self)
{
    instance_kill(self, INSTANCE_KILL_MEMORY);
}

static bool spawn(struct instance *i, struct fault *f)
{
    const struct process_config *config = i->params.config;
    CLEANUP(instance_command_clear) struct instance_command command;
    instance_command_make(&command, config);
    char **environment =
        instance_environment_make(config, i->params.function, runtime_server_port(i->server));
    uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}};
    if (!instance_output_prepare(i->output, &stdio[1], &stdio[2], f)) {
        instance_environment_free(environment);
        return false;
    }
    const uv_process_options_t options = {
        .exit_cb = on_process_exit,
        .file = i->params.program,
        .args = command.arguments,
        .env = environment,
        .stdio = stdio,
        .stdio_count = 3,
        .flags = UV_PROCESS_DETACHED,  // a session of its own, before it can start anything
    };
    int failed = uv_spawn(i->params.loop, &i->process, &options);
    instance_environment_free(environment);
    return failed == 0 ||
           fault_set(f, FAULT_RETRY, "can't start %s: %s", i->params.program, uv_strerror(failed));
}

static bool open_server(struct instance *i, uid_t uid, struct fault *f)
{
    const struct runtime_server_params params = {
        .loop = i->params.loop,
        .component = i->params.component,
        .uid = uid,
        .connections_max = 2 * i->concurrency + CONNECTIONS_SPARE,
        .events = {on_waiting, on_result, on_init_error, i},
    };
    return runtime_server_start(&params, &i->server, f);
}

static void watch(struct instance *i, const struct process_config *config)
{
    if (config->memory_bytes > 0 || config->cpu_millis > 0) {
        const struct process_limits_params params = {
            .loop = i->params.loop,
            .leader = i->process.pid,
            .memory_bytes = config->memory_bytes,
            .cpu_millis = config->cpu_millis,
            .on_memory = on_memory,
            .self = i,
        };
        i->limits = process_limits_start(&params);
    }
    uint64_t init_ms = (uint64_t)(config->init_timeout_us / CLOCK_US_PER_MS);
    (void)uv_timer_start(&i->timer, on_init_over, init_ms, 0);
}

static bool find_uid(const char *name, uid_t *ret, struct fault *f)
{
    CLEANUP(process_user_clear) struct process_user user = {0};
    if (!process_user_find(name, &user)) {
        return fault_set(f, FAULT_CONFIG, "there is no user \"%s\" on this machine", name);
    }
    *ret = user.uid;
    return true;
}

bool instance_start(const struct instance_params *params, struct instance **ret, struct fault *f)
{
    uid_t uid = geteuid();  // millrace's own user needs no entry in the user database
    if (params->config->user != NULL && !find_uid(params->config->user, &uid, f)) {
        return false;
    }
    struct instance *i = memory_zeroed(1, sizeof(*i));
    i->params = *params;
    i->concurrency = (size_t)params->config->concurrency_per_instance;
    if (!open_server(i, uid, f)) {
        free(i);
        return false;
    }
    i->output = instance_output_new(params->loop, params->component);
    (void)uv_timer_init(params->loop, &i->timer);
    i->process.data = i;
    i->timer.data = i;
    if (!spawn(i, f)) {
        close_parts(i);
        return false;
    }
    instance_output_start(i->output, i->process.pid);
    watch(i, params->config);
    log_info(component(i), "process_started", LOG_WITH(LOG_NUMBER("pid", i->process.pid)),
             "a process of the function was started");
    *ret = i;
    return true;
}

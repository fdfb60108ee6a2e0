#include "cli/supervise/process.h"

#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/supervise/environment.h"
#include "cli/supervise/metrics_history.h"
#include "cli/supervise/spawned.h"
#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum { DRAIN_MS = 25000, FAILED_AGAIN_MS = 60000, ABORT_MS = 2000 };
#define RESTART_MIN_US (1 * CLOCK_US_PER_S)
#define RESTART_MAX_US (60 * CLOCK_US_PER_S)
#define HEALTHY_US (60 * CLOCK_US_PER_S)

static const char *const STATE_NAMES[] = {
#define X(name, text) [PROCESS_##name] = #text,
    PROCESS_STATES(X)
#undef X
};

#define BIT(name) (1u << PROCESS_##name)

// The states that may follow each state.
static const unsigned ALLOWED[] = {
    [PROCESS_NEW] = BIT(RUNNING) | BIT(BACKING_OFF) | BIT(STOPPED),
    [PROCESS_RUNNING] = BIT(DRAINING) | BIT(BACKING_OFF) | BIT(FAILED),
    [PROCESS_DRAINING] = BIT(STOPPED),
    [PROCESS_BACKING_OFF] = BIT(RUNNING) | BIT(BACKING_OFF) | BIT(STOPPED),
    [PROCESS_FAILED] = BIT(RUNNING) | BIT(BACKING_OFF) | BIT(STOPPED),
    [PROCESS_STOPPED] = BIT(RUNNING) | BIT(BACKING_OFF) | BIT(STOPPED),
};

struct process {
    struct process_params params;
    char *kind;
    char *name;
    char *component;             // for the log
    struct text_list variables;  // names of its environment variables, for its next start
    enum process_state state;
    char detail[512];
    int64_t since_wall_us;  // when the state was entered
    struct spawned *child;  // NULL: none runs
    uv_timer_t *timer;      // for the restart, the drain's limit, or the kill after an abort
    bool is_hung;           // was aborted because its loop hung
    struct backoff backoff;
    int64_t started_us;
    int64_t reported_us;  // time of its last report
    uint64_t restarts;
    bool is_reporting;           // `report` is from the running child
    struct child_report report;  // the last report; may be from a child that has ended
    struct metrics_history *history;
};

static void enter(struct process *p, enum process_state to, const char *why)
{
    INVARIANT((ALLOWED[p->state] & (1u << to)) != 0);
    log_debug(p->component, "process_state", NULL, "%s -> %s%s%s", STATE_NAMES[p->state], STATE_NAMES[to],
              why[0] == '\0' ? "" : ": ", why);
    p->state = to;
    p->since_wall_us = clock_wall_us();
    (void)snprintf(p->detail, sizeof(p->detail), "%s", why);
}

static void start(struct process *p);

static void on_restart(uv_timer_t *timer)
{
    struct process *p = timer->data;
    p->restarts++;
    start(p);
}

static void restart_later(struct process *p, const char *why, bool is_logged)
{
    if (clock_now_us() - p->started_us >= HEALTHY_US) {
        backoff_reset(&p->backoff);
    }
    // Never without a wait: a child that ends immediately must not keep the machine busy.
    int64_t wait_us = backoff_next_us(&p->backoff);
    wait_us = wait_us < RESTART_MIN_US ? RESTART_MIN_US : wait_us;
    enter(p, PROCESS_BACKING_OFF, why);
    log_error(p->component, "child_ended", LOG_WITH(LOG_NUMBER("restart_ms", wait_us / CLOCK_US_PER_MS)),
              "%s; restarting", is_logged ? "ended with the error that it has logged" : why);
    (void)uv_timer_start(p->timer, on_restart, (uint64_t)(wait_us / CLOCK_US_PER_MS), 0);
}

/** Retries each minute, because the required change may happen outside the files: a granted right, a new
 * database. */
static void wait_for_change(struct process *p, const char *why, bool is_logged)
{
    enter(p, PROCESS_FAILED, why);
    log_error(
        p->component, "child_failed", LOG_WITH(LOG_NUMBER("restart_ms", FAILED_AGAIN_MS)),
        "something must be changed first; it is restarted when a file of the folder changes, at SIGHUP, and "
        "each minute%s%s",
        is_logged ? "" : ": ", is_logged ? "" : why);
    if (!p->params.is_ending(p->params.self)) {
        (void)uv_timer_start(p->timer, on_restart, FAILED_AGAIN_MS, 0);
    }
}

static void on_report(void *self, struct child_report *report)
{
    struct process *p = self;
    p->reported_us = clock_now_us();
    if (report->fault.size > 0) {  // a final report has no other content
        bytes_clear(&p->report.fault);
        p->report.fault = report->fault;
        report->fault = (struct bytes){0};
    } else {
        child_report_clear(&p->report);
        p->report = *report;
        *report = (struct child_report){0};
        p->is_reporting = true;
    }
}

/** Writes why it ended to `ret`; true when the child has logged that itself. */
static bool describe_end(struct process *p, int64_t status, int signal, char *ret, size_t size)
{
    if (p->is_hung) {
        (void)snprintf(ret, size, "killed: its event loop did not turn for %d s",
                       (int)(p->params.hang_us / CLOCK_US_PER_S));
    } else if (p->report.fault.size > 0 && signal == 0) {
        (void)snprintf(ret, size, "%s", bytes_text(&p->report.fault));
        return true;
    } else if (signal != 0) {
        (void)snprintf(ret, size, "ended by signal %d (%s)", signal, strsignal(signal));
    } else {
        (void)snprintf(ret, size, "ended with exit code %d", (int)status);
    }
    return false;
}

static void on_exit_of_child(void *self, int64_t status, int signal)
{
    struct process *p = self;
    const struct process_params params = p->params;  // on_left may free p
    p->child = NULL;
    (void)uv_timer_stop(p->timer);
    char why[sizeof(p->detail)];
    bool is_logged = describe_end(p, status, signal, why, sizeof(why));
    if (p->is_reporting) {
        metrics_history_end(p->history, bytes_slice(&p->report.metrics));
    }
    p->is_reporting = false;
    if (p->state == PROCESS_DRAINING) {
        log_info(p->component, "child_left", NULL, "%s", why);
        enter(p, PROCESS_STOPPED, "");
        backoff_reset(&p->backoff);
        params.on_left(params.self, p);
    } else if (signal == 0 && status == CLI_CONFIG) {
        wait_for_change(p, why, is_logged);
    } else {
        restart_later(p, why, is_logged);
    }
    params.on_ended(params.supervisor);
}

static bool spawn(struct process *p, struct fault *f)
{
    char number[16];
    (void)snprintf(number, sizeof(number), "%d", p->params.number);
    bool is_connector = strcmp(p->kind, "connector") == 0;
    const char *const arguments[] = {
        "millrace", is_connector ? "connect" : "bridge", "-c", p->params.dir, "--child-fd", "3", "--number",
        number,     is_connector ? p->name : NULL,       NULL};
    CLEANUP(memory_free_pointer) char **environment = environment_make(&p->variables, is_connector);
    const struct spawned_params params = {
        .loop = p->params.loop,
        .executable = p->params.executable,
        .component = p->component,
        .arguments = arguments,
        .environment = environment,
        .on_report = on_report,
        .on_exit = on_exit_of_child,
        .self = p,
    };
    return spawned_start(&params, &p->child, f);
}

static void start(struct process *p)
{
    struct fault f;
    (void)uv_timer_stop(p->timer);
    p->is_hung = false;
    bytes_reset(&p->report.fault);
    p->started_us = clock_now_us();
    p->reported_us = p->started_us;
    if (!spawn(p, &f)) {
        restart_later(p, f.text, false);
        return;
    }
    enter(p, PROCESS_RUNNING, "");
    log_info(p->component, "child_started", LOG_WITH(LOG_NUMBER("pid", spawned_pid(p->child))), "started");
}

void process_start(struct process *p)
{
    switch (p->state) {
    case PROCESS_NEW:
    case PROCESS_FAILED:
    case PROCESS_STOPPED:
        start(p);
        break;
    case PROCESS_RUNNING:
    case PROCESS_DRAINING:
    case PROCESS_BACKING_OFF:
        break;
    }
}

static void on_drain_limit(uv_timer_t *timer)
{
    struct process *p = timer->data;
    log_warn(p->component, "child_killed", NULL,
             "killed: not drained within 25 s; the rest is delivered again later");
    if (p->child != NULL) {
        spawned_signal(p->child, SIGKILL);
    }
}

void process_drain(struct process *p)
{
    switch (p->state) {
    case PROCESS_DRAINING:
        break;
    case PROCESS_RUNNING:
        enter(p, PROCESS_DRAINING, "");
        spawned_signal(p->child, SIGTERM);
        (void)uv_timer_start(p->timer, on_drain_limit, DRAIN_MS, 0);
        break;
    case PROCESS_NEW:
    case PROCESS_BACKING_OFF:
    case PROCESS_FAILED:
    case PROCESS_STOPPED:
        (void)uv_timer_stop(p->timer);
        enter(p, PROCESS_STOPPED, "");
        backoff_reset(&p->backoff);
        p->params.on_left(p->params.self, p);
        break;
    }
}

static void on_abort_limit(uv_timer_t *timer)
{
    struct process *p = timer->data;
    if (p->child != NULL) {
        spawned_signal(p->child, SIGKILL);
    }
}

void process_check(struct process *p)
{
    if (p->state != PROCESS_RUNNING || p->is_hung || clock_now_us() - p->reported_us < p->params.hang_us) {
        return;
    }
    p->is_hung = true;
    log_error(p->component, "child_hung", NULL,
              "its event loop has not turned for %d s: aborting and restarting it",
              (int)(p->params.hang_us / CLOCK_US_PER_S));
    spawned_signal(p->child, SIGABRT);  // leaves a core dump where those are enabled
    (void)uv_timer_start(p->timer, on_abort_limit, ABORT_MS, 0);
}

void process_forgive(struct process *p, int64_t pause_us)
{
    p->reported_us += pause_us;
}

struct process *process_new(const struct process_params *params)
{
    struct process *p = memory_zeroed(1, sizeof(*p));
    p->params = *params;
    p->kind = memory_string(params->kind);
    p->name = memory_string(params->name);
    bool is_connector = strcmp(params->kind, "connector") == 0;
    p->component = is_connector ? memory_format("connector/%s", params->name) : memory_string(params->name);
    p->since_wall_us = clock_wall_us();
    p->backoff = backoff_make(RESTART_MIN_US, RESTART_MAX_US);
    p->history = metrics_history_new();
    p->timer = memory_zeroed(1, sizeof(*p->timer));
    (void)uv_timer_init(params->loop, p->timer);
    p->timer->data = p;
    return p;
}

bool process_set_variables(struct process *p, const struct text_list *names)
{
    bool is_more = false;
    for (size_t i = 0; i < names->count; i++) {
        is_more = is_more || !text_list_has(&p->variables, names->items[i]);
    }
    text_list_clear(&p->variables);
    for (size_t i = 0; i < names->count; i++) {
        text_list_add(&p->variables, names->items[i]);
    }
    return is_more;
}

enum process_state process_state(const struct process *p)
{
    return p->state;
}

const char *process_kind(const struct process *p)
{
    return p->kind;
}

const char *process_name(const struct process *p)
{
    return p->name;
}

bool process_is_active(const struct process *p)
{
    return (BIT(RUNNING) | BIT(DRAINING) | BIT(BACKING_OFF)) & (1u << p->state);
}

void process_describe(const struct process *p, void (*on_part)(void *context, const struct health_part *part),
                      void *context)
{
    bool is_running = p->state == PROCESS_RUNNING;
    bool is_silent = is_running && clock_now_us() - p->reported_us >= p->params.silence_us;
    CLEANUP(bytes_clear) struct bytes metrics = {0};
    struct slice live = p->is_reporting ? bytes_slice(&p->report.metrics) : (struct slice){NULL, 0};
    metrics_history_write(p->history, live, &metrics);
    char silence[64];
    (void)snprintf(silence, sizeof(silence), "has not reported for %d s",
                   (int)((clock_now_us() - p->reported_us) / CLOCK_US_PER_S));
    const struct health_part part = {
        .kind = p->kind,
        .name = p->name,
        .process = p->component,
        .state = STATE_NAMES[p->state],
        .detail = is_silent ? silence : p->detail,
        .since_wall_us = p->since_wall_us,
        .is_alive = !is_silent,
        .is_ready = is_running && !is_silent && p->is_reporting && p->report.is_ready,
        .is_reporting = p->is_reporting && !is_silent,
        .is_supervised = true,
        .restarts = p->restarts,
        .status = bytes_slice(&p->report.status),
        .metrics = bytes_slice(&metrics),
    };
    on_part(context, &part);
}

static void on_closed_free(uv_handle_t *handle)
{
    free(handle);
}

void process_free(struct process *p)
{
    if (p == NULL) {
        return;
    }
    spawned_free(p->child);
    uv_close((uv_handle_t *)p->timer, on_closed_free);
    child_report_clear(&p->report);
    metrics_history_free(p->history);
    text_list_clear(&p->variables);
    free(p->kind);
    free(p->name);
    free(p->component);
    free(p);
}

#include "cli/supervise/worker.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "cli/cli.h"
#include "cli/config_hash.h"
#include "cli/supervise/child.h"
#include "cli/supervise/notify.h"
#include "cli/supervise/ports.h"
#include "cli/supervise/reload.h"
#include "core/base/log.h"
#include "core/base/memory_trim.h"
#include "core/config/settings_kind.h"

// Longer than the limits of the parts themselves, shorter than the 25 s after which the supervisor kills.
enum { DRAIN_MS = 23000, CLOSE_MS = 1500, SIGNALS = 3 };

struct worker_io {
    uv_signal_t signals[SIGNALS];
    uv_timer_t guard;  // limits the drain, then the closing of handles
    struct ports ports;
    struct health_provider provider;
    struct child_reporter *reporter;
    struct reload *reload;
    struct memory_trim trim;
    struct notify_watchdog watchdog;
    uint64_t settings_hash;  // of the millrace.yaml read last
};

int worker_exit_of(const struct fault *f)
{
    switch (f->kind) {
    case FAULT_NONE:
        return CLI_DONE;
    case FAULT_CONFIG:
        return CLI_CONFIG;
    case FAULT_RETRY:
        return CLI_FAILED;
    case FAULT_REJECT:
    case FAULT_FATAL:
        return CLI_INTERNAL;
    }
    return CLI_INTERNAL;
}

void worker_end(struct worker *w, const struct fault *f)
{
    if (f == NULL) {
        log_info(w->component, "stopped", NULL, "stopped after draining");
    } else {
        w->exit_code = worker_exit_of(f);
        if (w->io->reporter != NULL) {
            child_reporter_finish(w->io->reporter, f->text);
        }
    }
    uv_stop(&w->loop);
}

void worker_fail(struct worker *w, const struct fault *f)
{
    log_error(w->component, "failed", LOG_WITH(LOG_TEXT("kind", fault_kind_name(f->kind))), "%s", f->text);
    worker_end(w, f);
}

static bool is_supervised(const struct worker *w)
{
    return w->options->child_fd >= 0;
}

static void on_drain_limit(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    log_warn(w->component, "drain_ended", NULL,
             "not everything was settled in time: the rest is delivered again after the next start");
    uv_stop(&w->loop);
}

static void drain(struct worker *w, const char *why)
{
    w->is_draining = true;
    log_info(w->component, "draining", NULL, "%s: draining", why);
    notify_send("STOPPING=1");
    (void)uv_timer_start(&w->io->guard, on_drain_limit, DRAIN_MS, 0);
    w->type->drain(w);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct worker *w = handle->data;
    if (number == SIGHUP) {
        if (w->io->reload != NULL) {
            reload_now(w->io->reload);
        }
    } else if (!w->is_draining) {
        // A terminal's ^C reaches the supervisor too, which then sends SIGTERM.
        if (number == SIGTERM || !is_supervised(w)) {
            drain(w, number == SIGTERM ? "SIGTERM" : "SIGINT");
        }
    } else if (!is_supervised(w)) {
        log_warn(w->component, "stopped_at_once", NULL, "second signal: stopping at once");
        uv_stop(&w->loop);
    }
}

static void on_orphan(void *self)
{
    struct worker *w = self;
    if (!w->is_draining) {
        drain(w, "the supervisor has ended");
    }
}

static bool is_ready(void *self)
{
    const struct worker *w = self;
    return w->part != NULL && !w->is_draining && w->type->is_ready(w);
}

static void fill_report(void *self, struct child_report *report)
{
    struct worker *w = self;
    if (w->part != NULL) {
        w->type->status(w, &report->status);
    }
    metrics_write(w->metrics, &report->metrics);
}

static void each_part(void *self, void (*on_part)(void *context, const struct health_part *part),
                      void *context)
{
    CLEANUP(child_report_clear) struct child_report report = {0};
    const struct worker *w = self;
    fill_report(self, &report);
    const struct health_part part = {
        .kind = w->type->kind,
        .name = w->name,
        .state = w->is_draining ? "draining" : "running",
        .detail = "",
        .is_alive = true,  // the loop itself makes this response
        .is_reporting = true,
        .is_ready = is_ready(self),
        .status = bytes_slice(&report.status),
        .metrics = bytes_slice(&report.metrics),
    };
    on_part(context, &part);
}

static bool open_ports(struct worker *w, struct fault *f)
{
    w->io->provider = (struct health_provider){
        .each = each_part,
        .rejected = &w->set.rejected,
        .is_one_connector = strcmp(w->type->kind, "connector") == 0,
        .self = w,
    };
    const struct ports_params params = {
        .loop = &w->loop,
        .settings = w->set.settings,
        .registry = w->registry,
        .provider = &w->io->provider,
        .component = w->component,
    };
    return ports_open(&params, &w->io->ports, f);
}

static void on_config(void *self, struct config_set *set)
{
    struct worker *w = self;
    uint64_t settings_hash = config_hash_settings(set->settings);
    if (!is_supervised(w) && settings_hash != w->io->settings_hash) {
        log_warn(w->component, "restart_needed", NULL, "millrace.yaml has changed: restart to use it");
    }
    w->io->settings_hash = settings_hash;
    if (!w->is_draining) {
        w->type->reload(w, set);
    }
}

static void start_signals(struct worker *w)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    for (int i = 0; i < SIGNALS; i++) {
        (void)uv_signal_init(&w->loop, &w->io->signals[i]);
        w->io->signals[i].data = w;
        (void)uv_signal_start(&w->io->signals[i], on_signal, numbers[i]);
    }
    (void)uv_timer_init(&w->loop, &w->io->guard);
    w->io->guard.data = w;
}

static bool start(struct worker *w, struct fault *f)
{
    w->metrics = metrics_new();
    if (!registry_open(&w->loop, w->set.settings, &w->registry, f)) {
        return false;
    }
    const struct tracer_params tracing = {
        .loop = &w->loop, .settings = w->set.settings, .metrics = w->metrics, .instance = w->component};
    if (!tracer_start(&tracing, &w->tracer, f)) {
        return false;
    }
    if (is_supervised(w)) {
        const struct child_source source = {fill_report, is_ready, on_orphan, w};
        w->io->reporter = child_reporter_start(&w->loop, w->options->child_fd, &source);
    } else if (!open_ports(w, f)) {
        return false;
    }
    if (!is_supervised(w) || !w->type->is_restarted) {
        w->io->settings_hash = config_hash_settings(w->set.settings);
        const struct reload_params params = {
            .loop = &w->loop,
            .dir = w->options->dir,
            .component = w->component,
            .scope = *w->scope,
            .hash = config_hash_set(&w->set),
            .folders = config_set_used_folders(&w->set),
            .on_config = on_config,
            .rejected = &w->set.rejected,
            .is_quiet = is_supervised(w),
            .self = w,
        };
        w->io->reload = reload_start(&params);
    }
    return w->type->start(w, f);
}

static void on_close_limit(uv_timer_t *timer)
{
    uv_stop(&((struct worker *)timer->data)->loop);
}

/** False when it was stopped at once or ran out of time: running parts still use the worker's memory. */
static bool is_over(const struct worker *w)
{
    return w->part == NULL || w->type->is_over == NULL || w->type->is_over(w);
}

/** Frees everything and waits CLOSE_MS at most for the handles to close. */
static void close_all(struct worker *w)
{
    w->type->free(w);
    tracer_stop(w->tracer);
    reload_stop(w->io->reload);
    child_reporter_stop(w->io->reporter);
    ports_close(&w->io->ports);
    registry_close(w->registry);
    memory_trim_stop(&w->io->trim);
    notify_watchdog_stop(&w->io->watchdog);
    for (int i = 0; i < SIGNALS; i++) {
        uv_close((uv_handle_t *)&w->io->signals[i], NULL);
    }
    (void)uv_timer_start(&w->io->guard, on_close_limit, CLOSE_MS, 0);
    uv_unref((uv_handle_t *)&w->io->guard);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&w->io->guard, NULL);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
    (void)uv_loop_close(&w->loop);
    metrics_free(w->metrics);
    config_set_clear(&w->set);
    free(w->io);
}

int worker_run(struct worker *w)
{
    struct fault f;
    w->io = memory_zeroed(1, sizeof(*w->io));
    log_start(w->set.settings->log.format, w->set.settings->log.level);
    if (is_supervised(w)) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        notify_disable();
    }
    int failed = uv_loop_init(&w->loop);
    INVARIANT(failed == 0);
    start_signals(w);
    memory_trim_start(&w->io->trim, &w->loop);
    notify_watchdog_start(&w->io->watchdog, &w->loop);
    if (start(w, &f)) {
        notify_send("READY=1");
        (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    } else {
        worker_fail(w, &f);
    }
    if (!is_over(w)) {
        return w->exit_code | CLI_AT_ONCE;
    }
    close_all(w);
    return w->exit_code;
}

bool worker_load(const struct run_options *options, const struct config_scope *scope, const char *own,
                 struct config_set *ret)
{
    (void)config_dir_load_scope(options->dir, scope, ret);
    if (config_rejections_find(&ret->rejected, &settings_kind, NULL) != NULL ||
        (own != NULL && config_rejections_find(&ret->rejected, &connector_config_kind, own) != NULL)) {
        (void)fputs(bytes_text(&ret->complaints), stderr);
        return false;
    }
    log_start(ret->settings->log.format, ret->settings->log.level);
    if (options->child_fd < 0) {  // else the supervisor has logged them
        reload_log_rejected("config", &ret->rejected);
    }
    return true;
}

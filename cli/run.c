// millrace run: runs all connectors and functions of the folder as supervised children; serves the admin
// port.
#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/config_hash.h"
#include "cli/run_options.h"
#include "cli/supervise/environment.h"
#include "cli/supervise/health.h"
#include "cli/supervise/notify.h"
#include "cli/supervise/ports.h"
#include "cli/supervise/reload.h"
#include "cli/supervise/supervisor.h"
#include "cli/supervise/worker.h"
#include "core/base/log.h"

static const char USAGE[] =
    "usage: millrace run [-c DIR]\n"
    "\n"
    "Runs every connector and function of DIR, each connector in a process of its own, and\n"
    "reloads changed files. SIGTERM drains all processes and exits with 0.\n";

enum { SIGNALS = 3, CLOSE_MS = 2000, BRIDGE_NAME_SIZE = 32 };

static const struct config_scope SCOPE = {CONFIG_FOLDER_CONNECTORS | CONFIG_FOLDER_FUNCTIONS, NULL};

struct run {
    const char *dir;
    uv_loop_t loop;
    struct config_set set;
    uv_signal_t signals[SIGNALS];
    uv_timer_t guard;
    struct registry *registry;
    struct ports ports;
    struct health_provider provider;
    struct supervisor *supervisor;
    struct reload *reload;
    struct notify_watchdog watchdog;
    struct config_rejections rejected;  // files that can't be used now
    struct text_list functions;         // names of the configured functions
    uint64_t settings_hash;             // of the millrace.yaml read last
    bool is_draining;
    int exit_code;
};

static void on_end(void *self)
{
    struct run *run = self;
    log_info("supervisor", "stopped", NULL, "all processes have stopped");
    uv_stop(&run->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct run *run = handle->data;
    if (number == SIGHUP) {
        reload_now(run->reload);
        supervisor_retry(run->supervisor);  // the cause of a failure may be fixed outside the files
    } else if (run->is_draining) {
        log_warn("supervisor", "stopped_at_once", NULL, "second signal: stopping at once");
        uv_stop(&run->loop);
    } else {
        run->is_draining = true;
        log_info("supervisor", "draining", NULL, "%s: draining, for 25 s at most",
                 number == SIGTERM ? "SIGTERM" : "SIGINT");
        notify_send("STOPPING=1");
        supervisor_drain(run->supervisor);
    }
}

/** The desired children. All of them use millrace.yaml, so each child's hash includes it. */
static struct desired_child *list_desired(const struct config_set *set,
                                          const struct config_rejections *rejected, char *names,
                                          size_t *ret_count)
{
    uint64_t shared = config_hash_settings(set->settings);
    struct desired_child *desired =
        memory_zeroed(set->connector_count + rejected->count + (size_t)set->settings->bridge.processes + 1,
                      sizeof(*desired));
    size_t count = 0;
    bool has_rejected_function = false;
    for (size_t i = 0; i < set->connector_count; i++) {
        uint64_t hash = config_hash_connector(set->connectors[i]) ^ shared;
        struct desired_child *d = &desired[count++];
        *d = (struct desired_child){
            .kind = "connector",
            .name = set->connectors[i]->name,
            .number = 1,
            .config_hash = hash,
            .slot = set->connectors[i]->slot.name,
        };
        environment_names(set, &connector_config_kind, d->name, &d->variables);
    }
    for (size_t i = 0; i < rejected->count; i++) {
        const struct config_rejected *r = &rejected->items[i];
        if (r->kind == &connector_config_kind) {
            desired[count++] =
                (struct desired_child){.kind = "connector", .name = r->name, .number = 1, .is_kept = true};
        }
        has_rejected_function = has_rejected_function || r->kind == &function_config_kind;
    }
    for (int i = 0; i < set->settings->bridge.processes; i++) {
        char *name = names + (size_t)i * BRIDGE_NAME_SIZE;
        (void)snprintf(name, BRIDGE_NAME_SIZE, "bridge-%d", i + 1);
        // A bridge reloads changed functions itself, so its hash does not include them.
        if (set->function_count > 0 || has_rejected_function) {
            struct desired_child *d = &desired[count++];
            *d = (struct desired_child){
                .kind = "bridge",
                .name = name,
                .number = i + 1,
                .config_hash = shared,
                .is_kept = set->function_count == 0,
            };
            environment_names(set, &function_config_kind, NULL, &d->variables);
        }
    }
    *ret_count = count;
    return desired;
}

static void apply(struct run *run, const struct config_set *set)
{
    size_t count = 0;
    CLEANUP(memory_free_pointer)
    char *names = memory_zeroed((size_t)set->settings->bridge.processes, BRIDGE_NAME_SIZE);
    CLEANUP(memory_free_pointer)
    struct desired_child *desired = list_desired(set, &run->rejected, names, &count);
    supervisor_apply(run->supervisor, desired, count);
    for (size_t i = 0; i < count; i++) {
        text_list_clear(&desired[i].variables);
    }
    text_list_clear(&run->functions);
    for (size_t i = 0; i < set->function_count; i++) {
        text_list_add(&run->functions, set->functions[i]->name);
    }
}

static void on_config(void *self, struct config_set *set)
{
    struct run *run = self;
    uint64_t hash = config_hash_settings(set->settings);
    if (hash != run->settings_hash) {
        run->settings_hash = hash;
        log_warn("supervisor", "restart_needed", NULL,
                 "millrace.yaml has changed: all child processes restart with it; this process needs a "
                 "restart for changes of the admin and registry addresses, its log and the registry that it "
                 "serves");
    }
    apply(run, set);
}

static void start_signals(struct run *run)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < SIGNALS; i++) {
        (void)uv_signal_init(&run->loop, &run->signals[i]);
        run->signals[i].data = run;
        (void)uv_signal_start(&run->signals[i], on_signal, numbers[i]);
    }
    (void)uv_timer_init(&run->loop, &run->guard);
    run->guard.data = run;
}

static bool open_ports(struct run *run, struct fault *f)
{
    const struct settings *settings = run->set.settings;
    if (!ports_are_wanted(settings)) {
        return true;
    }
    if (!registry_open(&run->loop, settings, &run->registry, f)) {
        return false;
    }
    run->provider = (struct health_provider){
        .each = supervisor_each,
        .rejected = &run->rejected,
        .functions = &run->functions,
        .self = run->supervisor,
    };
    const struct ports_params params = {
        .loop = &run->loop,
        .settings = settings,
        .registry = run->registry,
        .provider = &run->provider,
        .component = "supervisor",
    };
    return ports_open(&params, &run->ports, f);
}

static bool start(struct run *run, struct fault *f)
{
    const struct supervisor_params params = {
        .loop = &run->loop, .dir = run->dir, .on_end = on_end, .self = run};
    run->supervisor = supervisor_start(&params);
    if (!open_ports(run, f)) {
        return false;
    }
    const struct reload_params reload = {
        .loop = &run->loop,
        .dir = run->dir,
        .component = "supervisor",
        .scope = SCOPE,
        .hash = config_hash_set(&run->set),
        .folders = config_set_used_folders(&run->set),
        .on_config = on_config,
        .rejected = &run->rejected,
        .self = run,
    };
    config_rejections_move(&run->rejected, &run->set.rejected);
    run->settings_hash = config_hash_settings(run->set.settings);
    run->reload = reload_start(&reload);
    apply(run, &run->set);
    log_info("supervisor", "started",
             LOG_WITH(LOG_NUMBER("connectors", run->set.connector_count),
                      LOG_NUMBER("functions", run->set.function_count)),
             "millrace %s has started with %s", MILLRACE_VERSION, run->dir);
    config_set_keep_settings(&run->set);  // the other secrets are the children's
    notify_send("READY=1");
    return true;
}

static void on_close_limit(uv_timer_t *timer)
{
    uv_stop(&((struct run *)timer->data)->loop);
}

static void close_all(struct run *run)
{
    notify_watchdog_stop(&run->watchdog);
    reload_stop(run->reload);
    ports_close(&run->ports);
    supervisor_free(run->supervisor);
    registry_close(run->registry);
    for (int i = 0; i < SIGNALS; i++) {
        uv_close((uv_handle_t *)&run->signals[i], NULL);
    }
    (void)uv_timer_start(&run->guard, on_close_limit, CLOSE_MS, 0);
    uv_unref((uv_handle_t *)&run->guard);
    (void)uv_run(&run->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&run->guard, NULL);
    (void)uv_run(&run->loop, UV_RUN_NOWAIT);
    (void)uv_loop_close(&run->loop);
}

static int run_loaded(struct run *run)
{
    struct fault f;
    log_start(run->set.settings->log.format, run->set.settings->log.level);
    if (run->set.connector_count + run->set.function_count == 0) {
        log_warn("supervisor", "nothing_to_run", NULL, "%s has no connectors or functions yet", run->dir);
    }
    int failed = uv_loop_init(&run->loop);
    INVARIANT(failed == 0);
    start_signals(run);
    notify_watchdog_start(&run->watchdog, &run->loop);
    if (start(run, &f)) {
        (void)uv_run(&run->loop, UV_RUN_DEFAULT);
    } else {
        run->exit_code = worker_exit_of(&f);
        log_error("supervisor", "failed", LOG_WITH(LOG_TEXT("kind", fault_kind_name(f.kind))), "%s", f.text);
    }
    close_all(run);
    return run->exit_code;
}

int run_command(int argc, char **argv)
{
    struct run_options options;
    int code;
    if (!run_options_read(argc, argv, USAGE, 0, &options, &code)) {
        return code;
    }
    struct run run = {.dir = options.dir};
    code = worker_load(&options, &SCOPE, NULL, &run.set) ? run_loaded(&run) : CLI_CONFIG;
    config_set_clear(&run.set);
    config_rejections_clear(&run.rejected);
    text_list_clear(&run.functions);
    return code;
}

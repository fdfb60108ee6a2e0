// millrace connect: one connector, alone or as a supervised child.
#include <stdio.h>

#include "cli/cli.h"
#include "cli/config_hash.h"
#include "cli/supervise/worker.h"
#include "connectors/pipeline.h"
#include "core/base/log.h"

static const char USAGE[] =
    "usage: millrace connect [-c DIR] [NAME]\n"
    "\n"
    "Runs the connector of DIR/connectors/NAME.yaml; NAME may be omitted when there is only one.\n";

/** The worker's part: the pipeline and its configuration. */
struct connect {
    struct worker *worker;
    struct config_set set;  // owns `config` after a reload; the worker's set owns the first one
    const struct connector_config *config;
    struct config_set next_set;
    const struct connector_config *next;  // in next_set; used after the drain; NULL: no restart
    struct pipeline *pipeline;
};

static const struct connector_config *find(const struct config_set *set, const char *name)
{
    for (size_t i = 0; i < set->connector_count; i++) {
        const char *found = set->connectors[i]->name;  // NULL when its file could not be read
        if (found != NULL && strcmp(found, name) == 0) {
            return set->connectors[i];
        }
    }
    return NULL;
}

static void on_end(void *self, const struct fault *f);

static bool start_pipeline(struct connect *c, struct fault *f)
{
    struct worker *w = c->worker;
    const struct pipeline_params params = {
        .loop = &w->loop,
        .settings = w->set.settings,
        .config = c->config,
        .registry = w->registry,
        .metrics = w->metrics,
        .tracer = w->tracer,
        .on_end = on_end,
        .self = c,
    };
    return pipeline_start(&params, &c->pipeline, f);
}

/** Starts the pipeline with the new configuration after the drain, outside the pipeline's callback. */
static void on_restart(uv_handle_t *handle)
{
    struct connect *c = handle->data;
    struct fault f;
    free(handle);
    pipeline_free(TAKE(c->pipeline));
    config_set_clear(&c->set);
    c->set = c->next_set;
    c->next_set = (struct config_set){0};
    c->config = TAKE(c->next);
    if (!start_pipeline(c, &f)) {
        worker_fail(c->worker, &f);
    }
}

static void on_end(void *self, const struct fault *f)
{
    struct connect *c = self;
    if (f != NULL || c->next == NULL || c->worker->is_draining) {
        worker_end(c->worker, f);
        return;
    }
    uv_timer_t *later = memory_zeroed(1, sizeof(*later));
    (void)uv_timer_init(&c->worker->loop, later);
    later->data = c;
    uv_close((uv_handle_t *)later, on_restart);
}

static bool start_connector(struct worker *w, struct fault *f)
{
    struct connect *c = memory_zeroed(1, sizeof(*c));
    c->worker = w;
    c->config = find(&w->set, w->name);
    w->part = c;
    return start_pipeline(c, f);
}

static void drain_connector(struct worker *w)
{
    struct connect *c = w->part;
    if (c->next == NULL) {  // else it is draining already
        pipeline_drain(c->pipeline);
    }
}

static void append_status(const struct worker *w, struct bytes *out)
{
    const struct connect *c = w->part;
    if (c->pipeline != NULL) {
        pipeline_status(c->pipeline, out);
    }
}

static bool is_part_ready(const struct worker *w)
{
    const struct connect *c = w->part;
    return c->pipeline != NULL && pipeline_is_ready(c->pipeline);
}

static void reload_config(struct worker *w, struct config_set *set)
{
    struct connect *c = w->part;
    const struct connector_config *found = find(set, w->name);
    if (config_rejections_find(&w->set.rejected, &connector_config_kind, w->name) != NULL) {
        return;  // unchanged
    }
    if (found == NULL) {
        log_warn(w->component, "config_gone", NULL,
                 "the connector's file is missing: the connector runs until it is stopped");
        return;
    }
    bool is_draining = c->next != NULL;
    if (!is_draining && config_hash_connector(found) == config_hash_connector(c->config)) {
        return;
    }
    config_set_clear(&c->next_set);
    c->next_set = *set;
    *set = (struct config_set){0};
    c->next = found;
    if (!is_draining) {
        log_info(w->component, "restarting", NULL, "draining, then starting with the new configuration");
        pipeline_drain(c->pipeline);
    }
}

static void free_connector(struct worker *w)
{
    struct connect *c = w->part;
    if (c != NULL) {
        pipeline_free(c->pipeline);
        config_set_clear(&c->set);
        config_set_clear(&c->next_set);
        free(c);
        w->part = NULL;
    }
}

static const struct worker_type CONNECT_TYPE = {
    .kind = "connector",
    .start = start_connector,
    .drain = drain_connector,
    .status = append_status,
    .is_ready = is_part_ready,
    .is_restarted = true,
    .reload = reload_config,
    .free = free_connector,
};

/** The name to run: the given one, or that of the only connector. */
static const char *choose(const struct run_options *options, const struct config_set *set)
{
    if (options->name != NULL && find(set, options->name) != NULL) {
        return options->name;
    }
    if (options->name == NULL && set->connector_count == 1) {
        return set->connectors[0]->name;
    }
    if (options->name != NULL) {
        (void)fprintf(stderr, "millrace connect: %s/connectors/%s.yaml does not exist\n", options->dir,
                      options->name);
    } else {
        const char *format = set->connector_count == 0
                                 ? "millrace connect: %s/connectors has no connector\n"
                                 : "millrace connect: %s/connectors has %zu connectors: name one\n";
        (void)fprintf(stderr, format, options->dir, set->connector_count);
    }
    return NULL;
}

int connect_command(int argc, char **argv)
{
    struct run_options options;
    int code;
    if (!run_options_read(argc, argv, USAGE, RUN_OPTIONS_NAME | RUN_OPTIONS_CHILD, &options, &code)) {
        return code;
    }
    // Unsupervised it reads all connectors, to refuse one with the same slot or topics; else the supervisor
    // has done that.
    const struct config_scope scope = {CONFIG_FOLDER_CONNECTORS, options.child_fd < 0 ? NULL : options.name};
    static struct worker w;
    w = (struct worker){.type = &CONNECT_TYPE, .options = &options, .scope = &scope};
    if (!worker_load(&options, &scope, options.name, &w.set)) {
        config_set_clear(&w.set);
        return CLI_CONFIG;
    }
    w.name = choose(&options, &w.set);
    if (w.name == NULL) {
        config_set_clear(&w.set);
        return CLI_CONFIG;
    }
    CLEANUP(memory_free_pointer) char *component = memory_format("connector/%s", w.name);
    w.component = component;
    return worker_run(&w);
}

// millrace bridge: the functions only, alone or as a supervised child.
#include "bridge/bridge.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/supervise/worker.h"
#include "core/base/log.h"

static const char USAGE[] = "usage: millrace bridge [-c DIR]\n"
                            "\n"
                            "Runs the functions of DIR/functions/*.yaml.\n";

static void on_end(void *self, const struct fault *f)
{
    worker_end(self, f);
}

static void apply(struct worker *w, struct config_set *set)
{
    size_t count = 0;
    CLEANUP(text_list_clear) struct text_list kept = {0};
    for (size_t i = 0; i < w->set.rejected.count; i++) {
        text_list_add(&kept, w->set.rejected.items[i].name);
    }
    struct function_config **functions = config_set_take_functions(set, &count);
    bridge_apply_keeping(w->part, functions, count, &kept);
    free(functions);
}

static bool start_bridge(struct worker *w, struct fault *f)
{
    struct bridge *bridge = NULL;
    const struct bridge_params params = {
        .loop = &w->loop,
        .settings = w->set.settings,
        .registry = w->registry,
        .metrics = w->metrics,
        .tracer = w->tracer,
        .on_end = on_end,
        .self = w,
    };
    if (!bridge_start(&params, &bridge, f)) {
        return false;
    }
    w->part = bridge;
    apply(w, &w->set);
    return true;
}

static void drain_bridge(struct worker *w)
{
    bridge_drain(w->part);
}

static void append_status(const struct worker *w, struct bytes *out)
{
    bridge_status(w->part, out);
}

static bool is_part_ready(const struct worker *w)
{
    return bridge_is_ready(w->part);
}

static void reload_config(struct worker *w, struct config_set *set)
{
    apply(w, set);
}

static bool is_part_over(const struct worker *w)
{
    return bridge_is_over(w->part);
}

static void free_bridge(struct worker *w)
{
    if (w->part != NULL) {
        bridge_free(w->part);
        w->part = NULL;
    }
}

static const struct worker_type BRIDGE_TYPE = {
    .kind = "bridge",
    .start = start_bridge,
    .drain = drain_bridge,
    .status = append_status,
    .is_ready = is_part_ready,
    .reload = reload_config,
    .is_over = is_part_over,
    .free = free_bridge,
};

int bridge_command(int argc, char **argv)
{
    static struct worker w;
    static struct run_options options;
    int code;
    if (!run_options_read(argc, argv, USAGE, RUN_OPTIONS_CHILD, &options, &code)) {
        return code;
    }
    static const struct config_scope scope = {CONFIG_FOLDER_FUNCTIONS, NULL};
    w = (struct worker){.type = &BRIDGE_TYPE, .options = &options, .component = "bridge", .scope = &scope};
    if (!worker_load(&options, &scope, NULL, &w.set)) {
        config_set_clear(&w.set);
        return CLI_CONFIG;
    }
    static char name[32];
    (void)snprintf(name, sizeof(name), "bridge-%d", options.number);
    w.name = name;
    return worker_run(&w);
}

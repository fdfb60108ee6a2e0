#include "cli/try/try_run.h"

#include <signal.h>
#include <string.h>

#include "bridge/bridge.h"
#include "cli/try/try_function.h"
#include "cli/try/try_function_config.h"
#include "cli/try/try_process.h"
#include "cli/try/try_shop.h"
#include "cli/try/try_watch.h"
#include "connectors/pipeline.h"
#include "core/base/clock.h"

enum {
    CALLS_WAIT_MS = 3000,
    LIMIT_MS = 60000,
    LIMIT_PER_CHANGE_MS = 20,
    DRAIN_LIMIT_MS = 10000,
    CLOSE_LIMIT_MS = 5000
};

enum stage {
    STAGE_ROWS_BEFORE,  // connector and bridge start; the snapshot's rows arrive
    STAGE_SHOP,         // changes are being made
    STAGE_ARRIVAL,      // all changes are committed; waits until they have arrived
    STAGE_CONNECTOR,    // the connector drains
    STAGE_BRIDGE,       // the bridge drains
    STAGE_OVER,
};

struct run {
    struct try_run_params params;
    enum stage stage;
    uv_loop_t loop;
    uv_timer_t limit;
    uv_signal_t signals[3];
    struct connector_config connector;
    struct metrics *metrics;
    struct registry *registry;
    struct pipeline *pipeline;
    struct bridge *bridge;
    struct try_function *function;  // the sample; NULL: there is a handler
    struct handler_watch *handler;  // NULL: there is none
    struct try_watch *watch;
    struct try_shop *shop;
    bool is_pipeline_over;
    bool is_bridge_over;
    bool is_complete;
    struct fault fault;  // the first error
};

static void on_drain_limit(uv_timer_t *timer)
{
    struct run *r = timer->data;
    if (r->fault.kind == FAULT_NONE) {
        fault_set(&r->fault, FAULT_FATAL, "%s did not end in %d seconds",
                  r->stage == STAGE_CONNECTOR ? "the connector" : "the bridge", DRAIN_LIMIT_MS / 1000);
    }
    uv_stop(&r->loop);
}

static void drain_bridge(struct run *r)
{
    r->stage = STAGE_BRIDGE;
    if (r->is_bridge_over || r->bridge == NULL) {
        r->stage = STAGE_OVER;
        uv_stop(&r->loop);
        return;
    }
    bridge_drain(r->bridge);
}

static void drain(struct run *r)
{
    if (r->stage >= STAGE_CONNECTOR) {
        return;
    }
    r->stage = STAGE_CONNECTOR;
    uv_timer_start(&r->limit, on_drain_limit, DRAIN_LIMIT_MS, 0);
    if (r->is_pipeline_over || r->pipeline == NULL) {
        drain_bridge(r);
        return;
    }
    pipeline_drain(r->pipeline);
}

static void give_up(struct run *r, const struct fault *f)
{
    if (r->fault.kind == FAULT_NONE) {
        r->fault = *f;
    }
    drain(r);
}

static void on_pipeline_end(void *self, const struct fault *f)
{
    struct run *r = self;
    r->is_pipeline_over = true;
    if (f != NULL) {
        struct fault why = *f;
        fault_context(&why, "connector");
        give_up(r, &why);
    } else if (r->stage == STAGE_CONNECTOR) {
        drain_bridge(r);
    }
}

static void on_bridge_end(void *self, const struct fault *f)
{
    struct run *r = self;
    r->is_bridge_over = true;
    if (f != NULL) {
        struct fault why = *f;
        fault_context(&why, "bridge");
        give_up(r, &why);
    }
    if (r->stage == STAGE_BRIDGE) {
        r->stage = STAGE_OVER;
        uv_stop(&r->loop);
    }
}

static void on_shop_change(void *self, const struct try_shop_change *change)
{
    struct run *r = self;
    try_ledger_expect(r->params.ledger, change->op, change->table, change->id);
}

static void check_done(struct run *r)
{
    struct try_ledger_counts counts;
    if (r->stage != STAGE_ARRIVAL || !try_ledger_is_complete(r->params.ledger)) {
        return;
    }
    try_ledger_count(r->params.ledger, &counts);
    r->is_complete = counts.refused == 0;
    if (!r->is_complete) {
        fault_set(&r->fault, FAULT_FATAL, "the handler failed for %lld of %lld changes and rows from before",
                  (long long)counts.refused, (long long)(counts.changes + counts.before));
    }
    drain(r);
}

static void on_shop_end(void *self, const struct fault *f)
{
    struct run *r = self;
    if (f != NULL) {
        give_up(r, f);
        return;
    }
    r->stage = STAGE_ARRIVAL;
    check_done(r);
}

static void check_ledger(struct run *r)
{
    if (r->stage == STAGE_ROWS_BEFORE && try_ledger_is_complete(r->params.ledger)) {
        r->stage = STAGE_SHOP;
        r->shop = try_shop_start(&(struct try_shop_params){
            .loop = &r->loop,
            .conn = r->params.conn,
            .schema = r->params.schema,
            .changes = r->params.changes,
            .on_change = on_shop_change,
            .on_end = on_shop_end,
            .self = r,
        });
    }
    check_done(r);
}

static void on_call(void *self, const struct try_function_call *call)
{
    struct run *r = self;
    try_ledger_called(r->params.ledger, &(struct try_ledger_call){
                                            .id = call->id,
                                            .op = call->op,
                                            .table = call->table,
                                            .row_id = call->row_id,
                                            .status = call->status,
                                            .latency_us = clock_wall_us() - call->commit_wall_us,
                                        });
    check_ledger(r);
}

static void on_record(void *self, const struct try_watch_record *record)
{
    struct run *r = self;
    try_ledger_published(r->params.ledger, record->event_id, record->topic, record->partition,
                         record->offset);
    check_ledger(r);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct run *r = handle->data;
    if (r->stage >= STAGE_CONNECTOR) {
        uv_stop(&r->loop);  // the second signal stops at once
    }
    struct fault f = {0};
    fault_from(&f, FAULT_FATAL, TRY_RUN_INTERRUPTED, number, "interrupted by SIG%s", sigabbrev_np(number));
    give_up(r, &f);
}

static void on_limit(uv_timer_t *timer)
{
    struct run *r = timer->data;
    struct fault f = {0};
    CLEANUP(bytes_clear) struct bytes connector = {0};
    CLEANUP(bytes_clear) struct bytes bridge = {0};
    pipeline_status(r->pipeline, &connector);
    bridge_status(r->bridge, &bridge);
    fault_set(&f, FAULT_FATAL, "timed out; connector: %s; functions: %s", bytes_text(&connector),
              bytes_text(&bridge));
    give_up(r, &f);
}

static void start_limit(struct run *r)
{
    uv_timer_start(&r->limit, on_limit, (uint64_t)(LIMIT_MS + r->params.changes * LIMIT_PER_CHANGE_MS), 0);
}

static void on_handler_call(void *self, const struct try_ledger_call *call)
{
    struct run *r = self;
    if (r->stage < STAGE_CONNECTOR) {
        start_limit(r);  // a handler may be slow
    }
    try_ledger_called(r->params.ledger, call);
    check_ledger(r);
}

static void on_handler_retry(void *self, const struct try_ledger_event *event)
{
    struct run *r = self;
    r->params.on_retry(r->params.self, event);
}

static void on_hopeless(void *self, const struct fault *f, const char *details)
{
    struct run *r = self;
    if (r->stage < STAGE_CONNECTOR) {
        bytes_append_string(r->params.details, details);
    }
    give_up(r, f);
}

static void configure_connector(struct run *r)
{
    const struct try_run_params *p = &r->params;
    struct connector_config *c = &r->connector;
    c->name = memory_string(p->name);
    c->postgres.dsn = memory_string(p->dsn);
    c->topic_prefix = memory_string(TRY_PREFIX);
    CLEANUP(memory_free_pointer) char *tables = memory_format("%s.*", p->schema);
    text_list_add(&c->tables.include, tables);
    c->slot.name = connector_config_slot(p->name);
    c->slot.publication = memory_string(c->slot.name);
    c->slot.create = true;
    c->operations = CONNECTOR_ALL;
    c->snapshot = CONNECTOR_SNAPSHOT_INITIAL;
    c->on_bad_row = CONNECTOR_BAD_ROW_STOP;
    c->tombstones = true;
    c->topics.partitions = p->partitions;
}

/** NULL: the fault says why. */
static struct function_config *configure_function(struct run *r, struct fault *f)
{
    const struct try_run_params *p = &r->params;
    if (p->function != NULL) {
        return try_function_config_make(p->name, p->topics, p->function, f);
    }
    CLEANUP(memory_free_pointer)
    char *sample = memory_format("endpoint: {http: {url: \"%s\"}}", try_function_url(r->function));
    return try_function_config_make(p->name, p->topics, sample, f);
}

static bool start_bridge(struct run *r, struct fault *f)
{
    struct bridge_params params = {
        .loop = &r->loop,
        .settings = r->params.settings,
        .registry = r->registry,
        .metrics = r->metrics,
        .on_end = on_bridge_end,
        .self = r,
        .observer = r->handler == NULL ? NULL : handler_watch_observer(r->handler),
        .drain_ms = CALLS_WAIT_MS,
    };
    struct function_config *function = configure_function(r, f);
    if (function == NULL) {
        return false;
    }
    if (!bridge_start(&params, &r->bridge, f)) {
        try_function_config_free(function);
        return false;
    }
    bridge_apply(r->bridge, &function, 1);
    return true;
}

static bool start_pipeline(struct run *r, struct fault *f)
{
    struct pipeline_params params = {
        .loop = &r->loop,
        .settings = r->params.settings,
        .config = &r->connector,
        .registry = r->registry,
        .metrics = r->metrics,
        .on_end = on_pipeline_end,
        .self = r,
    };
    return pipeline_start(&params, &r->pipeline, f);
}

static bool start_function(struct run *r, struct fault *f)
{
    if (r->params.function == NULL) {
        return try_function_start(&r->loop, on_call, r, &r->function, f);
    }
    r->handler = handler_watch_new(&(struct handler_watch_params){
        .hides_output = r->params.is_verbose,
        .on_call = on_handler_call,
        .on_retry = on_handler_retry,
        .on_hopeless = on_hopeless,
        .self = r,
    });
    return true;
}

// Starts the parts from the function back to the database, so that each part's receiver is ready.
static bool start_parts(struct run *r, struct fault *f)
{
    const struct try_run_params *p = &r->params;
    struct try_watch_params watch = {
        .loop = &r->loop,
        .settings = p->settings,
        .topics = p->topics,
        .partitions = p->partitions,
        .name = p->name,
        .on_record = on_record,
        .self = r,
    };
    if (!start_function(r, f) || !try_watch_start(&watch, &r->watch, f) ||
        !registry_open(&r->loop, p->settings, &r->registry, f)) {
        return false;
    }
    return start_bridge(r, f) && start_pipeline(r, f);
}

static void start_handles(struct run *r)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    uv_loop_init(&r->loop);
    uv_timer_init(&r->loop, &r->limit);
    r->limit.data = r;
    start_limit(r);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        uv_signal_init(&r->loop, &r->signals[i]);
        r->signals[i].data = r;
        uv_signal_start(&r->signals[i], on_signal, numbers[i]);
    }
}

static void on_close_limit(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/** False when functions of the bridge still run: they use the rest, and the loop must not turn again. */
static bool close_all(struct run *r)
{
    try_shop_stop(r->shop);
    pipeline_free(r->pipeline);
    try_watch_stop(r->watch);
    try_function_stop(r->function);
    if (r->bridge != NULL && !bridge_is_over(r->bridge)) {
        return false;
    }
    bridge_free(r->bridge);
    handler_watch_free(r->handler);
    registry_close(r->registry);
    for (size_t i = 0; i < COUNT_OF(r->signals); i++) {
        uv_close((uv_handle_t *)&r->signals[i], NULL);
    }
    // Wait until the handles are closed, within a limit.
    uv_timer_start(&r->limit, on_close_limit, CLOSE_LIMIT_MS, 0);
    uv_unref((uv_handle_t *)&r->limit);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&r->limit, NULL);
    uv_run(&r->loop, UV_RUN_NOWAIT);
    (void)uv_loop_close(&r->loop);
    metrics_free(r->metrics);
    connector_config_clear(&r->connector);
    return true;
}

bool try_run(const struct try_run_params *params, bool *ret_is_left, struct fault *f)
{
    struct run *r = memory_zeroed(1, sizeof *r);
    r->params = *params;
    r->metrics = metrics_new();
    configure_connector(r);
    start_handles(r);
    try_process_unblock_signals();
    if (start_parts(r, &r->fault)) {
        uv_run(&r->loop, UV_RUN_DEFAULT);
    }
    try_process_block_signals();
    bool is_closed = close_all(r);
    bool is_complete = r->is_complete && r->fault.kind == FAULT_NONE;
    if (!is_complete) {
        *f = r->fault;
    }
    *ret_is_left = !is_closed;
    if (is_closed) {
        free(r);
    }
    return is_complete;
}

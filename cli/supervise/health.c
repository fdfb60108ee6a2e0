#include "cli/supervise/health.h"

#include "cli/supervise/health_view.h"
#include "cli/supervise/metrics_merge.h"
#include "core/base/memory.h"
#include "core/base/text.h"

static void respond_json(const struct admin_request *r, int status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    INVARIANT(text != NULL);
    admin_answer(r->reply, status, "application/json", slice_of(text));
    free(text);
}

/** False, after responding 404, when the path is longer than the route. */
static bool check_request(const struct admin_request *r)
{
    if (r->path[0] != '\0' && strcmp(r->path, "/") != 0) {
        admin_answer(r->reply, 404, "application/json", slice_of("{\"message\":\"nothing is served here\"}"));
        return false;
    }
    return true;
}

static void serve_healthz(void *self, const struct admin_request *r)
{
    if (!check_request(r)) {
        return;
    }
    CLEANUP(health_view_clear) struct health_view view = health_view_make(self);
    respond_json(r, view.is_healthy ? 200 : 503,
                 json_pack("{s:b, s:O}", "healthy", view.is_healthy, "processes", view.processes));
}

static void serve_readyz(void *self, const struct admin_request *r)
{
    if (!check_request(r)) {
        return;
    }
    CLEANUP(health_view_clear) struct health_view view = health_view_make(self);
    respond_json(r, view.is_ready ? 200 : 503,
                 json_pack("{s:b, s:O, s:O, s:O, s:O}", "ready", view.is_ready, "connectors", view.connectors,
                           "functions", view.functions, "processes", view.processes, "rejected",
                           view.rejected));
}

static void serve_status(void *self, const struct admin_request *r)
{
    if (!check_request(r)) {
        return;
    }
    CLEANUP(health_view_clear) struct health_view view = health_view_make(self);
    respond_json(r, 200,
                 json_pack("{s:s, s:b, s:O, s:O, s:O, s:O}", "version", MILLRACE_VERSION, "ready",
                           view.is_ready, "connectors", view.connectors, "functions", view.functions,
                           "processes", view.processes, "rejected", view.rejected));
}

struct metrics_context {
    struct metrics_merge *merge;
    struct bytes processes;  // metrics of the supervised processes themselves
    struct bytes restarts;
};

static void merge_part(void *self, const struct health_part *part)
{
    struct metrics_context *context = self;
    metrics_merge_add(context->merge, part->metrics);
    if (part->is_supervised) {
        bytes_format(&context->processes, "millrace_process_up{process=\"%s\"} %d\n", part->process,
                     part->is_alive && part->is_reporting);
        bytes_format(&context->restarts, "millrace_process_restarts_total{process=\"%s\"} %llu\n",
                     part->process, (unsigned long long)part->restarts);
    }
}

static void write_head(struct bytes *out, const char *kind, const char *what, const char *type,
                       const char *help)
{
    bytes_format(out, "# HELP millrace_%s_%s %s\n# TYPE millrace_%s_%s %s\n", kind, what, help, kind, what,
                 type);
}

// A state's index is its number in millrace_connector_state: users' alerts depend on it.
static const char *const CONNECTOR_STATES[] = {"starting",     "connecting", "waiting_for_slot",
                                               "snapshotting", "streaming",  "backing_off",
                                               "draining",     "stopped",    "failed"};

static int connector_state_number(const char *state)
{
    for (size_t i = 0; i < COUNT_OF(CONNECTOR_STATES); i++) {
        if (strcmp(CONNECTOR_STATES[i], state) == 0) {
            return (int)i;
        }
    }
    return 0;
}

/** Writes the state metric of an entry without a report: its process has ended or its file is rejected. */
static void write_state(struct bytes *out, const char *kind, const char *name, const char *state)
{
    if (strcmp(kind, "connector") == 0) {
        bytes_format(out, "millrace_connector_state{connector=\"%s\"} %d\n", name,
                     connector_state_number(state));
    } else {
        bytes_format(out, "millrace_function_state{function=\"%s\",state=\"%s\"} 1\n", name, state);
    }
}

/** Adds the metrics that are derived from the status entries of connectors or functions. */
static void merge_entries(struct metrics_merge *merge, const json_t *entries, const char *kind)
{
    CLEANUP(bytes_clear) struct bytes errors = {0};
    CLEANUP(bytes_clear) struct bytes states = {0};
    bool is_connector = strcmp(kind, "connector") == 0;
    write_head(&errors, kind, "error_seconds", "gauge", "How long it has had its last error, 0 without one");
    write_head(&states, kind, "state", "gauge",
               is_connector ? "0 starting, 1 connecting, 2 waiting_for_slot, 3 snapshotting, 4 streaming, "
                              "5 backing_off, 6 draining, 7 stopped, 8 failed."
                            : "1 for the state it is in");
    size_t index;
    const json_t *entry;
    json_array_foreach(entries, index, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "name"));
        const char *state = json_string_value(json_object_get(entry, "state"));
        bytes_format(&errors, "millrace_%s_error_seconds{%s=\"%s\"} %lld\n", kind, kind,
                     name == NULL ? "" : name,
                     (long long)json_integer_value(json_object_get(entry, "error_seconds")));
        if (json_is_false(json_object_get(entry, "reporting")) && name != NULL && state != NULL) {
            write_state(&states, kind, name, state);
        }
    }
    metrics_merge_add(merge, bytes_slice(&errors));
    metrics_merge_add(merge, bytes_slice(&states));
}

static void merge_processes(struct metrics_context *context, size_t rejected_count)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    write_head(&text, "process", "up", "gauge", "1 while the process reports");
    bytes_append(&text, context->processes.data, context->processes.size);
    write_head(&text, "process", "restarts_total", "counter", "How often the process was started again");
    bytes_append(&text, context->restarts.data, context->restarts.size);
    write_head(&text, "config", "rejected_files", "gauge", "Files of the folder that can't be used");
    bytes_format(&text, "millrace_config_rejected_files %zu\n", rejected_count);
    metrics_merge_add(context->merge, bytes_slice(&text));
    bytes_clear(&context->processes);
    bytes_clear(&context->restarts);
}

static void serve_metrics(void *self, const struct admin_request *r)
{
    const struct health_provider *provider = self;
    if (!check_request(r)) {
        return;
    }
    struct metrics_context context = {.merge = metrics_merge_new()};
    provider->each(provider->self, merge_part, &context);
    CLEANUP(health_view_clear) struct health_view view = health_view_make(provider);
    merge_entries(context.merge, view.connectors, "connector");
    merge_entries(context.merge, view.functions, "function");
    merge_processes(&context, provider->rejected->count);
    CLEANUP(bytes_clear) struct bytes text = {0};
    metrics_merge_write(context.merge, &text);
    metrics_merge_free(context.merge);
    admin_answer(r->reply, 200, "text/plain; version=0.0.4; charset=utf-8", bytes_slice(&text));
}

void health_serve(struct admin *admin, const struct health_provider *provider)
{
    void *self = (void *)(uintptr_t)provider;  // the handlers don't change it
    admin_route(admin, "/healthz", serve_healthz, self);
    admin_route(admin, "/readyz", serve_readyz, self);
    admin_route(admin, "/metrics", serve_metrics, self);
    admin_route(admin, "/api/status", serve_status, self);
}

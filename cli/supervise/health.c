#include "cli/supervise/health.h"

#include <jansson.h>

#include "cli/supervise/metrics_merge.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/** What one answer is made of, gathered over all parts. */
struct health_view {
    json_t *connectors;
    json_t *functions;
    json_t *processes;
    bool is_healthy;
    bool is_ready;
};

static json_t *new_entry(const struct health_part *part)
{
    return json_pack("{s:s, s:s, s:s}", "name", part->name, "state", part->state, "detail", part->detail);
}

static json_t *read_status(const struct health_part *part)
{
    return json_loadb((const char *)part->status.data, part->status.size, 0, NULL);
}

static void add_functions(struct health_view *view, const struct health_part *part, json_t *status)
{
    size_t index;
    json_t *entry;
    json_array_foreach(status, index, entry)
    {
        if (json_is_object(entry)) {
            (void)json_object_set_new(entry, "process", json_string(part->name));
            (void)json_array_append(view->functions, entry);
        }
    }
}

static void view_part(void *context, const struct health_part *part)
{
    struct health_view *view = context;
    json_t *process =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "kind", part->kind, "name", part->name, "state",
                  part->state, "detail", part->detail, "alive", part->is_alive, "ready", part->is_ready);
    (void)json_array_append_new(view->processes, process);
    view->is_healthy = view->is_healthy && part->is_alive;
    view->is_ready = view->is_ready && part->is_ready;
    json_t *status = part->status.size == 0 ? NULL : read_status(part);
    if (strcmp(part->kind, "connector") == 0) {
        (void)json_array_append_new(view->connectors,
                                    json_is_object(status) ? json_incref(status) : new_entry(part));
    } else {
        add_functions(view, part, status);
    }
    json_decref(status);
}

static struct health_view view_all(const struct health_provider *provider)
{
    struct health_view view = {json_array(), json_array(), json_array(), true, true};
    provider->each(provider->self, view_part, &view);
    return view;
}

static void view_clear(struct health_view *view)
{
    json_decref(view->connectors);
    json_decref(view->functions);
    json_decref(view->processes);
}

static void answer_json(const struct admin_request *r, int status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    INVARIANT(text != NULL);
    admin_answer(r->reply, status, "application/json", slice_of(text));
    free(text);
}

/** False, and answered, when the request is not a plain GET (or HEAD) of the route itself. */
static bool check_request(const struct admin_request *r)
{
    if (r->path[0] != '\0' && strcmp(r->path, "/") != 0) {
        admin_answer(r->reply, 404, "application/json", slice_of("{\"message\":\"nothing is served here\"}"));
        return false;
    }
    if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0) {
        admin_answer(r->reply, 405, "application/json", slice_of("{\"message\":\"GET only\"}"));
        return false;
    }
    return true;
}

static void serve_healthz(void *self, const struct admin_request *r)
{
    if (!check_request(r)) {
        return;
    }
    CLEANUP(view_clear) struct health_view view = view_all(self);
    answer_json(r, view.is_healthy ? 200 : 503,
                json_pack("{s:b, s:O}", "healthy", view.is_healthy, "processes", view.processes));
}

static void serve_readyz(void *self, const struct admin_request *r)
{
    if (!check_request(r)) {
        return;
    }
    CLEANUP(view_clear) struct health_view view = view_all(self);
    answer_json(r, view.is_ready ? 200 : 503,
                json_pack("{s:b, s:O, s:O, s:O}", "ready", view.is_ready, "connectors", view.connectors,
                          "functions", view.functions, "processes", view.processes));
}

static void serve_status(void *self, const struct admin_request *r)
{
    if (!check_request(r)) {
        return;
    }
    CLEANUP(view_clear) struct health_view view = view_all(self);
    answer_json(r, 200,
                json_pack("{s:s, s:b, s:O, s:O, s:O}", "version", MILLRACE_VERSION, "ready", view.is_ready,
                          "connectors", view.connectors, "functions", view.functions, "processes",
                          view.processes));
}

static void merge_part(void *context, const struct health_part *part)
{
    metrics_merge_add(context, part->metrics);
}

/** What the status reports say about errors, as metrics: they outlive the process that reported them. */
static void merge_errors(struct metrics_merge *merge, const json_t *entries, const char *kind)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    size_t index;
    const json_t *entry;
    json_array_foreach(entries, index, entry)
    {
        if (index == 0) {
            bytes_format(
                &text,
                "# HELP millrace_%s_error_seconds How long it has had its last error, 0 without one\n"
                "# TYPE millrace_%s_error_seconds gauge\n",
                kind, kind);
        }
        const char *name = json_string_value(json_object_get(entry, "name"));
        bytes_format(&text, "millrace_%s_error_seconds{%s=\"%s\"} %lld\n", kind, kind,
                     name == NULL ? "" : name,
                     (long long)json_integer_value(json_object_get(entry, "error_seconds")));
    }
    metrics_merge_add(merge, bytes_slice(&text));
}

static void serve_metrics(void *self, const struct admin_request *r)
{
    const struct health_provider *provider = self;
    if (!check_request(r)) {
        return;
    }
    struct metrics_merge *merge = metrics_merge_new();
    provider->each(provider->self, merge_part, merge);
    CLEANUP(view_clear) struct health_view view = view_all(provider);
    merge_errors(merge, view.connectors, "connector");
    merge_errors(merge, view.functions, "function");
    CLEANUP(bytes_clear) struct bytes text = {0};
    metrics_merge_write(merge, &text);
    metrics_merge_free(merge);
    admin_answer(r->reply, 200, "text/plain; version=0.0.4; charset=utf-8", bytes_slice(&text));
}

void health_serve(struct admin *admin, const struct health_provider *provider)
{
    void *self = (void *)(uintptr_t)provider;  // the handlers only read it
    admin_route(admin, "/healthz", serve_healthz, self);
    admin_route(admin, "/readyz", serve_readyz, self);
    admin_route(admin, "/metrics", serve_metrics, self);
    admin_route(admin, "/api/status", serve_status, self);
}

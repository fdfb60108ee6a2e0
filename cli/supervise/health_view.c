#include "cli/supervise/health_view.h"

#include "cli/supervise/metrics_sums.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/config/settings_kind.h"

static void set_text(json_t *entry, const char *key, const char *text)
{
    // A server's message may not be valid UTF-8, which JSON requires.
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    text_append_json(&quoted, slice_of(text));
    json_t *value =
        json_loadb((const char *)quoted.data, quoted.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    (void)json_object_set_new(entry, key, value == NULL ? json_string("") : value);
}

static void set_error(json_t *entry, const char *error, int64_t since_wall_us)
{
    CLEANUP(bytes_clear) struct bytes since = {0};
    text_append_time(&since, since_wall_us);
    set_text(entry, "last_error", error);
    set_text(entry, "since", bytes_text(&since));
    int64_t age_us = clock_wall_us() - since_wall_us;
    (void)json_object_set_new(entry, "error_seconds", json_integer(age_us < 0 ? 0 : age_us / CLOCK_US_PER_S));
}

/** Sets the state of an entry without a report to that of its process. */
static void set_process_state(json_t *entry, const struct health_part *part)
{
    bool is_starting = strcmp(part->state, "running") == 0 && part->detail[0] == '\0';
    set_text(entry, "state", is_starting ? "starting" : part->state);
    set_text(entry, "detail", part->detail);
    (void)json_object_set_new(entry, "reporting", json_false());
    if (part->detail[0] != '\0') {
        set_error(entry, part->detail, part->since_wall_us);
    }
}

static json_t *new_entry(const char *name)
{
    return json_pack("{s:s, s:s, s:s, s:n, s:n, s:i}", "name", name, "state", "starting", "detail", "",
                     "last_error", "since", "error_seconds", 0);
}

static bool has_entry(const json_t *entries, const char *name)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(entries, index, entry)
    {
        const char *found = json_string_value(json_object_get(entry, "name"));
        if (found != NULL && strcmp(found, name) == 0) {
            return true;
        }
    }
    return false;
}

/** Dead letters by name, from the metrics, which include those of earlier processes. */
static struct metrics_sums *sum_dead_letters(const char *kind, struct slice metrics)
{
    CLEANUP(memory_free_pointer)
    char *beginning = memory_format("millrace_%s_dead_letters_total{%s=\"", kind, kind);
    return metrics_sums_new(metrics, beginning);
}

static void set_dead_letters(json_t *entry, const struct metrics_sums *letters, const char *name)
{
    (void)json_object_set_new(entry, "dead_letters",
                              json_integer((json_int_t)metrics_sums_of(letters, name)));
}

static void add_function(struct health_view *view, const struct health_part *part,
                         const struct metrics_sums *letters, json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "name"));
    (void)json_object_set_new(entry, "process", json_string(part->name));
    set_dead_letters(entry, letters, name == NULL ? "" : name);
    if (!part->is_reporting) {
        set_process_state(entry, part);
    }
    (void)json_array_append(view->functions, entry);
}

static void add_functions(struct health_view *view, const struct health_part *part, json_t *status)
{
    struct metrics_sums *letters = sum_dead_letters("function", part->metrics);
    size_t index;
    json_t *entry;
    json_array_foreach(status, index, entry)
    {
        if (json_is_object(entry)) {
            add_function(view, part, letters, entry);
        }
    }
    metrics_sums_free(letters);
}

static void add_connector(struct health_view *view, const struct health_part *part, json_t *status)
{
    json_t *entry = json_is_object(status) ? json_incref(status) : new_entry(part->name);
    struct metrics_sums *letters = sum_dead_letters("connector", part->metrics);
    set_dead_letters(entry, letters, part->name);
    metrics_sums_free(letters);
    if (!part->is_reporting) {
        set_process_state(entry, part);
    }
    (void)json_array_append_new(view->connectors, entry);
}

struct view_context {
    struct health_view *view;
    const struct health_provider *provider;
};

/** An object with the entries' names as keys. */
static json_t *names_of(const json_t *entries)
{
    json_t *names = json_object();
    size_t index;
    const json_t *entry;
    json_array_foreach(entries, index, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "name"));
        if (name != NULL) {
            (void)json_object_set_new(names, name, json_true());
        }
    }
    return names;
}

/** Adds the functions that no report has named yet, with the state of the bridge process. */
static void add_unreported(struct view_context *context, const struct health_part *part)
{
    const struct text_list *functions = context->provider->functions;
    json_t *reported = names_of(context->view->functions);
    for (size_t i = 0; functions != NULL && i < functions->count; i++) {
        if (json_object_get(reported, functions->items[i]) == NULL) {
            json_t *entry = new_entry(functions->items[i]);
            if (part->detail[0] != '\0' || !part->is_reporting) {
                set_process_state(entry, part);
            }
            (void)json_object_set_new(entry, "process", json_string(part->name));
            (void)json_array_append_new(context->view->functions, entry);
        }
    }
    json_decref(reported);
}

static void view_part(void *self, const struct health_part *part)
{
    struct view_context *context = self;
    struct health_view *view = context->view;
    json_t *process = json_pack("{s:s, s:s, s:s, s:b, s:b, s:I}", "kind", part->kind, "name", part->name,
                                "state", part->state, "alive", part->is_alive, "ready", part->is_ready,
                                "restarts", (json_int_t)part->restarts);
    set_text(process, "detail", part->detail);
    (void)json_array_append_new(view->processes, process);
    view->is_healthy = view->is_healthy && part->is_alive;
    view->is_ready = view->is_ready && part->is_ready;
    json_t *status = part->status.size == 0
                         ? NULL
                         : json_loadb((const char *)part->status.data, part->status.size, 0, NULL);
    if (strcmp(part->kind, "connector") == 0) {
        add_connector(view, part, status);
    } else {
        add_functions(view, part, status);
        add_unreported(context, part);
    }
    json_decref(status);
}

/** Joins the lines of the complaints. */
static char *one_line(const char *text)
{
    struct bytes line = {0};
    for (const char *c = text; *c != '\0'; c++) {
        if (*c != '\n') {
            bytes_append_byte(&line, (uint8_t)*c);
        } else if (c[1] != '\0') {
            bytes_append_string(&line, "; ");
        }
    }
    char *copy = memory_string(bytes_text(&line));
    bytes_clear(&line);
    return copy;
}

static void view_rejected(struct health_view *view, const struct health_provider *provider,
                          const struct config_rejected *r)
{
    json_t *entry = json_pack("{s:s, s:s}", "kind", r->kind->name, "name", r->name);
    set_text(entry, "error", r->text);
    (void)json_array_append_new(view->rejected, entry);
    bool is_connector = r->kind == &connector_config_kind;
    json_t *entries = is_connector ? view->connectors : view->functions;
    if (r->kind == &settings_kind || provider->is_one_connector || has_entry(entries, r->name)) {
        return;  // the function or connector of this name still runs
    }
    CLEANUP(memory_free_pointer) char *error = one_line(r->text);
    json_t *part = new_entry(r->name);
    set_text(part, "state", "failed");
    set_text(part, "detail", error);
    (void)json_object_set_new(part, "reporting", json_false());
    set_error(part, error, r->since_wall_us);
    (void)json_array_append_new(entries, part);
    view->is_ready = false;
}

struct health_view health_view_make(const struct health_provider *provider)
{
    struct health_view view = {.connectors = json_array(),
                               .functions = json_array(),
                               .processes = json_array(),
                               .rejected = json_array(),
                               .is_healthy = true,
                               .is_ready = true};
    struct view_context context = {&view, provider};
    provider->each(provider->self, view_part, &context);
    for (size_t i = 0; i < provider->rejected->count; i++) {
        view_rejected(&view, provider, &provider->rejected->items[i]);
    }
    return view;
}

void health_view_clear(struct health_view *view)
{
    json_decref(view->connectors);
    json_decref(view->functions);
    json_decref(view->processes);
    json_decref(view->rejected);
}

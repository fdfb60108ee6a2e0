#include "cli/supervise/reload.h"

#include "cli/config_hash.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/config/settings_kind.h"

enum { SETTLE_MS = 300, LOOK_MS = 5000, FOLDERS = 3 };

// A thread of libuv's pool reads and checks the files, so that the loop does not wait for a disk.
struct reload_look {
    uv_work_t work;
    struct reload *owner;  // NULL: reload_stop was called meanwhile
    char *dir;
    struct config_scope scope;
    struct config_set set;
    uint64_t hash;
};

struct reload {
    struct reload_params params;
    uv_fs_event_t events[FOLDERS];
    uv_timer_t settle;
    uv_timer_t look;
    int handles;  // still open on the loop
    struct reload_look *running;
    bool is_pending;   // something changed during a look
    uint64_t refused;  // hash of the complaints logged last; 0: none
};

static void on_work(uv_work_t *work)
{
    struct reload_look *look = work->data;
    (void)config_dir_load_scope(look->dir, &look->scope, &look->set);
    look->hash = config_hash_set(&look->set);
}

void reload_log_rejected(const char *component, const struct config_rejections *rejected)
{
    for (size_t i = 0; i < rejected->count; i++) {
        CLEANUP(memory_free_pointer) char *text = memory_string(rejected->items[i].text);
        char *rest = NULL;
        for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
            log_error(component, "config_rejected", NULL, "%s", line);
        }
    }
}

/** A missing folder is probably a failed mount or a mistake: it must not stop everything that was in it. */
static void reject_missing_folders(const struct reload *r, struct config_set *set)
{
    static const struct {
        enum config_folder bit;
        const char *name;
    } folders[] = {{CONFIG_FOLDER_CONNECTORS, "connectors"}, {CONFIG_FOLDER_FUNCTIONS, "functions"}};
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        if ((r->params.folders & folders[i].bit) != 0 && (set->folders & folders[i].bit) == 0) {
            CLEANUP(memory_free_pointer)
            char *path = memory_format("%s/%s", r->params.dir, folders[i].name);
            config_set_reject_folder(
                set, path, "the folder is missing; to stop what was in it, keep the folder without files");
        }
    }
}

/** Stores the rejected files for the status; logs them when they have changed. */
static void store_rejected(struct reload *r, struct config_set *set, bool is_usable)
{
    uint64_t hash = set->complaints.size == 0 ? 0 : text_hash(bytes_slice(&set->complaints));
    if (hash == r->refused) {
        return;
    }
    r->refused = hash;
    config_rejections_move(r->params.rejected, &set->rejected);
    if (r->params.is_quiet) {
        return;
    }
    reload_log_rejected(r->params.component, r->params.rejected);
    if (hash != 0) {
        log_error(r->params.component, "config_kept", NULL, "%s",
                  is_usable ? "what runs under the names of the rejected files keeps running"
                            : "the previous configuration stays in use");
    }
}

static void apply_look(struct reload *r, struct reload_look *look)
{
    bool was_refused = r->refused != 0;
    reject_missing_folders(r, &look->set);
    bool is_usable = config_rejections_find(&look->set.rejected, &settings_kind, NULL) == NULL;
    store_rejected(r, &look->set, is_usable);
    if (is_usable && look->hash != r->params.hash) {
        r->params.hash = look->hash;
        r->params.folders |= config_set_used_folders(&look->set);
        log_info(r->params.component, "config_changed", NULL, "the configuration has changed");
        r->params.on_config(r->params.self, &look->set);
    } else if (was_refused && r->refused == 0) {
        log_info(r->params.component, "config_restored", NULL,
                 "the files match the running configuration again");
    }
}

static void start_look(struct reload *r);

static void on_looked(uv_work_t *work, int status)
{
    struct reload_look *look = work->data;
    if (look->owner != NULL && status == 0) {
        apply_look(look->owner, look);
    }
    struct reload *r = look->owner;  // NULL when on_config has called reload_stop
    if (r != NULL) {
        r->running = NULL;
        if (r->is_pending) {
            start_look(r);
        }
    }
    config_set_clear(&look->set);
    free(look->dir);
    free(look);
}

static void start_look(struct reload *r)
{
    r->is_pending = r->running != NULL;
    if (r->running != NULL) {
        return;
    }
    struct reload_look *look = memory_zeroed(1, sizeof(*look));
    look->work.data = look;
    look->owner = r;
    look->scope = r->params.scope;
    look->dir = memory_string(r->params.dir);
    r->running = look;
    int failed = uv_queue_work(r->params.loop, &look->work, on_work, on_looked);
    INVARIANT(failed == 0);
}

static void on_settled(uv_timer_t *timer)
{
    start_look(timer->data);
}

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    (void)name;
    (void)events;
    (void)status;
    struct reload *r = event->data;
    (void)uv_timer_start(&r->settle, on_settled, SETTLE_MS, 0);
}

static void watch_folders(struct reload *r)
{
    static const char *const names[FOLDERS] = {"", "/connectors", "/functions"};
    for (int i = 0; i < FOLDERS; i++) {
        CLEANUP(memory_free_pointer) char *path = memory_format("%s%s", r->params.dir, names[i]);
        // Restarted each time, because the folder may have been replaced by another of the same name.
        (void)uv_fs_event_stop(&r->events[i]);
        (void)uv_fs_event_start(&r->events[i], on_event, path, 0);  // fails when the folder does not exist
    }
}

static void on_look(uv_timer_t *timer)
{
    struct reload *r = timer->data;
    log_flush();
    watch_folders(r);
    start_look(r);
}

struct reload *reload_start(const struct reload_params *params)
{
    struct reload *r = memory_zeroed(1, sizeof(*r));
    r->params = *params;
    if (params->rejected->count > 0) {  // worker_load or run has logged these
        CLEANUP(bytes_clear) struct bytes text = {0};
        for (size_t i = 0; i < params->rejected->count; i++) {
            bytes_append_string(&text, params->rejected->items[i].text);
        }
        r->refused = text_hash(bytes_slice(&text));
    }
    for (int i = 0; i < FOLDERS; i++) {
        (void)uv_fs_event_init(params->loop, &r->events[i]);
        r->events[i].data = r;
    }
    (void)uv_timer_init(params->loop, &r->settle);
    (void)uv_timer_init(params->loop, &r->look);
    r->settle.data = r;
    r->look.data = r;
    r->handles = FOLDERS + 2;
    watch_folders(r);
    (void)uv_timer_start(&r->look, on_look, LOOK_MS, LOOK_MS);
    return r;
}

void reload_now(struct reload *r)
{
    start_look(r);
}

static void on_closed(uv_handle_t *handle)
{
    struct reload *r = handle->data;
    if (--r->handles == 0) {
        free(r);
    }
}

void reload_stop(struct reload *r)
{
    if (r == NULL) {
        return;
    }
    if (r->running != NULL) {
        r->running->owner = NULL;
    }
    for (int i = 0; i < FOLDERS; i++) {
        uv_close((uv_handle_t *)&r->events[i], on_closed);
    }
    uv_close((uv_handle_t *)&r->settle, on_closed);
    uv_close((uv_handle_t *)&r->look, on_closed);
}

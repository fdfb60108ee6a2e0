#include "cli/supervise/reload.h"

#include "cli/config_print.h"
#include "core/base/log.h"
#include "core/base/memory.h"

enum { SETTLE_MS = 300, LOOK_MS = 5000, FOLDERS = 3 };

// Files are read and checked on a thread of libuv's pool, into a set of its own: the loop does not wait for a
// disk.
struct reload_look {
    uv_work_t work;
    struct reload *owner;  // NULL: stopped meanwhile
    char *dir;
    struct config_set set;
    bool is_good;
    uint64_t print;
};

struct reload {
    struct reload_params params;
    uv_fs_event_t events[FOLDERS];
    uv_timer_t settle;
    uv_timer_t look;
    int handles;                // still open on the loop
    struct reload_look *under;  // the look that runs now
    bool is_again;              // something changed while it ran
    uint64_t refused;           // hash of the complaints said last; 0: none
};

static void on_work(uv_work_t *work)
{
    struct reload_look *look = work->data;
    look->is_good = config_dir_load(look->dir, &look->set);
    look->print = look->is_good ? config_print_set(&look->set) : 0;
}

static void refuse(struct reload *r, const struct config_set *set)
{
    uint64_t hash = text_hash(bytes_slice(&set->complaints));
    if (hash == r->refused) {
        return;
    }
    r->refused = hash;
    CLEANUP(memory_free_pointer) char *text = slice_to_string(bytes_slice(&set->complaints));
    for (char *line = text; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end++ = '\0';
        }
        log_error(r->params.component, "config_rejected", NULL, "%s", line);
        line = end;
    }
    log_error(r->params.component, "config_kept", NULL, "the configuration from before goes on");
}

static void accept_config(struct reload *r, struct reload_look *look)
{
    bool was_refused = r->refused != 0;
    r->refused = 0;
    if (look->print != r->params.print) {
        r->params.print = look->print;
        log_info(r->params.component, "config_changed", NULL, "the configuration has changed");
        r->params.on_config(r->params.self, &look->set);
    } else if (was_refused) {
        log_info(r->params.component, "config_restored", NULL, "the configuration is as it runs");
    }
}

static void look_now(struct reload *r);

static void on_looked(uv_work_t *work, int status)
{
    struct reload_look *look = work->data;
    struct reload *r = look->owner;
    if (r != NULL && status == 0) {
        if (look->is_good) {
            accept_config(r, look);
        } else {
            refuse(r, &look->set);
        }
    }
    if (look->owner != NULL) {  // on_config may have stopped us
        r->under = NULL;
        if (r->is_again) {
            look_now(r);
        }
    }
    config_set_clear(&look->set);
    free(look->dir);
    free(look);
}

static void look_now(struct reload *r)
{
    r->is_again = r->under != NULL;
    if (r->under != NULL) {
        return;
    }
    struct reload_look *look = memory_zeroed(1, sizeof(*look));
    look->work.data = look;
    look->owner = r;
    look->dir = memory_string(r->params.dir);
    r->under = look;
    int failed = uv_queue_work(r->params.loop, &look->work, on_work, on_looked);
    INVARIANT(failed == 0);
}

static void on_settled(uv_timer_t *timer)
{
    look_now(timer->data);
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
        // Each time anew: the folder may have been replaced by another of the same name.
        (void)uv_fs_event_stop(&r->events[i]);
        (void)uv_fs_event_start(&r->events[i], on_event, path, 0);  // a folder may not be there
    }
}

static void on_look(uv_timer_t *timer)
{
    struct reload *r = timer->data;
    watch_folders(r);
    look_now(r);
}

struct reload *reload_start(const struct reload_params *params)
{
    struct reload *r = memory_zeroed(1, sizeof(*r));
    r->params = *params;
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
    look_now(r);
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
    if (r->under != NULL) {
        r->under->owner = NULL;
    }
    for (int i = 0; i < FOLDERS; i++) {
        uv_close((uv_handle_t *)&r->events[i], on_closed);
    }
    uv_close((uv_handle_t *)&r->settle, on_closed);
    uv_close((uv_handle_t *)&r->look, on_closed);
}

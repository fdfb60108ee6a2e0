#include "bridge/function/registration_client.h"

#include "core/base/memory.h"

enum { IDLE_MS = 10000 };

struct registration_client {
    uv_loop_t *loop;
    const struct settings *settings;  // lent
    rd_kafka_t *rk;                   // NULL: not open
    size_t user_count;
    uv_timer_t idle;
};

static void destroy_client(uv_work_t *work)
{
    rd_kafka_destroy_flags(work->data, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void on_destroyed(uv_work_t *work, int status)
{
    (void)status;
    free(work);
}

static void close_client(struct registration_client *c)
{
    if (c->rk != NULL) {
        uv_work_t *work = memory_zeroed(1, sizeof(*work));
        work->data = TAKE(c->rk);
        INVARIANT(uv_queue_work(c->loop, work, destroy_client, on_destroyed) == 0);
    }
}

static void on_idle(uv_timer_t *timer)
{
    close_client(timer->data);
}

bool registration_client_acquire(struct registration_client *c, const char *group, rd_kafka_t **ret,
                                 struct fault *f)
{
    const char *const extra[] = {"group.id", group, NULL};
    rd_kafka_conf_t *conf;
    if (c->rk == NULL && !(kafka_client_conf(c->settings, KAFKA_CONSUMER, extra, &conf, f) &&
                           kafka_client_open(conf, KAFKA_CONSUMER, &c->rk, f))) {
        c->rk = NULL;
        return false;
    }
    (void)uv_timer_stop(&c->idle);
    c->user_count++;
    *ret = c->rk;
    return true;
}

void registration_client_release(struct registration_client *c)
{
    if (--c->user_count == 0) {
        (void)uv_timer_start(&c->idle, on_idle, IDLE_MS, 0);
        uv_unref((uv_handle_t *)&c->idle);
    }
}

struct registration_client *registration_client_new(uv_loop_t *loop, const struct settings *settings)
{
    struct registration_client *c = memory_zeroed(1, sizeof(*c));
    c->loop = loop;
    c->settings = settings;
    (void)uv_timer_init(loop, &c->idle);
    c->idle.data = c;
    return c;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void registration_client_free(struct registration_client *c)
{
    if (c != NULL) {
        INVARIANT(c->user_count == 0);
        close_client(c);
        uv_close((uv_handle_t *)&c->idle, on_closed);
    }
}

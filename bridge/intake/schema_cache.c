#include "bridge/intake/schema_cache.h"

#include <uthash.h>

#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum { UNKNOWN_MAX = 1024 };  // cached ids that the registry does not have

enum schema_state { STATE_ASKED, STATE_READY, STATE_UNKNOWN, STATE_WAITING /* for the next look-up */ };

struct schema_entry {
    int32_t id;
    enum schema_state state;
    int64_t asked_us;
    struct avro_type *type;
    char *why;
    struct schema_cache *cache;  // NULL: the cache is freed, and the look-up that ends frees this entry
    UT_hash_handle hh;
};

struct schema_cache {
    struct registry *registry;
    struct schema_entry *entries;
    size_t unknown_count;
    struct schema_listener *listeners;
    struct backoff backoff;
    struct last_error error;  // the registry's
    uv_timer_t timer;
};

static void free_entry(struct schema_entry *e)
{
    avro_type_free(e->type);
    free(e->why);
    free(e);
}

static void notify_all(struct schema_cache *c)
{
    struct schema_listener *next;
    for (struct schema_listener *l = c->listeners; l != NULL; l = next) {
        next = l->next;
        l->on_resolved(l->self);
    }
}

static void ask(struct schema_cache *c, struct schema_entry *e);

static void on_ask_again(uv_timer_t *timer)
{
    struct schema_cache *c = timer->data;
    struct schema_entry *e;
    struct schema_entry *next;
    HASH_ITER (hh, c->entries, e, next) {
        if (e->state == STATE_WAITING) {
            ask(c, e);
        }
    }
}

/** uthash iterates in the order of insertion. */
static void evict_oldest_unknown(struct schema_cache *c)
{
    struct schema_entry *e;
    struct schema_entry *next;
    HASH_ITER (hh, c->entries, e, next) {
        if (e->state == STATE_UNKNOWN) {
            HASH_DEL(c->entries, e);
            free_entry(e);
            c->unknown_count--;
            return;
        }
    }
}

static void refuse(struct schema_entry *e, const char *why)
{
    if (e->cache->unknown_count >= UNKNOWN_MAX) {
        evict_oldest_unknown(e->cache);
    }
    e->cache->unknown_count++;
    e->state = STATE_UNKNOWN;
    free(e->why);
    e->why = memory_string(why);
}

/** The registry does not respond: retries later. Treating the id as unknown would dead-letter the record. */
static void wait_for_registry(struct schema_cache *c, struct schema_entry *e, const struct fault *f)
{
    if (c->backoff.failures == 0) {
        log_warn("bridge", "registry_unreachable", LOG_WITH(LOG_NUMBER("schema_id", e->id)),
                 "waiting for the schema registry: %s", f->text);
    }
    CLEANUP(memory_free_pointer) char *why = memory_format("waiting for the schema registry: %s", f->text);
    last_error_set(&c->error, why);
    e->state = STATE_WAITING;
    uint64_t wait_ms = (uint64_t)(backoff_next_us(&c->backoff) / CLOCK_US_PER_MS);
    (void)uv_timer_start(&c->timer, on_ask_again, wait_ms, 0);
}

static void on_schema(void *self, struct slice text, const struct fault *f)
{
    struct schema_entry *e = self;
    struct schema_cache *c = e->cache;
    if (c == NULL) {
        free_entry(e);
        return;
    }
    struct fault bad;
    if (f == NULL || f->kind == FAULT_REJECT) {
        last_error_clear(&c->error);
    }
    if (f == NULL) {
        backoff_reset(&c->backoff);
        if (avro_type_parse(text, &e->type, &bad)) {
            e->state = STATE_READY;
        } else {
            refuse(e, bad.text);
        }
    } else if (f->kind == FAULT_REJECT) {
        refuse(e, f->text);
    } else {
        wait_for_registry(c, e, f);
        return;
    }
    notify_all(c);
}

static void ask(struct schema_cache *c, struct schema_entry *e)
{
    e->state = STATE_ASKED;
    e->asked_us = clock_now_us();
    registry_lookup(c->registry, e->id, on_schema, e);
}

enum schema_step schema_cache_get(struct schema_cache *c, int32_t id, const struct schema_age *age,
                                  const struct avro_type **ret, const char **ret_why)
{
    struct schema_entry *e;
    HASH_FIND(hh, c->entries, &id, sizeof(id), e);
    if (e == NULL) {
        e = memory_zeroed(1, sizeof(*e));
        e->id = id;
        e->cache = c;
        HASH_ADD(hh, c->entries, id, sizeof(e->id), e);
        ask(c, e);
        return SCHEMA_WAIT;
    }
    if (e->state == STATE_READY) {
        *ret = e->type;
        return SCHEMA_READY;
    }
    if (e->state == STATE_UNKNOWN) {
        if (age->seen_us <= e->asked_us || clock_now_us() - e->asked_us < age->valid_us) {
            *ret_why = e->why;
            return SCHEMA_UNKNOWN;
        }
        c->unknown_count--;
        ask(c, e);
    }
    return SCHEMA_WAIT;
}

void schema_cache_join(struct schema_cache *c, struct schema_listener *listener)
{
    listener->next = c->listeners;
    c->listeners = listener;
}

void schema_cache_leave(struct schema_cache *c, struct schema_listener *listener)
{
    for (struct schema_listener **at = &c->listeners; *at != NULL; at = &(*at)->next) {
        if (*at == listener) {
            *at = listener->next;
            return;
        }
    }
}

const struct last_error *schema_cache_error(const struct schema_cache *c)
{
    return &c->error;
}

struct schema_cache *schema_cache_new(uv_loop_t *loop, struct registry *registry)
{
    struct schema_cache *c = memory_zeroed(1, sizeof(*c));
    c->registry = registry;
    c->backoff = backoff_make(100 * CLOCK_US_PER_MS, 10 * CLOCK_US_PER_S);
    (void)uv_timer_init(loop, &c->timer);
    c->timer.data = c;
    return c;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void schema_cache_free(struct schema_cache *c)
{
    if (c == NULL) {
        return;
    }
    struct schema_entry *e = c->entries;
    HASH_CLEAR(hh, c->entries);
    for (struct schema_entry *next; e != NULL; e = next) {
        next = e->hh.next;
        if (e->state == STATE_ASKED) {
            e->cache = NULL;  // on_schema frees it
        } else {
            free_entry(e);
        }
    }
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

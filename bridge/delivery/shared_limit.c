#include "bridge/delivery/shared_limit.h"

#include <string.h>
#include <utlist.h>

#include "core/base/memory.h"

struct shared_limit {
    const struct limit_setting *setting;  // lent
    size_t running;
    struct limiter_rate rate;
    struct shared_member *waiting;  // in the order of their turns
};

struct shared_limits {
    struct shared_limit *items;
    size_t count;
};

struct shared_limits *shared_limits_new(const struct settings *settings)
{
    struct shared_limits *limits = memory_zeroed(1, sizeof(*limits));
    limits->count = settings->limits.count;
    limits->items = memory_zeroed(limits->count + 1, sizeof(*limits->items));
    for (size_t i = 0; i < limits->count; i++) {
        const struct limit_setting *s = &settings->limits.items[i];
        limits->items[i].setting = s;
        limiter_rate_set(&limits->items[i].rate, &s->rate, s->burst, 0);
    }
    return limits;
}

void shared_limits_free(struct shared_limits *limits)
{
    if (limits != NULL) {
        free(limits->items);
        free(limits);
    }
}

static struct shared_limit *find(struct shared_limits *limits, const char *name)
{
    for (size_t i = 0; name != NULL && limits != NULL && i < limits->count; i++) {
        if (strcmp(limits->items[i].setting->name, name) == 0) {
            return &limits->items[i];
        }
    }
    return NULL;
}

static bool is_full(const struct shared_limit *s)
{
    return s->setting->concurrency > 0 && s->running >= (size_t)s->setting->concurrency;
}

static void wake_first(const struct shared_limit *s)
{
    if (s->waiting != NULL && !is_full(s)) {
        s->waiting->on_turn(s->waiting->self);
    }
}

void shared_limit_join(struct shared_limits *limits, struct shared_member *m, const char *name)
{
    struct shared_limit *to = find(limits, name);
    struct shared_limit *from = m->limit;
    if (to == from) {
        return;
    }
    shared_limit_pass(m);
    m->limit = to;
    if (to != NULL) {
        to->running += m->running;
    }
    if (from != NULL) {
        from->running -= m->running;
        wake_first(from);
    }
}

struct shared_verdict shared_limit_admits(const struct shared_member *m, int64_t now_us)
{
    const struct shared_limit *s = m->limit;
    if (s == NULL) {
        return (struct shared_verdict){.admits = true, .at_us = now_us};
    }
    if (is_full(s) || (s->waiting != NULL && s->waiting != m)) {
        return (struct shared_verdict){.at_us = -1};
    }
    int64_t at_us = limiter_rate_next_us(&s->rate, now_us);
    return (struct shared_verdict){.admits = at_us <= now_us, .at_us = at_us};
}

void shared_limit_begin(struct shared_member *m, int64_t now_us)
{
    m->running++;
    if (m->limit == NULL) {
        return;
    }
    m->limit->running++;
    limiter_rate_take(&m->limit->rate, now_us);
    shared_limit_pass(m);
}

void shared_limit_end(struct shared_member *m)
{
    m->running--;
    if (m->limit != NULL) {
        m->limit->running--;
        wake_first(m->limit);
    }
}

void shared_limit_wait(struct shared_member *m)
{
    if (m->limit != NULL && !m->is_waiting) {
        m->is_waiting = true;
        DL_APPEND2(m->limit->waiting, m, previous, next);
    }
}

void shared_limit_pass(struct shared_member *m)
{
    if (!m->is_waiting) {
        return;
    }
    m->is_waiting = false;
    DL_DELETE2(m->limit->waiting, m, previous, next);
    wake_first(m->limit);
}

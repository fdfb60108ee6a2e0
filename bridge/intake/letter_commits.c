#include "bridge/intake/letter_commits.h"

#include <utlist.h>

void letter_commits_init(struct letter_commits *l, uv_loop_t *loop, struct offset_store *store)
{
    l->store = store;
    l->is_due = false;
    l->committed_us = INT64_MIN / 2;
    (void)uv_timer_init(loop, &l->timer);
}

static bool can_commit(const struct letter_commits *l)
{
    return l->is_due && l->store->queue != NULL && !l->store->is_committing;
}

enum { US_AN_ATTEMPT = 5 };  // some twenty times what collecting it for a commit takes

/** A commit collects the attempts of all failing events, which takes 8 ms with 32,768 of them. */
static int64_t again_us(const struct letter_commits *l)
{
    size_t attempts = 0;
    const struct partition *p;
    LL_FOREACH (*l->store->partitions, p) {
        attempts += p->attempt_count;
    }
    int64_t ret = OFFSET_STORE_LETTERS_AGAIN_US + (int64_t)attempts * US_AN_ATTEMPT;
    return ret < OFFSET_STORE_AGAIN_US ? ret : OFFSET_STORE_AGAIN_US;
}

static int64_t wait_us(const struct letter_commits *l)
{
    int64_t ret = l->committed_us + again_us(l) - clock_now_us();
    return ret < 0 ? 0 : ret;
}

static void on_due(uv_timer_t *timer)
{
    struct letter_commits *l = CONTAINER_OF(timer, struct letter_commits, timer);
    if (wait_us(l) > 0) {
        letter_commits_go_on(l);
    } else if (can_commit(l)) {
        l->is_due = false;
        l->committed_us = clock_now_us();
        (void)offset_store_commit(l->store, false);
    }
}

void letter_commits_go_on(struct letter_commits *l)
{
    if (can_commit(l)) {
        (void)uv_timer_start(&l->timer, on_due,
                             (uint64_t)((wait_us(l) + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS), 0);
    }
}

void letter_commits_add(struct letter_commits *l, struct partition *p)
{
    p->has_new_letter = l->is_due = true;
    if (!uv_is_active((const uv_handle_t *)&l->timer)) {
        letter_commits_go_on(l);
    }
}

void letter_commits_close(struct letter_commits *l, uv_close_cb on_closed)
{
    uv_close((uv_handle_t *)&l->timer, on_closed);
}

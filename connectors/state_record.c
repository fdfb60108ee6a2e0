#include "connectors/state_record.h"

#include <string.h>

#include "core/base/clock.h"

enum { BETWEEN_MS = 1000 };  // records, under load

bool state_record_may_save(const struct state_record *r, uint64_t first)
{
    return r->is_save_due && first >= r->save_after;
}

static bool is_position_due(const struct state_record *r, const struct state_record_progress *p)
{
    return p->has_session && r->state.is_known && p->safe > r->recorded;
}

bool state_record_is_due(const struct state_record *r, const struct state_record_progress *p)
{
    return state_record_may_save(r, p->first) || is_position_due(r, p);
}

uint64_t state_record_wait_ms(const struct state_record *r, const struct state_record_progress *p,
                              bool is_draining, int64_t now_us)
{
    int64_t wait_ms = BETWEEN_MS - (now_us - r->sent_us) / CLOCK_US_PER_MS;
    bool is_urgent = state_record_may_save(r, p->first) || is_draining || r->sent_us == 0 || wait_ms <= 0;
    return is_urgent ? 0 : (uint64_t)wait_ms;
}

struct source_state state_record_next(struct state_record *r, const struct state_record_progress *p)
{
    struct source_state state = state_record_may_save(r, p->first) ? r->wanted : r->state;
    if (p->has_session) {
        state.position = p->safe > r->state.position ? p->safe : r->state.position;
    }
    r->recording = state.position;
    return state;
}

void state_record_sent(struct state_record *r, uint64_t first, int64_t now_us)
{
    r->is_in_flight = true;
    r->is_saving = state_record_may_save(r, first);
    r->is_save_due = r->is_save_due && !r->is_saving;
    r->state = r->is_saving ? r->wanted : r->state;
    r->sent_us = now_us;
}

void state_record_acknowledged(struct state_record *r)
{
    r->is_in_flight = false;
    r->recorded = r->recording;
    r->state.position = r->recording;
}

bool state_record_end_save(struct state_record *r)
{
    bool is_newest = r->is_saving && !r->is_save_due;
    r->is_saving = false;
    return is_newest;
}

static bool only_adds(const struct source_state *from, const struct source_state *to)
{
    return from->is_snapshot_done == to->is_snapshot_done && to->unread_count >= from->unread_count &&
           memcmp(from->unread, to->unread, from->unread_count * sizeof(*from->unread)) == 0;
}

void state_record_want(struct state_record *r, const struct source_state *state, uint64_t first,
                       uint64_t next)
{
    r->wanted = *state;
    r->wanted.is_known = true;
    r->is_save_due = true;
    r->save_after = only_adds(&r->state, state) ? first : next;
}

void state_record_begin_session(struct state_record *r, uint64_t position)
{
    r->recorded = r->state.position < position ? r->state.position : position;
    r->state.position = r->recorded;
}

void state_record_drop(struct state_record *r)
{
    r->is_in_flight = r->is_saving = r->is_save_due = false;
    r->sent_us = 0;
}

#include "bridge/delivery/invoke.h"

#include <utlist.h>

#include "core/base/clock.h"

/** Larger buffers are freed, not reused. */
enum { SLOT_BYTES_KEPT = 1 << 20 };

struct invocation *invoke_open(struct target *t)
{
    struct invocation *inv = t->unused;
    if (inv != NULL) {
        t->unused = inv->next;
    } else {
        inv = memory_new(sizeof(*inv));
    }
    *inv = (struct invocation){.target = t, .number = ++t->opened_count};
    return inv;
}

void invoke_add(struct invocation *inv, struct event *e)
{
    e->next = NULL;
    *(inv->first == NULL ? &inv->first : &inv->last->next) = e;
    inv->last = e;
    inv->event_count++;
}

struct event *invoke_take_events(struct invocation *inv)
{
    struct event *events = inv->first;
    inv->first = inv->last = NULL;
    inv->event_count = 0;
    return events;
}

static void release_slot(struct invocation *inv)
{
    struct invoke_slot *slot = inv->slot;
    if (slot == NULL) {
        return;
    }
    if (slot->payload.array.capacity > SLOT_BYTES_KEPT || slot->payload.json.capacity > SLOT_BYTES_KEPT) {
        payload_clear(&slot->payload);
    }
    inv->slot = NULL;
    slot->next = inv->target->slots;
    inv->target->slots = slot;
}

void invoke_close(struct invocation *inv)
{
    release_slot(inv);
    inv->next = inv->target->unused;
    inv->target->unused = inv;
}

struct payload *invoke_payload(struct invocation *inv)
{
    struct target *t = inv->target;
    if (inv->slot == NULL) {
        inv->slot = t->slots;
        if (inv->slot != NULL) {
            t->slots = inv->slot->next;
        } else {
            inv->slot = memory_zeroed(1, sizeof(*inv->slot));
        }
    }
    return &inv->slot->payload;
}

static void stop_running(struct invocation *inv)
{
    DL_DELETE2(inv->target->running, inv, previous, next);
    inv->target->running_count--;
    inv->call = NULL;
    release_slot(inv);
}

static void on_response(void *self, const struct response *r)
{
    struct invocation *inv = self;
    struct target *t = inv->target;
    stop_running(inv);
    t->on_response(t->self, inv, r);
}

void invoke_send(struct invocation *inv, int64_t timeout_us)
{
    struct target *t = inv->target;
    const struct payload *p = &inv->slot->payload;
    struct endpoint_request request = {
        .body = p->body,
        .content_type = payload_type_of(p->options->kind)->content_type,
        .header_lines = p->lines.size > 0 ? (const char *)p->lines.data : NULL,
        .timeout_us = timeout_us,
    };
    inv->sent_us = clock_now_us();
    if (inv->first_attempt_us == 0) {
        inv->first_attempt_us = inv->sent_us;
    }
    DL_APPEND2(t->running, inv, previous, next);
    t->running_count++;
    inv->call = t->endpoint_type->send(t->endpoint, &request, on_response, inv);
}

void invoke_cancel(struct invocation *inv)
{
    inv->target->endpoint_type->cancel(inv->target->endpoint, inv->call);
    stop_running(inv);
}

static void sift_up(struct target *t, size_t at)
{
    struct invocation *inv = t->waiting[at];
    while (at > 0 && t->waiting[(at - 1) / 2]->due_us > inv->due_us) {
        t->waiting[at] = t->waiting[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    t->waiting[at] = inv;
}

static void sift_down(struct target *t, size_t at)
{
    struct invocation *inv = t->waiting[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < t->waiting_count && t->waiting[child + 1]->due_us < t->waiting[child]->due_us) {
            child++;
        }
        if (child >= t->waiting_count || t->waiting[child]->due_us >= inv->due_us) {
            break;
        }
        t->waiting[at] = t->waiting[child];
        at = child;
    }
    t->waiting[at] = inv;
}

void invoke_wait(struct invocation *inv, int64_t due_us)
{
    struct target *t = inv->target;
    release_slot(inv);
    inv->due_us = due_us;
    if (t->waiting_count == t->waiting_capacity) {
        t->waiting_capacity = t->waiting_capacity == 0 ? 16 : t->waiting_capacity * 2;
        t->waiting = memory_resize(t->waiting, t->waiting_capacity * sizeof(struct invocation *));
    }
    t->waiting[t->waiting_count++] = inv;
    sift_up(t, t->waiting_count - 1);
}

struct invocation *invoke_take_due(struct target *t, int64_t now_us)
{
    if (t->waiting_count == 0 || t->waiting[0]->due_us > now_us) {
        return NULL;
    }
    struct invocation *inv = t->waiting[0];
    t->waiting[0] = t->waiting[--t->waiting_count];
    if (t->waiting_count > 0) {
        sift_down(t, 0);
    }
    return inv;
}

int64_t invoke_next_due_us(const struct target *t)
{
    return t->waiting_count == 0 ? -1 : t->waiting[0]->due_us;
}

void target_clear(struct target *t)
{
    INVARIANT(t->running_count == 0 && t->waiting_count == 0);
    for (struct invocation *inv = t->unused, *next; inv != NULL; inv = next) {
        next = inv->next;
        free(inv);
    }
    for (struct invoke_slot *slot = t->slots, *next; slot != NULL; slot = next) {
        next = slot->next;
        payload_clear(&slot->payload);
        free(slot);
    }
    free(t->waiting);
    *t = (struct target){0};
}

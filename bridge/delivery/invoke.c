#include "bridge/delivery/invoke.h"

#include <utlist.h>

#include "core/base/clock.h"

/** Buffers that one large body has blown up are not kept for the small ones after it. */
enum { SLOT_BYTES_KEPT = 1 << 20 };

struct invocation *invoke_open(struct invoker *i)
{
    struct invocation *inv = i->unused;
    if (inv != NULL) {
        i->unused = inv->next;
    } else {
        inv = memory_new(sizeof(*inv));
    }
    *inv = (struct invocation){.invoker = i, .number = ++i->opened_count};
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

static void give_slot_back(struct invocation *inv)
{
    struct invoke_slot *slot = inv->slot;
    if (slot == NULL) {
        return;
    }
    if (slot->payload.array.capacity > SLOT_BYTES_KEPT || slot->payload.json.capacity > SLOT_BYTES_KEPT) {
        payload_clear(&slot->payload);
    }
    inv->slot = NULL;
    slot->next = inv->invoker->slots;
    inv->invoker->slots = slot;
}

void invoke_close(struct invocation *inv)
{
    give_slot_back(inv);
    inv->next = inv->invoker->unused;
    inv->invoker->unused = inv;
}

struct payload *invoke_payload(struct invocation *inv)
{
    struct invoker *i = inv->invoker;
    if (inv->slot == NULL) {
        inv->slot = i->slots;
        if (inv->slot != NULL) {
            i->slots = inv->slot->next;
        } else {
            inv->slot = memory_zeroed(1, sizeof(*inv->slot));
        }
    }
    return &inv->slot->payload;
}

static void stop_running(struct invocation *inv)
{
    DL_DELETE2(inv->invoker->running, inv, previous, next);
    inv->invoker->running_count--;
    inv->call = NULL;
    give_slot_back(inv);
}

static void on_answer(void *self, const struct answer *a)
{
    struct invocation *inv = self;
    struct invoker *i = inv->invoker;
    stop_running(inv);
    i->on_answer(i->self, inv, a);
}

void invoke_send(struct invocation *inv, int64_t timeout_us)
{
    struct invoker *i = inv->invoker;
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
    DL_APPEND2(i->running, inv, previous, next);
    i->running_count++;
    inv->call = i->endpoint_type->send(i->endpoint, &request, on_answer, inv);
}

void invoke_cancel(struct invocation *inv)
{
    inv->invoker->endpoint_type->cancel(inv->invoker->endpoint, inv->call);
    stop_running(inv);
}

static void sift_up(struct invoker *i, size_t at)
{
    struct invocation *inv = i->waiting[at];
    while (at > 0 && i->waiting[(at - 1) / 2]->due_us > inv->due_us) {
        i->waiting[at] = i->waiting[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    i->waiting[at] = inv;
}

static void sift_down(struct invoker *i, size_t at)
{
    struct invocation *inv = i->waiting[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < i->waiting_count && i->waiting[child + 1]->due_us < i->waiting[child]->due_us) {
            child++;
        }
        if (child >= i->waiting_count || i->waiting[child]->due_us >= inv->due_us) {
            break;
        }
        i->waiting[at] = i->waiting[child];
        at = child;
    }
    i->waiting[at] = inv;
}

void invoke_wait(struct invocation *inv, int64_t due_us)
{
    struct invoker *i = inv->invoker;
    give_slot_back(inv);
    inv->due_us = due_us;
    if (i->waiting_count == i->waiting_capacity) {
        i->waiting_capacity = i->waiting_capacity == 0 ? 16 : i->waiting_capacity * 2;
        i->waiting = memory_resize(i->waiting, i->waiting_capacity * sizeof(struct invocation *));
    }
    i->waiting[i->waiting_count++] = inv;
    sift_up(i, i->waiting_count - 1);
}

struct invocation *invoke_take_due(struct invoker *i, int64_t now_us)
{
    if (i->waiting_count == 0 || i->waiting[0]->due_us > now_us) {
        return NULL;
    }
    struct invocation *inv = i->waiting[0];
    i->waiting[0] = i->waiting[--i->waiting_count];
    if (i->waiting_count > 0) {
        sift_down(i, 0);
    }
    return inv;
}

int64_t invoke_next_due_us(const struct invoker *i)
{
    return i->waiting_count == 0 ? -1 : i->waiting[0]->due_us;
}

void invoker_clear(struct invoker *i)
{
    INVARIANT(i->running_count == 0 && i->waiting_count == 0);
    for (struct invocation *inv = i->unused, *next; inv != NULL; inv = next) {
        next = inv->next;
        free(inv);
    }
    for (struct invoke_slot *slot = i->slots, *next; slot != NULL; slot = next) {
        next = slot->next;
        payload_clear(&slot->payload);
        free(slot);
    }
    free(i->waiting);
    *i = (struct invoker){0};
}

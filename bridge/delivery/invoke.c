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
    *inv = (struct invocation){.target = t};
    return inv;
}

void invoke_add(struct invocation *inv, struct work_item *item)
{
    item->next = NULL;
    *(inv->first == NULL ? &inv->first : &inv->last->next) = item;
    inv->last = item;
    inv->event_count++;
}

struct work_item *invoke_take_events(struct invocation *inv)
{
    struct work_item *events = inv->first;
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
    payload_trim(&slot->payload, SLOT_BYTES_KEPT);
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

// Source: Knative's data plane specification: `Prefer: reply` asks for a reply.
void invoke_send(struct invocation *inv, int64_t timeout_us, size_t response_max_bytes)
{
    struct target *t = inv->target;
    struct payload *p = &inv->slot->payload;
    if (inv->wants_reply) {
        bytes_append_string(&p->lines, p->lines.size > 0 ? "\r\nprefer: reply" : "prefer: reply");
    }
    struct endpoint_request request = {
        .body = bytes_slice(&p->body),
        .target = payload_target(p),
        .message_id = inv->event_count == 1 ? inv->first->record->id : (struct slice){NULL, 0},
        .content_type = payload_content_type(p->options),
        .header_lines = p->lines.size > 0 ? bytes_text(&p->lines) : NULL,
        .timeout_us = timeout_us,
        .response_max_bytes = response_max_bytes,
        .wants_fields = inv->wants_reply,
    };
    inv->sent_us = clock_now_us();
    inv->timeout_us = timeout_us;
    for (struct work_item *item = inv->first; item != NULL; item = item->next) {
        item->retry.first_attempt_us =
            item->retry.first_attempt_us == 0 ? inv->sent_us : item->retry.first_attempt_us;
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

void target_clear(struct target *t)
{
    INVARIANT(t->running_count == 0);
    for (struct invocation *inv = t->unused, *next; inv != NULL; inv = next) {
        next = inv->next;
        free(inv);
    }
    for (struct invoke_slot *slot = t->slots, *next; slot != NULL; slot = next) {
        next = slot->next;
        payload_clear(&slot->payload);
        free(slot);
    }
    *t = (struct target){0};
}

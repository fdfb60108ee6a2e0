#include "core/base/log_repeats.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

enum { SLOTS = 128 };

static struct log_repeat slots[SLOTS];

static bool is_over(const struct log_repeat *r)
{
    int64_t age_us = clock_now_us() - r->since_us;
    return age_us < 0 || age_us >= LOG_REPEAT_SECONDS * CLOCK_US_PER_S;
}

static void end_window(struct log_repeat *r, void (*on_suppressed)(const struct log_repeat *repeat))
{
    if (r->is_used && r->suppressed > 0) {
        on_suppressed(r);
    }
    r->is_used = false;
}

static bool is_same(const struct log_repeat *r, const char *component, const char *event)
{
    return strncmp(r->component, component, sizeof(r->component) - 1) == 0 &&
           strncmp(r->event, event, sizeof(r->event) - 1) == 0;
}

bool log_repeats_count(const char *component, const char *event,
                       void (*on_suppressed)(const struct log_repeat *repeat))
{
    uint64_t hash = text_hash(slice_of(component)) ^ text_hash(slice_of(event));
    struct log_repeat *r = &slots[hash % SLOTS];
    if (r->is_used && is_over(r)) {
        end_window(r, on_suppressed);
    }
    if (!r->is_used) {
        *r = (struct log_repeat){.since_us = clock_now_us(), .is_used = true};
        (void)snprintf(r->component, sizeof(r->component), "%s", component);
        (void)snprintf(r->event, sizeof(r->event), "%s", event);
    }
    if (!is_same(r, component, event)) {
        return true;  // hash collision: the slot counts another component and event; this one is not limited
    }
    if (r->lines >= LOG_REPEAT_LINES) {
        r->suppressed++;
        return false;
    }
    r->lines++;
    return true;
}

void log_repeats_expire(void (*on_suppressed)(const struct log_repeat *repeat))
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].is_used && is_over(&slots[i])) {
            end_window(&slots[i], on_suppressed);
        }
    }
}

#include "core/base/outage.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"

#define FIRST_WAIT_US (60 * CLOCK_US_PER_S)
#define LAST_WAIT_US (3600 * CLOCK_US_PER_S)
#define CHANGE_US (30 * CLOCK_US_PER_S)

static bool is_due(const struct outage *o, bool is_same, int64_t now_us)
{
    return now_us - o->logged_us >= (is_same ? o->wait_us : CHANGE_US);
}

bool outage_failed(struct outage *o, const char *text)
{
    int64_t now_us = clock_now_us();
    bool is_same = strncmp(o->text, text, sizeof(o->text) - 1) == 0;
    bool is_first = !o->is_on;
    bool is_logged = is_first || is_due(o, is_same, now_us);
    if (is_first) {
        *o = (struct outage){.is_on = true, .since_us = now_us};
    }
    if (is_logged) {
        o->logged_us = now_us;
        o->wait_us = is_first || !is_same ? FIRST_WAIT_US : 2 * o->wait_us;
        o->wait_us = o->wait_us > LAST_WAIT_US ? LAST_WAIT_US : o->wait_us;
    }
    (void)snprintf(o->text, sizeof(o->text), "%s", text);
    return is_logged;
}

bool outage_ended(struct outage *o, int64_t *ret_us)
{
    if (!o->is_on) {
        return false;
    }
    *ret_us = outage_age_us(o);
    *o = (struct outage){0};
    return true;
}

int64_t outage_age_us(const struct outage *o)
{
    return o->is_on ? clock_now_us() - o->since_us : 0;
}

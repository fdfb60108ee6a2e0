#include "core/base/last_error.h"

#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/text.h"

void last_error_set(struct last_error *e, const char *text)
{
    last_error_set_aged(e, text, 0);
}

void last_error_set_aged(struct last_error *e, const char *text, int64_t age_us)
{
    if (!e->is_set) {
        e->is_set = true;
        e->since_us = clock_now_us() - age_us;
        e->since_wall_us = clock_wall_us() - age_us;
    }
    (void)snprintf(e->text, sizeof(e->text), "%s", text);
}

void last_error_clear(struct last_error *e)
{
    *e = (struct last_error){0};
}

int64_t last_error_age_us(const struct last_error *e)
{
    return e->is_set ? clock_now_us() - e->since_us : 0;
}

void last_error_write(const struct last_error *e, struct bytes *out)
{
    if (!e->is_set) {
        bytes_append_string(out, "\"last_error\":null,\"since\":null,\"error_seconds\":0");
        return;
    }
    bytes_append_string(out, "\"last_error\":");
    text_append_json(out, slice_of(e->text));
    bytes_append_string(out, ",\"since\":\"");
    text_append_time(out, e->since_wall_us);
    bytes_format(out, "\",\"error_seconds\":%lld", (long long)(last_error_age_us(e) / CLOCK_US_PER_S));
}

#include "bridge/delivery/response_text.h"

#include <stdio.h>

#include "core/base/text.h"
#include "core/config/config_value.h"

/** No complete response came. */
static void write_transport(const struct response *r, int64_t timeout_us, char *text, size_t size)
{
    struct bytes prefix CLEANUP(bytes_clear) = {0};
    if (r->is_timeout) {
        bytes_append_string(&prefix, "timed out after ");
        config_value_write_duration(timeout_us, &prefix);
        bytes_append_string(&prefix, ": ");
    }
    (void)snprintf(text, size, "%s%.400s%s", prefix.size == 0 ? "" : bytes_text(&prefix), r->transport.text,
                   r->is_sent ? "; outcome unknown" : "");
}

enum { DETAIL_MAX = 360 };

/** What the endpoint says, in one line: control characters become spaces. */
static void write_detail(const char *what, struct slice detail, char *text, size_t size)
{
    struct slice cut = text_cut(detail, DETAIL_MAX);
    char line[DETAIL_MAX + 1];
    for (size_t i = 0; i < cut.size; i++) {
        bool is_control = cut.data[i] < 0x20 || cut.data[i] == 0x7f;
        line[i] = is_control ? ' ' : (char)cut.data[i];
    }
    line[cut.size] = '\0';
    (void)snprintf(text, size, "%s%s%s%s", what, cut.size > 0 ? ": " : "", line,
                   cut.size < detail.size ? "…" : "");
}

static void write_status(const struct response *r, char *text, size_t size)
{
    char what[64];
    (void)snprintf(what, sizeof(what), "the function answered %d", r->status);
    write_detail(what, r->detail, text, size);
}

void response_text_write(const struct response *r, const struct outcome *o, const struct fault *invalid,
                         int64_t timeout_us, char *text, size_t size)
{
    if (r->transport.kind != FAULT_NONE) {
        write_transport(r, timeout_us, text, size);
    } else if (r->failure != NULL) {
        write_detail("the function failed", r->detail, text, size);
    } else if (o->is_invalid) {
        (void)snprintf(text, size, "the function answered %d with an invalid body: %.300s", r->status,
                       invalid->text);
    } else if (o->kind == OUTCOME_PARTIAL) {
        (void)snprintf(text, size, "the function answered %d and named the event in batchItemFailures",
                       r->status);
    } else if (r->location != NULL) {
        (void)snprintf(text, size, "the function answered %d, to %s; redirects are not followed", r->status,
                       r->location);
    } else if (o->is_aborted) {
        (void)snprintf(text, size, "the function answered %d with webhook-delivery: abort-message",
                       r->status);
    } else {
        write_status(r, text, size);
    }
}

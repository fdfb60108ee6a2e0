#include "connectors/pipeline_state.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"

static const char *const names[] = {
#define X(name, text) [PIPELINE_##name] = (text),
    PIPELINE_STATES(X)
#undef X
};

#define BIT(state) (1U << PIPELINE_##state)
#define OPEN (BIT(CONNECTING) | BIT(WAITING_FOR_SLOT) | BIT(SNAPSHOTTING) | BIT(STREAMING))
#define LEAVING (BIT(BACKING_OFF) | BIT(DRAINING) | BIT(FAILED))

// Which states may follow each state.
static const uint32_t transitions[] = {
    [PIPELINE_STARTING] = BIT(CONNECTING) | LEAVING,
    [PIPELINE_CONNECTING] = OPEN | LEAVING,
    [PIPELINE_WAITING_FOR_SLOT] = OPEN | LEAVING,
    [PIPELINE_SNAPSHOTTING] = OPEN | LEAVING,
    [PIPELINE_STREAMING] = OPEN | LEAVING,
    [PIPELINE_BACKING_OFF] = BIT(CONNECTING) | BIT(BACKING_OFF) | BIT(DRAINING) | BIT(FAILED),
    [PIPELINE_DRAINING] = BIT(STOPPED) | BIT(FAILED),
    [PIPELINE_STOPPED] = 0,
    [PIPELINE_FAILED] = 0,
};

/** One more attempt to connect, or its end: connection_lost says why, and the next other state says that it
 * works. */
static bool is_attempt(const struct pipeline_state *s, enum pipeline_state_name to)
{
    const unsigned both = BIT(CONNECTING) | BIT(BACKING_OFF);
    return s->error.is_set && ((1U << s->shown) & both) != 0 && ((1U << to) & both) != 0;
}

static void show(struct pipeline_state *s, const char *why)
{
    bool is_stuck = s->kafka != PIPELINE_KAFKA_FINE && ((1U << s->now) & OPEN) != 0;
    enum pipeline_state_name to = is_stuck ? PIPELINE_BACKING_OFF : s->now;
    (void)snprintf(s->detail, sizeof(s->detail), "%s", is_stuck ? s->error.text : why);
    if (s->shown == to) {
        return;
    }
    // An error has been logged by then, with its text: connection_lost, connector_failed.
    bool is_logged = s->error.is_set && strncmp(s->detail, s->error.text, sizeof(s->error.text) - 1) == 0;
    enum log_level level = is_attempt(s, to) ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
    log_write(level, s->component, "state_changed",
              LOG_WITH(LOG_TEXT("from", names[s->shown]), LOG_TEXT("to", names[to])), "%s -> %s%s%s%s",
              names[s->shown], names[to], is_logged ? "" : " (", is_logged ? "" : s->detail,
              is_logged ? "" : ")");
    s->shown = to;
    metric_set(s->metric, (double)to);
}

void pipeline_state_enter(struct pipeline_state *s, enum pipeline_state_name to, const char *why)
{
    INVARIANT(s->now == to || (transitions[s->now] & (1U << to)) != 0);
    s->now = to;
    show(s, why);
}

static void set_kafka_fine(struct pipeline_state *s, const char *event, const char *text)
{
    s->kafka = PIPELINE_KAFKA_FINE;
    log_info(s->component, event, LOG_WITH(LOG_TEXT("peer", "kafka")), "%s, after %ld s", text,
             last_error_age_us(&s->error) / CLOCK_US_PER_S);
    last_error_clear(&s->error);
    show(s, text);
}

bool pipeline_state_set_reachable(struct pipeline_state *s, const char *why)
{
    if ((why != NULL) == (s->kafka == PIPELINE_KAFKA_LOST)) {
        return false;
    }
    if (why == NULL) {
        set_kafka_fine(s, "connection_restored", "Kafka answers again");
        return true;
    }
    char text[200];
    (void)snprintf(text, sizeof(text), "Kafka does not answer: %s", why);
    s->kafka = PIPELINE_KAFKA_LOST;
    last_error_set(&s->error, text);
    log_warn(s->component, "connection_lost", LOG_WITH(LOG_TEXT("peer", "kafka")),
             "%s; records wait, and nothing is confirmed", text);
    show(s, text);
    return true;
}

void pipeline_state_set_overdue(struct pipeline_state *s, const char *why, int64_t age_us)
{
    if (s->kafka == PIPELINE_KAFKA_LOST || (why == NULL && s->kafka == PIPELINE_KAFKA_FINE)) {
        return;
    }
    if (why == NULL) {
        set_kafka_fine(s, "delivery_resumed", "records are published again");
        return;
    }
    last_error_set_aged(&s->error, why, age_us);
    if (s->kafka == PIPELINE_KAFKA_FINE) {
        s->kafka = PIPELINE_KAFKA_OVERDUE;
        log_warn(s->component, "delivery_stalled", LOG_WITH(LOG_TEXT("peer", "kafka")),
                 "%s; nothing after that is confirmed", why);
    }
    show(s, why);
}

bool pipeline_state_is_over(const struct pipeline_state *s)
{
    return s->now == PIPELINE_STOPPED || s->now == PIPELINE_FAILED;
}

bool pipeline_state_find(const char *name, enum pipeline_state_name *ret)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum pipeline_state_name)i;
            return true;
        }
    }
    return false;
}

void pipeline_state_write(const struct pipeline_state *s, struct bytes *out)
{
    bytes_format(out, "\"state\":\"%s\",\"detail\":", names[s->shown]);
    text_append_json(out, slice_of(s->detail));
    bytes_append_string(out, ",");
    last_error_write(&s->error, out);
}

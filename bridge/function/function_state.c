#include "bridge/function/function_state.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"

static const char *const NAMES[] = {
#define X(name, text) [FUNCTION_##name] = (text),
    FUNCTION_STATES(X)
#undef X
};

#define BIT(name) (1u << FUNCTION_##name)

static const unsigned MAY_FOLLOW[] = {
    [FUNCTION_STARTING] = BIT(RUNNING) | BIT(PAUSED) | BIT(DRAINING) | BIT(FAILED),
    [FUNCTION_RUNNING] = BIT(THROTTLED) | BIT(PAUSED) | BIT(DRAINING) | BIT(FAILED),
    [FUNCTION_THROTTLED] = BIT(RUNNING) | BIT(PAUSED) | BIT(DRAINING) | BIT(FAILED),
    [FUNCTION_PAUSED] = BIT(RUNNING) | BIT(DRAINING) | BIT(FAILED),
    [FUNCTION_DRAINING] = BIT(STOPPED),
    [FUNCTION_STOPPED] = 0,
    [FUNCTION_FAILED] = BIT(STARTING) | BIT(DRAINING),
};

static void set_detail(struct function_state *s, const char *why)
{
    char *detail = memory_string(why);
    free(s->detail);
    s->detail = detail;
}

void function_state_init(struct function_state *s, const char *component, struct function_metrics *metrics)
{
    *s = (struct function_state){.component = component, .metrics = metrics, .now = FUNCTION_STARTING};
    s->detail = memory_string("registering");
    function_metrics_set_state(metrics, NAMES[s->now], NAMES[s->now]);
}

void function_state_clear(struct function_state *s)
{
    free(s->detail);
    s->detail = NULL;
}

void function_state_enter(struct function_state *s, enum function_state_name to, const char *why)
{
    enum function_state_name from = s->now;
    INVARIANT((MAY_FOLLOW[from] & (1u << to)) != 0);
    s->now = to;
    set_detail(s, why);
    if (to == FUNCTION_FAILED) {
        last_error_set(&s->failure, why);
    } else if (to == FUNCTION_RUNNING || to == FUNCTION_PAUSED) {
        last_error_clear(&s->failure);
    }
    function_metrics_set_state(s->metrics, NAMES[from], NAMES[to]);
    log_write(to == FUNCTION_FAILED ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, s->component, "function_state",
              LOG_WITH(LOG_TEXT("from", NAMES[from]), LOG_TEXT("to", NAMES[to])), "%s", why);
}

void function_state_set_kafka_error(struct function_state *s, const char *why)
{
    if (why == NULL) {
        log_info(s->component, "connection_restored", LOG_WITH(LOG_TEXT("peer", "kafka")),
                 "Kafka responds again, after %lld s",
                 (long long)(last_error_age_us(&s->kafka_error) / CLOCK_US_PER_S));
        last_error_clear(&s->kafka_error);
        return;
    }
    if (!s->kafka_error.is_set) {
        log_warn(s->component, "connection_lost", LOG_WITH(LOG_TEXT("peer", "kafka")), "%s", why);
    }
    last_error_set(&s->kafka_error, why);
}

void function_state_delay(struct function_state *s, const char *why)
{
    last_error_set(&s->kafka_error, why);
    set_detail(s, why);
}

void function_state_join(struct function_state *s)
{
    last_error_clear(&s->kafka_error);
    if (s->now == FUNCTION_STARTING) {
        set_detail(s, "joining its group");
    }
}

bool function_state_is_ready(const struct function_state *s)
{
    return s->now == FUNCTION_RUNNING || s->now == FUNCTION_THROTTLED || s->now == FUNCTION_PAUSED;
}

const struct last_error *function_state_error(const struct function_state *s)
{
    if (s->failure.is_set) {
        return &s->failure;
    }
    return s->kafka_error.is_set ? &s->kafka_error : NULL;
}

const char *function_state_detail(const struct function_state *s, size_t partition_count)
{
    bool is_of_group = s->now == FUNCTION_STARTING || function_state_is_ready(s);
    if (is_of_group && s->kafka_error.is_set) {
        return s->kafka_error.text;
    }
    bool is_empty = s->now == FUNCTION_RUNNING && partition_count == 0;
    return is_empty ? "no partition: its topics don't exist yet, or other processes have them all"
                    : s->detail;
}

const char *function_state_text(const struct function_state *s)
{
    return NAMES[s->now];
}

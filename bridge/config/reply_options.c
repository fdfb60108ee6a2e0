#include "bridge/config/reply_options.h"

#include <string.h>

#include "core/config/config_value.h"
#include "core/kafka/state_topic.h"

static const struct config_rules topic_rules = {.check = config_value_check_topic};

const struct config_option reply_options[] = {
    {.key = "topic",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct function_config, reply.topic),
     .rules = &topic_rules,
     .doc = "Topic for what the function responds with, keyed as the event; it is created if it is missing."},
    {.key = "max_hops",
     .type = CONFIG_INTEGER,
     .initial = "8",
     .min = 1,
     .max = 1000,
     .offset = offsetof(struct function_config, reply.max_hops),
     .doc = "Most replies in a chain. The function is not called with an event that so many replies have led "
            "to; it becomes a dead letter (`too_many_hops`)."},
    {.key = "max_bytes",
     .type = CONFIG_SIZE,
     .initial = "1MiB",
     .min = 1024,
     .max = 16 << 20,
     .offset = offsetof(struct function_config, reply.max_bytes),
     .doc = "Largest response; the event of a larger one becomes a dead letter (`reply_oversize`)."},
    {.key = NULL},
};

static const char PATH[] = "reply.topic";

static void check_topic(const struct config_file *file, const struct function_config *c)
{
    static const char *const OWN[] = {STATE_TOPIC_NAME, "millrace.schemas"};
    for (size_t i = 0; i < COUNT_OF(OWN); i++) {
        if (strcmp(c->reply.topic, OWN[i]) == 0) {
            config_complain(file, PATH, "topic: %s holds millrace's own records; choose another topic",
                            OWN[i]);
        }
    }
    if (strcmp(c->reply.topic, c->delivery.on_failure.dead_letter) == 0) {
        config_complain(file, PATH, "topic: %s is the function's dead-letter topic; choose another topic",
                        c->reply.topic);
    }
}

void reply_options_finish(const struct config_file *file, struct function_config *c)
{
    if (c->reply.topic == NULL) {
        return;
    }
    check_topic(file, c);
    if (c->lambda.invocation == LAMBDA_EVENT) {
        config_complain(file, "reply",
                        "reply: a call with invocation: event has no result that could be a reply; leave one "
                        "of them out");
    }
    if (c->delivery.batch.events > 1 && config_is_sound(file, "delivery.batch.events")) {
        config_complain(
            file, "delivery.batch.events",
            "events: with reply a call carries one event: the response to several has no event that "
            "it replies to; leave one of them out");
    }
    if (c->delivery.batch.partial_failures) {
        config_complain(
            file, "delivery.batch.partial_failures",
            "partial_failures: with reply the response's body is the reply; leave one of them out");
    }
}

// A function's membership in its consumer group: registers the function, opens its consumer and closes
// it.
#ifndef BRIDGE_FUNCTION_MEMBERSHIP_H
#define BRIDGE_FUNCTION_MEMBERSHIP_H

#include "bridge/function/function_deps.h"
#include "bridge/function/registration.h"
#include "bridge/intake/consumer.h"

struct membership;

struct membership_params {
    const struct function_deps *deps;      // lent
    const struct function_config *config;  // lent until membership_set_config
    const char *component;                 // lent
    struct consumer_listener consumer;     // of each consumer that is opened
    void (*on_registered)(void *self, const struct registration_result *result);
    void (*on_delayed)(void *self, const struct fault *f);  // the registration is retried soon
    void (*on_failed)(void *self,
                      const struct fault *f);  // an operator must act; retried after 30 s
    void (*on_retried)(void *self);            // after on_failed, when the retry begins
    void (*on_ended)(void *self);              // once, after membership_end, never from inside it
    void *self;
};

/** Registers the function, then opens its consumer. */
struct membership *membership_start(const struct membership_params *params);

/** NULL while no consumer is open. */
struct consumer *membership_consumer(const struct membership *m);

/** Twice a second. */
void membership_tick(struct membership *m);

/** The consumer has failed: closes it, and registers again after a pause. */
void membership_fail(struct membership *m, const struct fault *f);

void membership_set_config(struct membership *m, const struct function_config *config);

/** Leaves the group, then calls on_ended. */
void membership_end(struct membership *m);

/** The membership has ended. Accepts NULL. */
void membership_free(struct membership *m);

#endif

// A function's way into its group and out of it: registered, a consumer opened, closed and opened anew.
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
    void (*on_delayed)(void *self, const struct fault *f);  // the registration is tried again soon
    void (*on_failed)(void *self,
                      const struct fault *f);  // the operator must do something; tried again later
    void (*on_retried)(void *self);            // after on_failed, when it is tried again
    void (*on_ended)(void *self);              // after membership_end, once, never from inside it
    void *self;
};

/** Registers the function and opens its consumer; everything else comes through the listeners. */
struct membership *membership_start(const struct membership_params *params);

/** NULL while none is open. */
struct consumer *membership_consumer(const struct membership *m);

/** Twice a second. */
void membership_tick(struct membership *m);

/** Opens the consumer anew for so many partitions, unless it is closing: it reads ahead less of each then. */
void membership_reopen(struct membership *m, size_t partition_count);

/** The consumer can't go on: it is closed, and after a pause all begins anew. */
void membership_fail(struct membership *m, const struct fault *f);

void membership_set_config(struct membership *m, const struct function_config *config);

/** Leaves the group in order; then on_ended. */
void membership_end(struct membership *m);

/** Ended. Accepts NULL. */
void membership_free(struct membership *m);

#endif

// The embedded broker of `millrace try`: librdkafka's mock cluster, in this process's memory, not for real
// data.
#ifndef CLI_TRY_TRY_BROKER_H
#define CLI_TRY_TRY_BROKER_H

#include "core/base/fault.h"

struct try_broker;

/** Listens on a free port of 127.0.0.1; other processes can connect to it too. */
bool try_broker_start(struct try_broker **ret, struct fault *f) MUST_USE;

/** "127.0.0.1:PORT"; borrowed. */
const char *try_broker_bootstrap(const struct try_broker *b);

bool try_broker_make_topic(struct try_broker *b, const char *name, int partitions, struct fault *f) MUST_USE;

/** Stops the broker; its records are lost. Accepts NULL. */
void try_broker_stop(struct try_broker *b);

#endif

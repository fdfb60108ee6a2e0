// The Kafka client that all registrations of a process share. Each of a thousand functions would otherwise
// open two, with four threads and three connections each. Closed 10 s after the last registration.
#ifndef BRIDGE_FUNCTION_REGISTRATION_CLIENT_H
#define BRIDGE_FUNCTION_REGISTRATION_CLIENT_H

#include <uv.h>

#include "core/base/fault.h"
#include "core/config/settings.h"
#include "core/kafka/kafka_client.h"

struct registration_client;

/** @param settings  lent */
struct registration_client *registration_client_new(uv_loop_t *loop, const struct settings *settings);

/** Lends the client until registration_client_release: also to a worker thread. It joins no group. When it is
 * opened it takes `group` for its own: librdkafka 2.0.2 crashes when a client without a group asks a broker
 * for the offsets of one that another broker coordinates. */
bool registration_client_acquire(struct registration_client *c, const char *group, rd_kafka_t **ret,
                                 struct fault *f) MUST_USE;
void registration_client_release(struct registration_client *c);

/** Nobody has the client. Accepts NULL. */
void registration_client_free(struct registration_client *c);

#endif

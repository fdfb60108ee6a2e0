// Reads settings of topics without blocking, those of a hundred topics by one request.
#ifndef CORE_KAFKA_TOPIC_DESCRIBER_H
#define CORE_KAFKA_TOPIC_DESCRIBER_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

#include "core/base/text.h"

struct topic_describer;

/** Called on the loop, once. `config` is lent; NULL: the settings can't be read, for instance because the
 * client may not. A setting that the broker does not know is missing. */
typedef void (*topic_described)(void *self, const struct text_pairs *config);

/** `rk` is lent until the describer is stopped. */
struct topic_describer *topic_describer_start(uv_loop_t *loop, rd_kafka_t *rk);

/** @param names  of the settings; copied */
void topic_describer_ask(struct topic_describer *d, const char *topic, const struct text_list *names,
                         topic_described on_described, void *self);

/** Without further callbacks. Accepts NULL. */
void topic_describer_stop(struct topic_describer *d);

#endif

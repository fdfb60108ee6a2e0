// A function's first start decides where it begins; every later start goes on where its group stands.
//
// At registration the group's offsets are committed for every partition there is (`start: latest`: their
// ends, `earliest`: their beginnings) and remembered in the state topic under `function/<name>`. Offsets that
// have vanished since are a fault to report, never a reason to begin again.
#ifndef BRIDGE_FUNCTION_REGISTRATION_H
#define BRIDGE_FUNCTION_REGISTRATION_H

#include <uv.h>

#include "bridge/config/function_config.h"
#include "core/kafka/state_topic.h"

struct registration;

/**
 * @param partition_count  how many partitions its topics have now
 * @param f                NULL: registered. FAULT_RETRY: Kafka can't be asked now; FAULT_CONFIG: says what to
 * type
 */
typedef void (*registration_on_done)(void *self, size_t partition_count, const struct fault *f);

/** Starts; on_done comes once, unless cancelled. What is lent must live until then. */
struct registration *registration_start(uv_loop_t *loop, const struct settings *settings,
                                        struct state_topic *state, const struct function_config *config,
                                        registration_on_done on_done, void *self);

/**
 * No on_done any more; it frees itself.
 *
 * @return  true: `settings` and `config` are not needed any more. false: a worker thread reads them until
 *          on_cancelled comes, with the self of the start
 */
bool registration_cancel(struct registration *r, void (*on_cancelled)(void *self)) MUST_USE;

#endif

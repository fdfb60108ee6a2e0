// A function's first start decides where it begins; every later start goes on where its group stands.
//
// At registration the group's offsets are committed for every partition there is (`start: latest`: their
// ends, `earliest`: their beginnings) and remembered in the state topic under `function/<name>`
// (registration_record.h). Topics that are added to the function's file later are registered likewise. An
// offset that the group has is never overwritten, and one that has vanished is reported.
#ifndef BRIDGE_FUNCTION_REGISTRATION_H
#define BRIDGE_FUNCTION_REGISTRATION_H

#include <uv.h>

#include "bridge/function/registration_record.h"
#include "core/kafka/state_topic.h"

struct registration;

struct registration_result {
    size_t partition_count;  // of its topics, now
    size_t expired_count;    // of these, partitions whose offset the group has lost
    json_t *record;          // as it is in the state topic; borrowed for the call
};

/** @param f  NULL: registered. FAULT_RETRY: Kafka can't be asked now; FAULT_CONFIG: says what to type */
typedef void (*registration_on_done)(void *self, const struct registration_result *result,
                                     const struct fault *f);

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

/** Writes a function's record. */
void registration_save(struct state_topic *state, const char *function, const json_t *record,
                       state_on_written on_saved, void *self);

#endif

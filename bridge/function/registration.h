// The first start of a function decides where it begins; every later start continues at its committed
// offsets.
//
// The registration commits an offset for every existing partition (`start: latest`: the end, `earliest`: the
// beginning; intake/start_offsets.h) and writes the partitions into the state topic under `function/<name>`
// (registration_record.h). When several processes register a function at once, the offsets that were written
// first count.
// Topics that are added to the function's file later are registered in the same way. A committed offset is
// never overwritten. A committed offset that has expired is reported.
#ifndef BRIDGE_FUNCTION_REGISTRATION_H
#define BRIDGE_FUNCTION_REGISTRATION_H

#include <uv.h>

#include "bridge/function/registration_client.h"
#include "bridge/function/registration_record.h"
#include "core/kafka/state_topic.h"

struct registration;

struct registration_result {
    size_t partition_count;  // existing ones of its topics
    size_t expired_count;    // of these, those whose committed offset has expired
    json_t *record;          // as written to the state topic; borrowed for the call
};

/** @param f  NULL: registered. FAULT_RETRY: Kafka does not respond now; FAULT_CONFIG: says what to type */
typedef void (*registration_on_done)(void *self, const struct registration_result *result,
                                     const struct fault *f);

/** Starts a registration. on_done is called once, unless cancelled; the other pointers are lent until then.
 */
struct registration *registration_start(uv_loop_t *loop, const struct settings *settings,
                                        struct registration_client *client, struct state_topic *state,
                                        const struct function_config *config, registration_on_done on_done,
                                        void *self);

/**
 * Cancels the registration: on_done is not called, and the registration frees itself.
 *
 * @return  true: `settings` and `config` are not used any more. false: a worker thread reads them until
 *          on_cancelled is called, with the `self` of registration_start
 */
bool registration_cancel(struct registration *r, void (*on_cancelled)(void *self)) MUST_USE;

/** Writes a function's record to the state topic. */
void registration_save(struct state_topic *state, const char *function, const json_t *record,
                       state_on_written on_saved, void *self);

#endif

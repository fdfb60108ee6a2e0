// The state record `function/<name>`: which partitions a function was registered with, and the decision where
// each partition begins. No I/O.
//
//   {"start":"latest","registered_at_ms":…,"topics":["shop.*"],"partitions":{"shop.public.orders":[0,1]}}
#ifndef BRIDGE_FUNCTION_REGISTRATION_RECORD_H
#define BRIDGE_FUNCTION_REGISTRATION_RECORD_H

#include <jansson.h>

#include "bridge/config/function_config.h"

/** Where a partition begins. */
enum registration_step {
    REGISTRATION_KEEP,      // the group has an offset, which is never overwritten
    REGISTRATION_START,     // as `source.start` says; its offset is committed now
    REGISTRATION_APPEARED,  // newer than the registration: at its first record
    REGISTRATION_EXPIRED,   // the group has lost its offset: at its first record, and that is a fault to
                            // report
};

/** What the group has. */
struct registration_offsets {
    bool has_any;  // an offset of any partition
    int64_t own;   // of the partition; negative: none
};

/** @param known  the record as it was read; NULL for none */
enum registration_step registration_decide(const json_t *known, enum function_start start,
                                           const struct registration_offsets *offsets, const char *topic,
                                           int32_t partition) MUST_USE;

/** The known record (NULL for none) brought to the configuration: its topics, without partitions of others.
 */
json_t *registration_record_new(const json_t *known, const struct function_config *config);

/** Adds a partition. False: it is there already. */
bool registration_record_add(json_t *record, const char *topic, int32_t partition);

#endif

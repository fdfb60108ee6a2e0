// The state record `function/<name>`: the partitions that a function was registered with; and the decision
// where a partition begins. No I/O.
//
//   {"start":"latest","registered_at_ms":…,"topics":["shop.*"],"partitions":{"shop.public.orders":[0,1]}}
//
// Until the start offsets are committed it has them, too: "offsets":{"shop.public.orders":{"0":17}}.
#ifndef BRIDGE_FUNCTION_REGISTRATION_RECORD_H
#define BRIDGE_FUNCTION_REGISTRATION_RECORD_H

#include <jansson.h>

#include "bridge/config/function_config.h"

/** Where a partition begins. */
enum registration_step {
    REGISTRATION_KEEP,      // at its committed offset, which is never overwritten
    REGISTRATION_START,     // at `source.start`; the offset is committed now
    REGISTRATION_APPEARED,  // at its first record: it is newer than the registration
    REGISTRATION_EXPIRED,   // at its first record: its committed offset has expired, which is reported
};

/** The group's committed offsets. */
struct registration_offsets {
    bool has_any;  // of any partition
    int64_t own;   // of the partition; negative: none
};

/** @param known  the state record; NULL: there is none */
enum registration_step registration_decide(const json_t *known, enum function_start start,
                                           const struct registration_offsets *offsets, const char *topic,
                                           int32_t partition) MUST_USE;

/** A new record for the configuration: its topics, and the known record's partitions of these. `known` may be
 * NULL. */
json_t *registration_record_new(const json_t *known, const struct function_config *config);

/** Adds a partition. False: the record has it already. */
bool registration_record_add(json_t *record, const char *topic, int32_t partition);

/** The start offset of a partition that may not be committed yet; -1: none. `record` may be NULL. */
int64_t registration_record_offset(const json_t *record, const char *topic, int32_t partition) MUST_USE;
void registration_record_set_offset(json_t *record, const char *topic, int32_t partition, int64_t offset);
void registration_record_clear_offsets(json_t *record);

#endif

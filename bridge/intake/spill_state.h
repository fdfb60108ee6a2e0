// What a partition keeps of its spilled progress; only partition_spill.c changes it.
#ifndef BRIDGE_INTAKE_SPILL_STATE_H
#define BRIDGE_INTAKE_SPILL_STATE_H

#include "bridge/intake/progress_record.h"

struct partition;
struct state_topic;

/** Embedded in struct partition. */
struct partition_spill {
    struct state_topic *state;  // lent; NULL: nothing is spilled
    char *key;
    struct progress_spill named;  // the record that was acknowledged last; log 0: there is none
    uint64_t hash;                // of what it says
    uint64_t failures;            // so many attempts of the partition it has
    struct progress_spill sent;   // in flight
    uint64_t sent_hash;
    uint64_t sent_failures;
    size_t sent_size;
    int64_t sent_us;  // when the last one was sent
    bool is_writing;
    bool is_deleting;
    bool is_loading;  // the record that the metadata names is being read: nothing is read or committed
    bool is_refused;  // the topic refuses such a record: the metadata alone holds
    void (*on_done)(void *self, struct partition *p);  // a record was written, refused, deleted or loaded
    void *self;
};

#endif

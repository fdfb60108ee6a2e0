// What is known of a partition beyond its committed offset and does not fit into the offset's metadata goes
// to the topic millrace.state, under the key progress/NAME/TOPIC/PARTITION (NAME: of the group, without
// `millrace.`). The metadata then names the record, and still has as much as fits.
//
// The value is an offset in decimal digits, a space, and a text of progress_record.h for that offset. A
// record of another log than the metadata names is ignored. One that is older or newer than the named one is
// of use: what was settled stays settled.
#ifndef BRIDGE_INTAKE_PARTITION_SPILL_H
#define BRIDGE_INTAKE_PARTITION_SPILL_H

#include "bridge/intake/partition.h"
#include "core/kafka/state_topic.h"

/** Lends the topic. `name` is that of the group, without its prefix. */
void partition_spill_open(struct partition *p, struct state_topic *state, const char *name);

/** Reads the record that the restored metadata names, if it names one; then is_loading until on_done. */
void partition_spill_load(struct partition *p);

/**
 * Writes a record unless one is in flight, or the last one was written a moment ago (longer for larger ones).
 *
 * @param record   its `spill` is overwritten
 * @param is_last  do not wait for that moment
 */
void partition_spill_write(struct partition *p, struct progress_record *record, uint64_t hash, bool is_last);

/** Deletes the record, which no committed offset names any more. */
void partition_spill_delete(struct partition *p);

/** The log was replaced: what was spilled is of the old one. */
void partition_spill_reset(struct partition *p);

/** Whether a record is in flight, and not for too long. */
bool partition_spill_is_pending(const struct partition *p);

/** The key of a partition's record; the caller frees it. */
char *partition_spill_key(const char *name, const char *topic, int32_t number);

/** Adds what the value says to a record that names it, and was read for `offset`. False: it is missing or of
 * no use. */
bool partition_spill_add(struct progress_record *record, int64_t offset, struct slice value);

/** The text of a value and the offset that it was written for. Exported for tests. FAULT_REJECT: it is not
 * such a value. */
bool partition_spill_parse(struct slice value, int64_t now_ms, struct progress_record *ret,
                           int64_t *ret_offset, struct fault *f) MUST_USE;

#endif

// Reads the waiting dead letters of a function: those that are not settled in the group millrace.NAME.dlq.
// Blocks; for a command.
#ifndef BRIDGE_JOBS_LETTER_SCAN_H
#define BRIDGE_JOBS_LETTER_SCAN_H

#include <uv.h>

#include "bridge/config/function_config.h"
#include "bridge/jobs/letter_filter.h"

struct letter_scan_params {
    uv_loop_t *loop;  // nothing else runs on it: it turns while schemas are looked up
    const struct settings *settings;
    const struct function_config *config;
    struct schema_cache *schemas;
    const struct letter_filter *filter;
    bool has_settled;  // those that are settled, too
};

/** One letter that the filter selects; borrowed for the call. */
struct letter_found {
    struct record *record;  // resolved
    const struct letter_info *letter;
    struct slice key;  // as JSON; size 0: none
};

/** False: enough. */
typedef bool (*letter_visit)(void *self, const struct letter_found *found);

/** Zero-initialised is empty. */
struct letter_scan_result {
    rd_kafka_topic_partition_list_t *ends;  // the partitions with their ends; empty without a topic
    int64_t seen;                           // letters, selected or not
};

/**
 * Visits the letters by partition and offset, up to the end of the topic at the call.
 *
 * @param f  FAULT_RETRY: Kafka or the registry did not respond for 30 s
 */
bool letter_scan(const struct letter_scan_params *params, letter_visit visit, void *self,
                 struct letter_scan_result *ret, struct fault *f) MUST_USE;
void letter_scan_result_clear(struct letter_scan_result *result);

/** The group in which letters are settled; the caller frees it. */
char *letter_group(const char *function);

#endif

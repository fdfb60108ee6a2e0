// An event of a function as JSON, for trying filters without Kafka:
// {"key":…,"headers":{…},"op":…,"before":…,"after":…,"source":…}, members may be missing.
#ifndef BRIDGE_FILTER_JSON_EVENT_H
#define BRIDGE_FILTER_JSON_EVENT_H

#include <librdkafka/rdkafka.h>

#include "bridge/filter/json_tree.h"

/**
 * Parses the event, to be read with JSON_EVENT_OPS. A structured CloudEvent is its `data`. Headers whose
 * names have dots are found as in records. Without `op` it is a create.
 *
 * @param start  the text's place in its file
 * @param tree   zero-initialised; the caller clears it, and keeps the text until then
 * @param f      FAULT_REJECT: "LINE:COLUMN: reason"
 */
bool json_event_parse(struct slice text, struct json_place start, struct json_tree *tree,
                      struct filter_value *ret, struct fault *f) MUST_USE;

/**
 * Appends the event of a record whose value is JSON, for json_event_parse: a create, with the value as
 * `after`.
 *
 * @param key      JSON; size 0: the record has no key
 * @param headers  NULL for none
 */
void json_event_append_record(struct bytes *out, struct slice key, const rd_kafka_headers_t *headers,
                              struct slice value);

/** The event's op, a single letter; '\0': none. */
char json_event_op(struct filter_value event);

#endif

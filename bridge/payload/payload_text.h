// What several payloads say of an event, as they write it: its operation and its time, values of headers,
// parts of URIs.
#ifndef BRIDGE_PAYLOAD_PAYLOAD_TEXT_H
#define BRIDGE_PAYLOAD_PAYLOAD_TEXT_H

#include "bridge/intake/record.h"

/** When the change was committed, else when its record was written; wall; 0: not known, or no year of four
 * digits. */
int64_t payload_time_us(const struct record *r, const struct event_view *e);

/** An envelope's op as a word, or `unknown`. */
const char *payload_operation_name(char op);

/** Microseconds since 1970 as RFC 3339 in UTC, `2024-01-02T03:04:05.678901Z`. */
void payload_append_time(struct bytes *out, int64_t wall_us);

/** A value as a CloudEvents HTTP header: all but U+0021..U+007E, and `"` and `%`, as %XX of its UTF-8 bytes.
 */
void payload_append_header_value(struct bytes *out, struct slice text);

/** Whether payload_append_uri_segment would change nothing. */
bool payload_is_uri_segment(struct slice text);

/** A part of a path, percent-encoded as RFC 3986 says; plain ASCII that is valid in a JSON string, too. */
void payload_append_uri_segment(struct bytes *out, struct slice text);

/** The same for a name, whose bytes that are not UTF-8 become U+FFFD, as in JSON. */
void payload_append_header_text(struct bytes *out, struct slice text);

#endif

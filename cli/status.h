// Formats the admin port's /api/status for `millrace status`.
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

/** Appends two tables, connectors and functions. FAULT_REJECT when the JSON is not a response of /api/status.
 */
bool status_print(struct slice json, struct bytes *out, struct fault *f) MUST_USE;

#endif

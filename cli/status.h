// What `millrace status` prints of the admin port's /api/status.
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

/** Appends two tables, connectors and functions. FAULT_REJECT when the text is not what /api/status answers.
 */
bool status_print(struct slice json, struct bytes *out, struct fault *f) MUST_USE;

#endif

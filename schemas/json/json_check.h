// Checks whether bytes are one JSON value, without building a tree.
#ifndef SCHEMAS_JSON_JSON_CHECK_H
#define SCHEMAS_JSON_JSON_CHECK_H

#include "core/base/bytes.h"

enum { JSON_CHECK_DEPTH_MAX = 512 };

/** RFC 8259, with valid UTF-8. False also when nested deeper than JSON_CHECK_DEPTH_MAX. */
bool json_check_value(struct slice text);

#endif

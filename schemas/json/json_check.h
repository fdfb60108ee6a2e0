// Whether bytes are one JSON value, without building it.
#ifndef SCHEMAS_JSON_JSON_CHECK_H
#define SCHEMAS_JSON_JSON_CHECK_H

#include "core/base/bytes.h"

enum { JSON_CHECK_DEPTH_MAX = 512 };

/** RFC 8259, UTF-8 included; false as well when nested deeper than JSON_CHECK_DEPTH_MAX. */
bool json_check_value(struct slice text);

#endif

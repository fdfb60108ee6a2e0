// What a route's topic may refer to: {prefix}, {schema}, {table}, and {1} to {9}, groups of its match.
#ifndef CONNECTORS_CONFIG_TOPIC_REFERENCE_H
#define CONNECTORS_CONFIG_TOPIC_REFERENCE_H

#include <stddef.h>

#include "core/base/name_regex.h"

enum topic_reference {
    TOPIC_REFERENCE_PREFIX,
    TOPIC_REFERENCE_SCHEMA,
    TOPIC_REFERENCE_TABLE,
    TOPIC_REFERENCE_GROUP,  // {1}; {2} is one more
    TOPIC_REFERENCE_COUNT = TOPIC_REFERENCE_GROUP + NAME_REGEX_GROUPS,
};

/** The size of the reference that the text begins with; 0: it begins with none. */
size_t topic_reference_read(const char *text, enum topic_reference *ret);

#endif

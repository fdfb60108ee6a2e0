#include "connectors/config/topic_reference.h"

#include <string.h>

size_t topic_reference_read(const char *text, enum topic_reference *ret)
{
    static const char *const names[] = {[TOPIC_REFERENCE_PREFIX] = "{prefix}",
                                        [TOPIC_REFERENCE_SCHEMA] = "{schema}",
                                        [TOPIC_REFERENCE_TABLE] = "{table}"};
    if (text[0] == '{' && text[1] >= '1' && text[1] <= '9' && text[2] == '}') {
        *ret = (enum topic_reference)(TOPIC_REFERENCE_GROUP + (text[1] - '1'));
        return 3;
    }
    for (size_t i = 0; i < TOPIC_REFERENCE_GROUP; i++) {
        if (strncmp(text, names[i], strlen(names[i])) == 0) {
            *ret = (enum topic_reference)i;
            return strlen(names[i]);
        }
    }
    return 0;
}

#include "connectors/config/dsn_parts.h"

#include <string.h>

const char *dsn_parts_get(const PQconninfoOption *parts, const char *keyword)
{
    for (; parts != NULL && parts->keyword != NULL; parts++) {
        if (strcmp(parts->keyword, keyword) == 0) {
            return parts->val;
        }
    }
    return NULL;
}

bool dsn_parts_is_secret(const PQconninfoOption *part)
{
    return part->dispchar != NULL && part->dispchar[0] == '*';
}

void dsn_parts_free(PQconninfoOption **parts)
{
    PQconninfoFree(*parts);
}

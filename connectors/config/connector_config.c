#include "connectors/config/connector_config.h"

#include "connectors/config/dsn_parts.h"

#include "core/base/memory.h"

char *connector_config_slot(const char *connector)
{
    char *name = memory_format("millrace_%s", connector);
    for (char *c = name; *c != '\0'; c++) {
        if (*c == '-') {
            *c = '_';
        }
    }
    return name;
}

bool connector_config_same_database(const struct connector_config *a, const struct connector_config *b)
{
    static const char *const parts[] = {"service", "host", "hostaddr", "port", "dbname"};
    if (a->postgres.dsn == NULL || b->postgres.dsn == NULL) {
        return false;
    }
    CLEANUP(dsn_parts_free) PQconninfoOption *left = PQconninfoParse(a->postgres.dsn, NULL);
    CLEANUP(dsn_parts_free) PQconninfoOption *right = PQconninfoParse(b->postgres.dsn, NULL);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *one = dsn_parts_get(left, parts[i]);
        const char *other = dsn_parts_get(right, parts[i]);
        if ((one == NULL) != (other == NULL) || (one != NULL && strcmp(one, other) != 0)) {
            return false;
        }
    }
    return true;
}

void connector_config_clear(struct connector_config *c)
{
    if (c == NULL) {
        return;
    }
    config_clear(connector_config_kind.options, c);
    free(c->name);
    *c = (struct connector_config){0};
}

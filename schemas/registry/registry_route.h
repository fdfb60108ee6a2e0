// The routes of Confluent's REST API that the embedded registry serves.
#ifndef SCHEMAS_REGISTRY_REGISTRY_ROUTE_H
#define SCHEMAS_REGISTRY_REGISTRY_ROUTE_H

#include "schemas/registry/registry_answer.h"

enum registry_wait {
    REGISTRY_WAIT_NOTHING,  // responds with `fixed`
    REGISTRY_WAIT_FRESH,    // after reading the topic to its end
    REGISTRY_WAIT_ID,       // at once if the id is known, else after reading
    REGISTRY_WAIT_CHANGE,   // after writing
};

enum registry_part { REGISTRY_PART_SUBJECT, REGISTRY_PART_ID, REGISTRY_PART_CONTEXT };

struct registry_route {
    const char *method;
    const char *pattern;  // the first '*' matches one or more characters, the second one a single segment
    enum registry_wait wait;
    registry_answer answer;        // FRESH, ID
    enum schema_change_kind kind;  // CHANGE
    enum registry_part part;       // what the first '*' is
    bool has_schema;               // the body is a schema
    const char *fixed;             // NOTHING
};

/**
 * The route of a method and path, with the path's variable parts in the query. A path below /contexts/CONTEXT
 * is one in that context.
 *
 * @param ret_is_known  whether the path has a route with another method
 */
const struct registry_route *registry_route_find(const char *method, const char *path,
                                                 struct registry_query *query, bool *ret_is_known);

#endif

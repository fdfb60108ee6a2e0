// What a request of a local function asks of the AWS Lambda Runtime API, version 2018-06-01.
#ifndef BRIDGE_ENDPOINTS_PROCESS_RUNTIME_ROUTE_H
#define BRIDGE_ENDPOINTS_PROCESS_RUNTIME_ROUTE_H

#include "core/base/bytes.h"

enum runtime_route {
    RUNTIME_UNKNOWN,       // 404: no such path
    RUNTIME_WRONG_METHOD,  // 405: the path has another method
    RUNTIME_NEXT,          // waits for an invocation
    RUNTIME_RESPONSE,      // the result of one
    RUNTIME_ERROR,         // the failure of one
    RUNTIME_INIT_ERROR,    // the function could not start
};

/** `path` is without a query. For RUNTIME_RESPONSE and RUNTIME_ERROR the invocation's id, borrowed from it,
 * goes to `ret_id`. */
enum runtime_route runtime_route_of(const char *method, const char *path, struct slice *ret_id);

#endif

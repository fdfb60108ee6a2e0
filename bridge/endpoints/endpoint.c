#include "bridge/endpoints/endpoint.h"

#include "core/base/memory.h"

const struct endpoint_type *endpoint_type_of(enum function_endpoint kind)
{
    static const struct endpoint_type *const TYPES[] = {
        [FUNCTION_ENDPOINT_HTTP] = &endpoint_http,
        [FUNCTION_ENDPOINT_LAMBDA] = &endpoint_lambda,
        [FUNCTION_ENDPOINT_LAMBDA_EVENT] = &endpoint_lambda_event,
        [FUNCTION_ENDPOINT_PROCESS] = &endpoint_process,
    };
    INVARIANT((size_t)kind < COUNT_OF(TYPES));
    return TYPES[kind];
}

// What a response of Lambda's API says: whether the function failed, and why.
#ifndef BRIDGE_ENDPOINTS_LAMBDA_RESPONSE_H
#define BRIDGE_ENDPOINTS_LAMBDA_RESPONSE_H

#include "core/http/http_request.h"

/** Bytes of a response's body that are read for its error. */
enum { LAMBDA_ERROR_BODY_MAX = 64 * 1024 };

/** Whether the function failed: the header X-Amz-Function-Error, whatever the status. */
bool lambda_response_is_failure(const struct http_response *r);

/**
 * Appends what went wrong: `errorType: errorMessage` of a function, and the last lines of its log; the type
 * and message of an error of Lambda itself. Nothing when the response says nothing.
 */
void lambda_response_describe(const struct http_response *r, struct bytes *out);

#endif

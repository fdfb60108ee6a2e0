// A parsed response as the caller of http_client sees it.
#ifndef CORE_HTTP_HTTP1_RESPONSE_H
#define CORE_HTTP_HTTP1_RESPONSE_H

#include "core/http/http1_parser.h"
#include "core/http/http_request.h"

/**
 * @param p             DONE; its body and its fields are lent to the response
 * @param request       against which a Location is resolved
 * @param ret_location  what response.location points to; NULL: none; the caller frees it
 */
struct http_response http1_response_of(struct http1_parser *p, const struct http_request *request,
                                       char **ret_location);

#endif

// What a response of an external registry means.
#ifndef SCHEMAS_REGISTRY_REGISTRY_REPLY_H
#define SCHEMAS_REGISTRY_REGISTRY_REPLY_H

#include <jansson.h>

#include "core/http/http_request.h"
#include "schemas/registry/registry_ask.h"

/** True when the response is what was asked for; otherwise f: FAULT_RETRY: another address, or a later time,
 * may do; FAULT_REJECT: there is no such id; FAULT_CONFIG: the registry refuses. */
bool registry_reply_check(enum registry_ask ask, const char *url, const struct http_response *response,
                          const json_t *json, struct fault *f) MUST_USE;

/** Whether the newest version has the layout of the text, so that values written with one are read with the
 * other; otherwise FAULT_CONFIG. */
bool registry_reply_check_latest(const char *subject, const char *text, const json_t *json,
                                 struct fault *f) MUST_USE;

#endif

// One line about a response, for logs, the status and dead letters. Of the response's body it
// contains only what the endpoint took as the detail of a failure.
#ifndef BRIDGE_DELIVERY_RESPONSE_TEXT_H
#define BRIDGE_DELIVERY_RESPONSE_TEXT_H

#include "bridge/delivery/outcome.h"

/**
 * Writes the line, cut to `size`. When no complete response came and the endpoint may have received the
 * request, it says that the outcome is unknown.
 *
 * @param invalid     o->is_invalid: what is wrong with the body
 * @param timeout_us  that of the call
 */
void response_text_write(const struct response *r, const struct outcome *o, const struct fault *invalid,
                         int64_t timeout_us, char *text, size_t size);

#endif

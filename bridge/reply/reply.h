// A function's response as events: what it replies with.
//
//   content-type application/cloudevents+json        one CloudEvent (structured mode)
//   content-type application/cloudevents-batch+json  an array of them (batched mode)
//   a header ce-specversion                          one CloudEvent (binary mode)
//   other JSON                                       the body is the data of an event without attributes
//
// An endpoint without headers (Lambda, a local process) responds with JSON: an object that has a CloudEvent's
// required attributes is one. Sources: CloudEvents HTTP Protocol Binding 1.0.2, 3; JSON Event Format 1.0.2;
// Knative's data plane specification (202, and a response without a body, are no reply).
#ifndef BRIDGE_REPLY_REPLY_H
#define BRIDGE_REPLY_REPLY_H

#include "bridge/endpoints/endpoint.h"
#include "bridge/reply/replies.h"

enum reply_kind {
    REPLY_ABSENT,   // the response is no reply
    REPLY_PRESENT,  // it is one event or more
    REPLY_FOREIGN,  // it has a body that is neither JSON nor a CloudEvent: no reply
    REPLY_INVALID,  // it says that it is a CloudEvent or JSON, and is not valid
};

/**
 * Reads the response to a call that succeeded. Its body is complete.
 *
 * @param ret  cleared by the caller, also when there is no reply; lends what the response lends
 * @param f    REPLY_INVALID: FAULT_REJECT says what is wrong
 */
enum reply_kind reply_read(const struct response *r, struct replies *ret, struct fault *f);

#endif

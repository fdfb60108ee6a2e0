// CloudEvents of a response, in the three modes of HTTP.
#ifndef BRIDGE_REPLY_CLOUD_EVENT_H
#define BRIDGE_REPLY_CLOUD_EVENT_H

#include "bridge/endpoints/endpoint.h"
#include "bridge/reply/replies.h"

/** Whether the response has the headers of a CloudEvent in binary mode. */
bool cloud_event_is_binary(const struct response *r);

/** Reads the event in headers and body. False: FAULT_REJECT. */
bool cloud_event_read_binary(const struct response *r, struct slice content_type, struct replies *ret,
                             struct fault *f) MUST_USE;

/** Reads the object at a node of ret->tree. False: FAULT_REJECT. */
bool cloud_event_read_json(const struct json_node *object, struct replies *ret, struct fault *f) MUST_USE;

/** Whether the node is an object with the attributes that a CloudEvent must have. */
bool cloud_event_is_json(const struct json_tree *t, const struct json_node *node);

#endif

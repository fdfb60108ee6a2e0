// What a delivery has of its function's replies.
#ifndef BRIDGE_DELIVERY_REPLY_STATE_H
#define BRIDGE_DELIVERY_REPLY_STATE_H

#include <stddef.h>

struct reply_waits {
    size_t events;  // whose replies are not stored
    size_t bytes;   // of these replies
};

#endif

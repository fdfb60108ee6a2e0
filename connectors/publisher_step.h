// What became of a change that is to be published.
#ifndef CONNECTORS_PUBLISHER_STEP_H
#define CONNECTORS_PUBLISHER_STEP_H

enum publisher_step {
    PUBLISHER_TAKEN,
    PUBLISHER_LATER,  // too much is held back, or no room: on_ready, or the delivery's on_room, follows
    PUBLISHER_FAULT,
};

#endif

// The admin port's connections: deadlines for slow ones, and room for new ones whatever the others do.
#ifndef CORE_HTTP_ADMIN_CONNECTIONS_H
#define CORE_HTTP_ADMIN_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADMIN_CONNECTIONS_MAX = 128, ADMIN_CONNECTIONS_PER_PEER = 32, ADMIN_CONNECTIONS_WAITING = 96 };

enum admin_phase {
    ADMIN_READING,    // the next request's first line and headers, or its body
    ADMIN_HANDLED,    // the request is whole, its answer is being made: no deadline here
    ADMIN_ANSWERING,  // the answer is being sent
    ADMIN_CLOSING,    // shut down by us; the server has not noticed yet
};

struct admin_connection;

/** Zero-initialised is empty. */
struct admin_connections {
    struct admin_connection *all;
};

/**
 * A new connection. When one peer has more than 32 that have sent no whole request, or all together more than
 * 96, the oldest of those is shut down, so that a new one always gets its turn.
 */
struct admin_connection *admin_connections_add(struct admin_connections *list, int fd,
                                               const struct sockaddr *peer);
void admin_connections_remove(struct admin_connections *list, struct admin_connection *c);

/** A deadline counts from the entry into its phase. */
void admin_connection_enter(struct admin_connection *c, enum admin_phase phase);

/** Shuts down what has been in its phase for too long: 15 s for a whole request, 60 s for taking the answer.
 */
void admin_connections_check(struct admin_connections *list);

#endif

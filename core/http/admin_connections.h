// The admin port's connections: closes slow ones, and the oldest unfinished ones to make room for new ones.
#ifndef CORE_HTTP_ADMIN_CONNECTIONS_H
#define CORE_HTTP_ADMIN_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADMIN_CONNECTIONS_MAX = 128, ADMIN_CONNECTIONS_PER_PEER = 32, ADMIN_CONNECTIONS_WAITING = 96 };

enum admin_phase {
    ADMIN_READING,    // reads a request: first line, headers, body
    ADMIN_HANDLED,    // the request is complete, the handler has not responded yet: no deadline
    ADMIN_ANSWERING,  // sends the response
    ADMIN_CLOSING,    // shut down here; libmicrohttpd has not noticed yet
};

struct admin_connection;

/** Zero-initialised is empty. */
struct admin_connections {
    struct admin_connection *all;
};

/**
 * Adds a new connection. When more than 32 connections of one peer, or more than 96 of all peers, have sent
 * no complete request, shuts down the oldest of them.
 */
struct admin_connection *admin_connections_add(struct admin_connections *list, int fd,
                                               const struct sockaddr *peer);
void admin_connections_remove(struct admin_connections *list, struct admin_connection *c);

/** Changes the phase; the deadline counts from here. */
void admin_connection_enter(struct admin_connection *c, enum admin_phase phase);

/** Shuts down connections past their deadline: 15 s for sending a request, 60 s for receiving the response.
 */
void admin_connections_check(struct admin_connections *list);

#endif

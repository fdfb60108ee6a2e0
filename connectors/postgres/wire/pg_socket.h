// What the kernel knows of a connection's socket.
#ifndef CONNECTORS_POSTGRES_WIRE_PG_SOCKET_H
#define CONNECTORS_POSTGRES_WIRE_PG_SOCKET_H

#include <stdint.h>

/** Bytes received so far, read or not; 0: the socket is not TCP. */
uint64_t pg_socket_received_bytes(int socket);

/** The connection fails when the peer has acknowledged nothing of what was sent for so long. No effect on a
 * socket that is not TCP. */
void pg_socket_limit_silence(int socket, unsigned ms);

/** The error that broke the connection; 0: none. */
int pg_socket_take_error(int socket);

#endif

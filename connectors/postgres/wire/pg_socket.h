// Statistics of a connection's socket from the kernel.
#ifndef CONNECTORS_POSTGRES_WIRE_PG_SOCKET_H
#define CONNECTORS_POSTGRES_WIRE_PG_SOCKET_H

#include <stdint.h>

/** Bytes received so far, read or not; 0: the socket is not TCP. */
uint64_t pg_socket_received_bytes(int socket);

#endif

// Which user's process is at the other end of a loopback connection: the Runtime API of an instance serves
// only the instance's user.
#ifndef BRIDGE_ENDPOINTS_PROCESS_RUNTIME_PEER_H
#define BRIDGE_ENDPOINTS_PROCESS_RUNTIME_PEER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "core/base/memory.h"

/** No user's number: the client's end is closed already, or is on another machine. */
#define RUNTIME_PEER_NOBODY ((uid_t)-1)

/**
 * Looks for the client's end of a TCP connection over IPv4 in the kernel's tables of this network namespace.
 *
 * @param peer        the client's address, as accept(2) gives it
 * @param local_port  the server's port
 * @param ret         the owner; RUNTIME_PEER_NOBODY: refuse the connection
 * Returns false when the kernel shows no table (systemd's ProcSubset=pid): nobody can say who it is. Then
 * accept the connection, and warn once: the port is reachable from this machine only, and the ids of
 * invocations can't be guessed, but a process of another user could ask for an invocation. Source: Linux,
 * Documentation/networking/proc_net_tcp.rst.
 */
bool runtime_peer_uid(const struct sockaddr *peer, int local_port, uid_t *ret) MUST_USE;

#endif

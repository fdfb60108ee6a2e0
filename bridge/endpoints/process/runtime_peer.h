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
 * Asks the kernel (NETLINK_SOCK_DIAG, microseconds) for the client's end of a TCP connection over IPv4 in
 * this network namespace; where that is forbidden, looks for it in /proc/net/tcp and tcp6 (milliseconds).
 *
 * @param peer        the client's address, as accept(2) gives it
 * @param local_port  the server's port on 127.0.0.1
 * @param ret         the owner; RUNTIME_PEER_NOBODY: refuse the connection, also when no descriptor is
 *                    left to look with
 * Returns false when the kernel shows neither (systemd's ProcSubset=pid without AF_NETLINK in
 * RestrictAddressFamilies): nobody can say who it is. Then accept the connection, and warn once: the port is
 * reachable from this machine only, and the ids of invocations can't be guessed, but a process of another
 * user could ask for an invocation. Source: sock_diag(7); Linux, Documentation/networking/proc_net_tcp.rst.
 */
bool runtime_peer_uid(const struct sockaddr *peer, int local_port, uid_t *ret) MUST_USE;

#endif

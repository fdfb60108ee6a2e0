// A listening TCP socket at a configured address.
#ifndef CORE_HTTP_LISTEN_SOCKET_H
#define CORE_HTTP_LISTEN_SOCKET_H

#include "core/base/fault.h"

/**
 * Opens the socket. Accepts IP addresses and localhost only: name look-ups would block the loop.
 *
 * @param key  the setting or option that the address comes from, for the fault
 * @param f    FAULT_CONFIG
 */
bool listen_socket_open(const char *host, int port, const char *key, int *ret_fd, bool *ret_is_v6,
                        struct fault *f) MUST_USE;

/** The port that the socket is bound to; 0 when that is unknown. */
int listen_socket_port(int fd);

#endif

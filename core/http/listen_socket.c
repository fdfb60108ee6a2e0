#include "core/http/listen_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct listen_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
    socklen_t size;
};

/** Addresses only, no look-ups: they would block the loop. */
static bool parse_address(const char *host, int port, const char *key, struct listen_address *ret,
                          struct fault *f)
{
    struct listen_address address = {0};
    const char *literal = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    if (port < 0 || port > 65535) {
        return fault_set(f, FAULT_CONFIG, "%s: %d is not a port", key, port);
    }
    if (inet_pton(AF_INET, literal, &address.socket.v4.sin_addr) == 1) {
        address.socket.v4.sin_family = AF_INET;
        address.socket.v4.sin_port = htons((uint16_t)port);
        address.size = sizeof(address.socket.v4);
    } else if (inet_pton(AF_INET6, literal, &address.socket.v6.sin6_addr) == 1) {
        address.socket.v6.sin6_family = AF_INET6;
        address.socket.v6.sin6_port = htons((uint16_t)port);
        address.size = sizeof(address.socket.v6);
    } else {
        return fault_set(f, FAULT_CONFIG, "%s: \"%s\" is neither an IP address nor localhost", key, host);
    }
    *ret = address;
    return true;
}

bool listen_socket_open(const char *host, int port, const char *key, int *ret_fd, bool *ret_is_v6,
                        struct fault *f)
{
    struct listen_address parsed;
    if (!parse_address(host, port, key, &parsed, f)) {
        return false;
    }
    const struct listen_address *address = &parsed;
    int fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, &address->socket.any, address->size) != 0 || listen(fd, SOMAXCONN) != 0) {
        int code = errno;
        (void)fault_from(f, FAULT_CONFIG, "errno", code, "can't listen on %s port %d (%s): %s%s", host, port,
                         key, strerror(code),
                         code == EADDRINUSE
                             ? "; another process, such as another millrace, listens there: set "
                               "another port"
                             : "");
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    *ret_fd = fd;
    *ret_is_v6 = address->socket.any.sa_family == AF_INET6;
    return true;
}

int listen_socket_port(int fd)
{
    struct listen_address bound = {.size = sizeof(bound.socket)};
    if (getsockname(fd, &bound.socket.any, &bound.size) != 0) {
        return 0;
    }
    return ntohs(bound.socket.any.sa_family == AF_INET6 ? bound.socket.v6.sin6_port
                                                        : bound.socket.v4.sin_port);
}

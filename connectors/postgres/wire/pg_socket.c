// A file of its own, because only linux/tcp.h has the newer members of tcp_info, and it conflicts with
// netinet/tcp.h, which uv.h includes.
#include "connectors/postgres/wire/pg_socket.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

uint64_t pg_socket_received_bytes(int socket)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

void pg_socket_limit_silence(int socket, unsigned ms)
{
    (void)setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

int pg_socket_take_error(int socket)
{
    int error = 0;
    socklen_t size = sizeof(error);
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : 0;
}

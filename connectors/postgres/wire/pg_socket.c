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

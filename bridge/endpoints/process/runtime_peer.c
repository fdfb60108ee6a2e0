#include "bridge/endpoints/process/runtime_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LOOKS = 2,              // the kernel may leave a line out when others are added or removed meanwhile
    ENDS_MAX = 96,          // bytes of the two addresses
    BLOCK_BYTES = 8 << 10,  // the kernel gives a page at once
    ANSWER_BYTES = 1024,
    STATE_ESTABLISHED = 1,
    STATE_CLOSE_WAIT = 8,  // the server has closed its end first
};

enum look { LOOK_FOUND, LOOK_ABSENT, LOOK_UNREADABLE };

/** The client's end: its own address and the server's, which is on 127.0.0.1. In network byte order. */
struct ends {
    uint32_t client;
    uint32_t server;
    uint16_t client_port;
    uint16_t server_port;
};

/** Without an inode its process has closed it, and the user is given as 0. */
static uid_t owner_of(unsigned state, unsigned long uid, unsigned long inode)
{
    bool is_open = inode != 0 && (state == STATE_ESTABLISHED || state == STATE_CLOSE_WAIT);
    return is_open ? (uid_t)uid : RUNTIME_PEER_NOBODY;
}

/* ---- the kernel asked for one socket: microseconds, but needs AF_NETLINK ---- */

struct diag_request {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
};

static enum look read_answer(int fd, uid_t *ret)
{
    union {
        struct nlmsghdr header;
        char bytes[ANSWER_BYTES];
    } answer;
    ssize_t count = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);  // the kernel has answered within send
    if (count < 0 || !NLMSG_OK(&answer.header, (size_t)count)) {
        return LOOK_UNREADABLE;
    }
    size_t size = answer.header.nlmsg_len - NLMSG_HDRLEN;
    if (answer.header.nlmsg_type == NLMSG_ERROR && size >= sizeof(struct nlmsgerr)) {
        const struct nlmsgerr *failed = NLMSG_DATA(&answer.header);
        return failed->error == -ENOENT ? LOOK_ABSENT : LOOK_UNREADABLE;
    }
    if (answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY || size < sizeof(struct inet_diag_msg)) {
        return LOOK_UNREADABLE;
    }
    const struct inet_diag_msg *found = NLMSG_DATA(&answer.header);
    *ret = owner_of(found->idiag_state, found->idiag_uid, found->idiag_inode);
    return LOOK_FOUND;
}

/** Finds the sockets of IPv6 with mapped addresses, too. */
static enum look ask(const struct ends *e, uid_t *ret)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) {
        return LOOK_UNREADABLE;
    }
    const struct diag_request request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .body = {.sdiag_family = AF_INET,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = ~0U,
                 .id = {.idiag_sport = e->client_port,
                        .idiag_dport = e->server_port,
                        .idiag_src = {e->client},
                        .idiag_dst = {e->server},
                        .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
    };
    bool is_sent = send(fd, &request, sizeof(request), MSG_DONTWAIT) == (ssize_t)sizeof(request);
    enum look found = is_sent ? read_answer(fd, ret) : LOOK_UNREADABLE;
    (void)close(fd);
    return found;
}

/* ---- the table of all sockets: milliseconds ----
 * A line of it, from the first column that is looked at; numbers are hexadecimal but uid and inode:
 *
 *   local address:port  remote address:port  state  queues  timer  retransmits  uid  timeout  inode …
 *
 * An address is printed as 32-bit words of the host's byte order, each as it is in memory: one word for IPv4,
 * four for IPv6. */

/** The owner in the rest of a line. */
static uid_t read_owner(const char *rest)
{
    unsigned state = 0;
    unsigned long uid = 0;
    unsigned long inode = 0;
    bool is_whole = sscanf(rest, "%x %*s %*s %*s %lu %*s %lu", &state, &uid, &inode) == 3;
    return is_whole ? owner_of(state, uid, inode) : RUNTIME_PEER_NOBODY;
}

/** Reads until the line with both ends is there. */
static enum look look_into(int fd, const char *ends, uid_t *ret)
{
    char block[BLOCK_BYTES + 1];
    size_t kept = 0;  // a part of a line
    for (;;) {
        ssize_t count = read(fd, block + kept, BLOCK_BYTES - kept);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return count < 0 ? LOOK_UNREADABLE : LOOK_ABSENT;
        }
        size_t size = kept + (size_t)count;
        block[size] = '\0';
        const char *found = strstr(block, ends);
        if (found != NULL && strchr(found, '\n') != NULL) {
            *ret = read_owner(found + strlen(ends));
            return LOOK_FOUND;
        }
        const char *last = strrchr(block, '\n');
        kept = last == NULL ? size : size - (size_t)(last + 1 - block);
        if (kept == BLOCK_BYTES) {
            return LOOK_UNREADABLE;  // not the table that is described
        }
        memmove(block, block + size - kept, kept);
    }
}

static enum look look_up(const char *path, const char *ends, uid_t *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        bool is_short = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
        return is_short ? LOOK_ABSENT : LOOK_UNREADABLE;  // for a moment: refuse rather than trust
    }
    enum look found = look_into(fd, ends, ret);
    (void)close(fd);
    return found;
}

static enum look look_into_tables(const struct ends *e, uid_t *ret)
{
    char plain[ENDS_MAX];
    char mapped[ENDS_MAX];
    unsigned client_port = ntohs(e->client_port);
    unsigned server_port = ntohs(e->server_port);
    unsigned mark = htonl(0xffff);  // ::ffff:127.0.0.1, as Java's sockets have it
    (void)snprintf(plain, sizeof(plain), " %08X:%04X %08X:%04X ", e->client, client_port, e->server,
                   server_port);
    (void)snprintf(mapped, sizeof(mapped), " %016X%08X%08X:%04X %016X%08X%08X:%04X ", 0U, mark, e->client,
                   client_port, 0U, mark, e->server, server_port);
    for (int i = 0; i < LOOKS; i++) {
        enum look found = look_up("/proc/net/tcp", plain, ret);
        if (found != LOOK_ABSENT) {
            return found;
        }
        if (look_up("/proc/net/tcp6", mapped, ret) == LOOK_FOUND) {  // not there without IPv6
            return LOOK_FOUND;
        }
    }
    return LOOK_ABSENT;
}

bool runtime_peer_uid(const struct sockaddr *peer, int local_port, uid_t *ret)
{
    *ret = RUNTIME_PEER_NOBODY;
    if (peer->sa_family != AF_INET) {
        return true;
    }
    struct sockaddr_in client;
    memcpy(&client, peer, sizeof(client));
    const struct ends ends = {client.sin_addr.s_addr, htonl(INADDR_LOOPBACK), client.sin_port,
                              htons((uint16_t)local_port)};
    enum look found = ask(&ends, ret);
    return found != LOOK_UNREADABLE || look_into_tables(&ends, ret) != LOOK_UNREADABLE;
}

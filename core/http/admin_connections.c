#include "core/http/admin_connections.h"

#include <netinet/in.h>
#include <string.h>
#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

#define REQUEST_US (15 * CLOCK_US_PER_S)
#define ANSWER_US (60 * CLOCK_US_PER_S)

struct admin_connection {
    int fd;
    uint8_t peer[16];  // the address without its port
    enum admin_phase phase;
    int64_t since_us;
    struct admin_connection *prev;  // oldest first
    struct admin_connection *next;
};

static void copy_peer(const struct sockaddr *peer, uint8_t ret[16])
{
    memset(ret, 0, 16);
    if (peer->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, peer, sizeof(v6));
        memcpy(ret, &v6.sin6_addr, sizeof(v6.sin6_addr));
    } else {
        struct sockaddr_in v4;
        memcpy(&v4, peer, sizeof(v4));
        memcpy(ret, &v4.sin_addr, sizeof(v4.sin_addr));
    }
}

static void shut_down(struct admin_connection *c)
{
    admin_connection_enter(c, ADMIN_CLOSING);
    (void)shutdown(c->fd, SHUT_RDWR);
}

/** Shuts down the oldest connection in ADMIN_READING when there are more than `limit`, of `peer` or of all
 * (NULL). */
static void make_room(struct admin_connections *list, const uint8_t *peer, int limit)
{
    struct admin_connection *oldest = NULL;
    int count = 0;
    for (struct admin_connection *c = list->all; c != NULL; c = c->next) {
        bool is_one = peer == NULL || memcmp(c->peer, peer, sizeof(c->peer)) == 0;
        if (is_one && c->phase == ADMIN_READING) {
            count++;
            bool is_older = oldest == NULL || c->since_us < oldest->since_us;
            oldest = is_older ? c : oldest;
        }
    }
    if (count > limit) {
        shut_down(oldest);
    }
}

struct admin_connection *admin_connections_add(struct admin_connections *list, int fd,
                                               const struct sockaddr *peer)
{
    struct admin_connection *c = memory_zeroed(1, sizeof(*c));
    c->fd = fd;
    copy_peer(peer, c->peer);
    admin_connection_enter(c, ADMIN_READING);
    DL_APPEND(list->all, c);
    make_room(list, c->peer, ADMIN_CONNECTIONS_PER_PEER);
    make_room(list, NULL, ADMIN_CONNECTIONS_WAITING);
    return c;
}

void admin_connections_remove(struct admin_connections *list, struct admin_connection *c)
{
    DL_DELETE(list->all, c);
    free(c);
}

void admin_connection_enter(struct admin_connection *c, enum admin_phase phase)
{
    if (c->phase != ADMIN_CLOSING) {
        c->phase = phase;
        c->since_us = clock_now_us();
    }
}

void admin_connections_check(struct admin_connections *list)
{
    int64_t now_us = clock_now_us();
    for (struct admin_connection *c = list->all; c != NULL; c = c->next) {
        int64_t age_us = now_us - c->since_us;
        if ((c->phase == ADMIN_READING && age_us >= REQUEST_US) ||
            (c->phase == ADMIN_ANSWERING && age_us >= ANSWER_US)) {
            shut_down(c);
        }
    }
}

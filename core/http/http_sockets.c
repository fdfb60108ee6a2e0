#include "core/http/http_sockets.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/base/memory.h"

enum { EVENTS_MAX = 64 };

/** What the set holds for one descriptor. */
struct http_socket {
    uint32_t watched;    // epoll events registered
    uint32_t wanted;     // epoll events that curl wants; 0: none
    bool is_connection;  // opened by on_open_socket: may stay watched after curl removed it
};

static struct http_socket *socket_of(struct http_sockets *s, int fd)
{
    size_t at = (size_t)fd;
    if (at >= s->known_count) {
        size_t count = at + 64;
        s->known = memory_resize(s->known, count * sizeof(*s->known));
        memset(s->known + s->known_count, 0, (count - s->known_count) * sizeof(*s->known));
        s->known_count = count;
    }
    return &s->known[at];
}

static void watch(struct http_sockets *s, int fd, struct http_socket *known, uint32_t events)
{
    struct epoll_event e = {.events = events, .data = {.fd = fd}};
    int failed;
    if (events == 0) {
        failed = epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, fd, &e);
    } else {
        failed = epoll_ctl(s->epoll_fd, known->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e);
        if (failed != 0 && (errno == ENOENT || errno == EEXIST)) {
            failed = epoll_ctl(s->epoll_fd, errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e);
        }
    }
    known->watched = failed == 0 ? events : 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *unused)
{
    (void)easy;
    (void)unused;
    struct http_sockets *s = self;
    struct http_socket *known = socket_of(s, fd);
    known->wanted = (what == CURL_POLL_IN || what == CURL_POLL_INOUT ? (uint32_t)EPOLLIN : 0) |
                    (what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? (uint32_t)EPOLLOUT : 0);
    bool may_stay = known->wanted == 0 && known->is_connection && known->watched == (uint32_t)EPOLLIN;
    if (known->wanted != known->watched && !may_stay) {
        watch(s, fd, known, known->wanted);
    }
    return 0;
}

static curl_socket_t on_open_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct http_sockets *s = self;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
    if (fd >= 0) {
        *socket_of(s, fd) = (struct http_socket){.is_connection = true};
    }
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int on_close_socket(void *self, curl_socket_t fd)
{
    struct http_sockets *s = self;
    *socket_of(s, fd) = (struct http_socket){0};  // close(2) removes it from the epoll set
    return close(fd);
}

void http_sockets_init(struct http_sockets *s, CURLM *multi)
{
    s->multi = multi;
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    INVARIANT(s->epoll_fd >= 0);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, s);
}

void http_sockets_adopt(struct http_sockets *s, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, s);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, s);
}

void http_sockets_read(struct http_sockets *s)
{
    struct epoll_event ready[EVENTS_MAX];
    int count = epoll_wait(s->epoll_fd, ready, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++) {
        int fd = ready[i].data.fd;
        struct http_socket *known = socket_of(s, fd);
        if (known->wanted == 0) {
            // Closed by the peer, or unexpected data: curl finds out when it next uses the connection.
            watch(s, fd, known, 0);
            continue;
        }
        uint32_t got = ready[i].events;
        int running;
        int bits = ((got & (uint32_t)EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                   ((got & (uint32_t)EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                   ((got & (uint32_t)(EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(s->multi, fd, bits, &running);
    }
}

void http_sockets_clear(struct http_sockets *s)
{
    close(s->epoll_fd);
    free(s->known);
}

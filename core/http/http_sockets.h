// The sockets of one curl multi handle in an epoll set of their own, which the loop watches as one
// descriptor.
//
// After each answer curl takes its socket out of the set and, for the next request on the same connection,
// puts it back. Doing as told costs two system calls a request, so a socket that curl let go of stays watched
// until it says something nobody asked for. For that the set must know which descriptors are connections of
// ours (opened and closed through it) and which are curl's own (the resolver's pairs, closed without a word).
#ifndef CORE_HTTP_HTTP_SOCKETS_H
#define CORE_HTTP_HTTP_SOCKETS_H

#include <curl/curl.h>
#include <stddef.h>

/** Plain data, embedded; zero-initialised and then http_sockets_init. */
struct http_sockets {
    CURLM *multi;  // lent
    int epoll_fd;
    struct http_socket *known;  // indexed by descriptor
    size_t known_count;
};

/** Sets the multi handle's socket callback. */
void http_sockets_init(struct http_sockets *s, CURLM *multi);

/** Lets the handle open and close its connections through the set. */
void http_sockets_adopt(struct http_sockets *s, CURL *easy);

/** After epoll_fd became readable: tells curl what its sockets said. */
void http_sockets_read(struct http_sockets *s);

/** The multi handle is cleaned up already. */
void http_sockets_clear(struct http_sockets *s);

#endif

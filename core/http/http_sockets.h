// The sockets of one curl multi handle in an epoll set of their own, which the loop watches as one
// descriptor.
//
// After each response curl removes its socket from the set, and adds it again for the next request on the
// same connection. That would cost two system calls a request, so a removed socket stays watched until it has
// an unexpected event. This is safe only for connections, which the set opens and closes itself; curl closes
// other descriptors (its resolver's socket pairs) without notice.
#ifndef CORE_HTTP_HTTP_SOCKETS_H
#define CORE_HTTP_HTTP_SOCKETS_H

#include <curl/curl.h>
#include <stddef.h>

/** Embedded in its owner; http_sockets_init before any use. */
struct http_sockets {
    CURLM *multi;  // lent
    int epoll_fd;
    struct http_socket *known;  // indexed by descriptor
    size_t known_count;
};

/** Sets the multi handle's socket callback. */
void http_sockets_init(struct http_sockets *s, CURLM *multi);

/** Makes the easy handle open and close its connections through the set. */
void http_sockets_adopt(struct http_sockets *s, CURL *easy);

/** When epoll_fd is readable: passes the sockets' events to curl. */
void http_sockets_read(struct http_sockets *s);

/** To be called after curl_multi_cleanup. */
void http_sockets_clear(struct http_sockets *s);

#endif

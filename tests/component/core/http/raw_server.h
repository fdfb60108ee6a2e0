// A TCP server on the loop that does what the test says, byte for byte.
#ifndef TESTS_COMPONENT_CORE_HTTP_RAW_SERVER_H
#define TESTS_COMPONENT_CORE_HTTP_RAW_SERVER_H

#include <uv.h>

#include "core/base/bytes.h"

enum { RAW_PEERS_MAX = 64 };

/** A connection that a client has made. Plain data, kept until the end. */
struct raw_peer {
    uv_tcp_t tcp;
    struct bytes in;  // all that has arrived
    bool is_open;
    bool is_ended;  // the client has closed its side, or reset it
};

struct raw_server {
    uv_loop_t *loop;
    uv_tcp_t tcp;
    char url[64];
    struct raw_peer peers[RAW_PEERS_MAX];
    size_t count;
};

/** Listens on 127.0.0.1. */
void raw_server_start(struct raw_server *s, uv_loop_t *loop);

/** Writes at once; the test fails if the socket does not take all of it. */
void raw_server_write(struct raw_server *s, size_t peer, struct slice bytes);
void raw_server_say(struct raw_server *s, size_t peer, const char *text);

/** Ends the connection in an orderly way, or by a reset. */
void raw_server_close(struct raw_server *s, size_t peer);
void raw_server_reset(struct raw_server *s, size_t peer);

/** Stops reading what comes, or goes on. */
void raw_server_pause(struct raw_server *s, size_t peer);
void raw_server_resume(struct raw_server *s, size_t peer);

/** Stops listening: new connections are refused. */
void raw_server_refuse(struct raw_server *s);
void raw_server_stop(struct raw_server *s);

#endif

// core/http/http_stream with TLS on a pair of sockets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/http/http_stream.h"

/** A side of a connection without certificates. */
static SSL *side_on(int fd, bool is_server)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    assert_non_null(context);
    assert_int_equal(SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION), 1);
    assert_int_equal(SSL_CTX_set_cipher_list(context, "AECDH-AES128-SHA:@SECLEVEL=0"), 1);
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    if (is_server) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
    }
    return ssl;
}

/** The peer may say goodbye and close its socket before the owner has seen that. */
static void a_write_after_the_peers_goodbye_says_what_happened(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct http_stream s = {.fd = fds[0], .ssl = side_on(fds[0], false)};
    SSL *peer = side_on(fds[1], true);
    for (int i = 0; i < 10 && (!SSL_is_init_finished(s.ssl) || !SSL_is_init_finished(peer)); i++) {
        (void)SSL_do_handshake(s.ssl);
        (void)SSL_do_handshake(peer);
    }
    assert_true(SSL_is_init_finished(s.ssl));
    (void)SSL_shutdown(peer);
    SSL_free(peer);
    close(fds[1]);
    char byte = 'a';
    assert_int_equal(http_stream_read(&s, &byte, 1), 0);
    const struct iovec part = {&byte, 1};
    assert_int_equal(http_stream_write(&s, &part, 1), -1);
    assert_string_equal(http_stream_error(&s, errno), "the server closed the connection");
    assert_int_equal(s.fault.kind, FAULT_RETRY);
    http_stream_close(&s);
}

int main(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_after_the_peers_goodbye_says_what_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

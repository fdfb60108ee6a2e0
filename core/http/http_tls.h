// What all TLS connections of a client have in common: trusted authorities, the client's certificate,
// protocols.
#ifndef CORE_HTTP_HTTP_TLS_H
#define CORE_HTTP_HTTP_TLS_H

#include "core/base/fault.h"
#include "core/http/http_client_params.h"

struct ssl_st;
struct http_tls;

/**
 * TLS 1.2 and later. Without `ca` the system's authorities are trusted.
 *
 * @param f  FAULT_CONFIG: which text is no PEM, or that the key is not the certificate's
 */
bool http_tls_new(const struct http_tls_params *params, enum http_version version, struct http_tls **ret,
                  struct fault *f) MUST_USE;

/** All connections are closed. Accepts NULL. */
void http_tls_free(struct http_tls *t);

/** The state of one connection; the caller frees it with SSL_free. Its certificate must be for server_name,
 * or without one for `host`. */
struct ssl_st *http_tls_connection(struct http_tls *t, const char *host, int fd);

/** Fills the fault with what went wrong in the connection's last call, whose errors are still queued.
 * FAULT_RETRY.
 *
 * @param code  of SSL_get_error
 */
void http_tls_explain(struct http_tls *t, struct ssl_st *ssl, int code, const char *host, struct fault *f);

/** When the first certificate of a PEM text ends, in wall-clock microseconds; false: there is none. */
bool http_tls_end_of(const char *pem, int64_t *ret_wall_us) MUST_USE;

/** Whether the last call failed because the peer sent an alert about the client's certificate: with TLS 1.3
 * that comes when the client believes the handshake to be over. The errors are still queued. */
bool http_tls_is_refusal(void);

#endif

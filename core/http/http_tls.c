#include "core/http/http_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/memory.h"

struct http_tls {
    SSL_CTX *context;
    enum http_version version;
    struct bytes refused;  // about the certificate that was refused last
    char *server_name;     // NULL: the host's
};

static void free_bio(BIO **bio)
{
    BIO_free(*bio);
}

static void free_certificate(X509 **certificate)
{
    X509_free(*certificate);
}

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static BIO *open_text(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, (int)strlen(text));
    INVARIANT(bio != NULL);
    return bio;
}

/** Without it OpenSSL asks at the terminal. */
static int refuse_passphrase(char *buffer, int size, int is_writing, void *self)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    *(bool *)self = true;
    return 0;
}

static bool trust(SSL_CTX *context, const char *ca, struct fault *f)
{
    if (ca == NULL) {
        (void)SSL_CTX_set_default_verify_paths(context);
        return true;
    }
    BIO *bio CLEANUP(free_bio) = open_text(ca);
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    int count = 0;
    for (X509 *next; (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL; count++) {
        X509 *certificate CLEANUP(free_certificate) = next;
        (void)X509_STORE_add_cert(store, certificate);
    }
    bool is_good = count > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return is_good ||
           fault_set(f, FAULT_CONFIG,
                     count == 0 ? "ca: there is no certificate in it (PEM, -----BEGIN CERTIFICATE-----)"
                                : "ca: a certificate in it can't be read");
}

static bool use_certificate(SSL_CTX *context, const char *text, struct fault *f)
{
    BIO *bio CLEANUP(free_bio) = open_text(text);
    X509 *own CLEANUP(free_certificate) = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    bool is_good = own != NULL && SSL_CTX_use_certificate(context, own) == 1;
    for (X509 *next; is_good && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL;) {
        is_good = SSL_CTX_add0_chain_cert(context, next) == 1;
    }
    is_good = is_good && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return is_good ||
           fault_set(f, FAULT_CONFIG,
                     "certificate: there is no certificate in it that can be read (PEM, -----BEGIN "
                     "CERTIFICATE-----, the client's own first)");
}

static bool use_key(SSL_CTX *context, const char *text, struct fault *f)
{
    BIO *bio CLEANUP(free_bio) = open_text(text);
    bool has_passphrase = false;
    EVP_PKEY *key CLEANUP(free_key) = PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, &has_passphrase);
    bool is_good = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;
    bool is_pair = is_good && SSL_CTX_check_private_key(context) == 1;
    ERR_clear_error();
    if (has_passphrase) {
        return fault_set(f, FAULT_CONFIG, "key: it needs a passphrase; write it without one");
    }
    if (key == NULL) {
        return fault_set(f, FAULT_CONFIG, "key: there is no private key in it (PEM)");
    }
    return is_pair || fault_set(f, FAULT_CONFIG, "key: it is not the key of the certificate");
}

static bool fill_context(SSL_CTX *context, const struct http_tls_params *params, struct fault *f)
{
    if (!trust(context, params->ca, f)) {
        return false;
    }
    if (params->certificate != NULL && !use_certificate(context, params->certificate, f)) {
        return false;
    }
    return params->key == NULL || use_key(context, params->key, f);
}

static void offer_protocols(SSL_CTX *context, enum http_version version)
{
    static const unsigned char BOTH[] = "\x02h2\x08http/1.1";
    switch (version) {
    case HTTP_VERSION_AUTO:
        (void)SSL_CTX_set_alpn_protos(context, BOTH, sizeof(BOTH) - 1);
        break;
    case HTTP_VERSION_1_1:
        (void)SSL_CTX_set_alpn_protos(context, BOTH + 3, sizeof(BOTH) - 4);
        break;
    case HTTP_VERSION_2:
        (void)SSL_CTX_set_alpn_protos(context, BOTH, 3);
        break;
    }
}

void http_tls_free(struct http_tls *t)
{
    if (t == NULL) {
        return;
    }
    SSL_CTX_free(t->context);
    bytes_clear(&t->refused);
    free(t->server_name);
    free(t);
}

bool http_tls_end_of(const char *pem, int64_t *ret_wall_us)
{
    BIO *bio CLEANUP(free_bio) = open_text(pem);
    X509 *certificate CLEANUP(free_certificate) = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    struct tm end;
    bool is_good = certificate != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1;
    ERR_clear_error();
    *ret_wall_us = is_good ? (int64_t)timegm(&end) * 1000000 : 0;
    return is_good;
}

static bool is_address(const char *host)
{
    uint8_t bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

struct ssl_st *http_tls_connection(struct http_tls *t, const char *host, int fd)
{
    SSL *ssl = SSL_new(t->context);
    INVARIANT(ssl != NULL && SSL_set_fd(ssl, fd) == 1);
    const char *name = t->server_name == NULL ? host : t->server_name;
    if (is_address(name)) {
        INVARIANT(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1);
    } else {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        INVARIANT(SSL_set1_host(ssl, name) == 1);
        (void)SSL_set_tlsext_host_name(ssl, (char *)(uintptr_t)name);
    }
    SSL_set_connect_state(ssl);
    return ssl;
}

/** What a certificate says about itself: its names, its end, its issuer. */
static void describe_certificate(X509 *certificate, struct bytes *out)
{
    BIO *bio CLEANUP(free_bio) = BIO_new(BIO_s_mem());
    INVARIANT(bio != NULL);
    (void)BIO_puts(bio, " (subject ");
    (void)X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
    if (at >= 0) {
        (void)BIO_puts(bio, ", names ");
        (void)X509V3_EXT_print(bio, X509_get_ext(certificate, at), 0, 0);
    }
    (void)BIO_puts(bio, ", issuer ");
    (void)X509_NAME_print_ex(bio, X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
    (void)BIO_puts(bio, ", valid until ");
    (void)ASN1_TIME_print(bio, X509_get0_notAfter(certificate));
    (void)BIO_puts(bio, ")");
    const char *text = NULL;
    long size = BIO_get_mem_data(bio, &text);
    bytes_append(out, text, (size_t)size);
}

/** Remembers the certificate that was refused: OpenSSL does not keep it. */
static int on_verified(int is_good, X509_STORE_CTX *store)
{
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    if (is_good == 0 && certificate != NULL) {
        SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
        struct http_tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
        bytes_reset(&t->refused);
        describe_certificate(certificate, &t->refused);
    }
    return is_good;
}

bool http_tls_new(const struct http_tls_params *params, enum http_version version, struct http_tls **ret,
                  struct fault *f)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    INVARIANT(context != NULL);
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    // A response may be a token: what was read is overwritten in OpenSSL's buffer.
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CLEANSE_PLAINTEXT);
    offer_protocols(context, version);
    if (!fill_context(context, params, f)) {
        SSL_CTX_free(context);
        return false;
    }
    struct http_tls *t = memory_zeroed(1, sizeof(*t));
    t->context = context;
    t->version = version;
    SSL_CTX_set_app_data(context, t);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verified);
    t->server_name = params->server_name == NULL ? NULL : memory_string(params->server_name);
    *ret = t;
    return true;
}

static void explain_verification(struct http_tls *t, long result, const char *host, struct fault *f)
{
    const char *name = t->server_name == NULL ? host : t->server_name;
    const char *what = bytes_text(&t->refused);
    switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        (void)fault_set(f, FAULT_RETRY, "the server's certificate has expired%.300s", what);
        return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        (void)fault_set(f, FAULT_RETRY,
                        "the server's certificate is not valid yet, or the clock is wrong%.300s", what);
        return;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        (void)fault_set(f, FAULT_RETRY, "the server's certificate is not for %.100s%.300s", name, what);
        return;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        (void)fault_set(f, FAULT_RETRY,
                        "the server's certificate is signed by an authority that is not trusted: name the "
                        "authority's certificate in tls.ca%.300s",
                        what);
        return;
    default:
        (void)fault_set(f, FAULT_RETRY, "the server's certificate was not accepted: %s%.300s",
                        X509_verify_cert_error_string(result), what);
    }
}

static bool is_certificate_alert(int reason)
{
    switch (reason) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
        return true;
    default:
        return false;
    }
}

static void explain_reason(enum http_version version, unsigned long error, struct fault *f)
{
    int reason = ERR_GET_REASON(error);
    const char *text = ERR_reason_error_string(error);
    text = text == NULL ? "unknown error" : text;
    if (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED) {
        (void)fault_set(f, FAULT_RETRY,
                        "the server requires a client certificate: set tls.certificate and "
                        "tls.key");
    } else if (is_certificate_alert(reason)) {
        (void)fault_set(f, FAULT_RETRY, "the server refused the client certificate: %s", text);
    } else if (reason == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL) {
        (void)fault_set(f, FAULT_RETRY, "the server does not offer %s, which http_version asks for",
                        version == HTTP_VERSION_2 ? "HTTP/2" : "HTTP/1.1");
    } else if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG) {
        (void)fault_set(f, FAULT_RETRY, "the server does not speak TLS on this port");
    } else if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        (void)fault_set(f, FAULT_RETRY, "the server closed the connection without ending TLS");
    } else {
        (void)fault_from(f, FAULT_RETRY, "OpenSSL", reason, "TLS: %s", text);
    }
}

void http_tls_explain(struct http_tls *t, struct ssl_st *ssl, int code, const char *host, struct fault *f)
{
    long result = SSL_get_verify_result(ssl);
    unsigned long error = ERR_peek_last_error();
    if (result != X509_V_OK && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        explain_verification(t, result, host, f);
    } else if (error != 0) {
        explain_reason(t->version, error, f);
    } else if (code == SSL_ERROR_SYSCALL && errno != 0) {
        (void)fault_from(f, FAULT_RETRY, "errno", errno, "TLS: %s", strerror(errno));
    } else {
        (void)fault_set(f, FAULT_RETRY, "the server closed the connection during the TLS handshake");
    }
    ERR_clear_error();
}

bool http_tls_is_refusal(void)
{
    return is_certificate_alert(ERR_GET_REASON(ERR_peek_last_error()));
}

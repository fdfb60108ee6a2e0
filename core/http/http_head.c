// URLs are parsed by libcurl's URL API.
#include "core/http/http_head.h"

#include <ctype.h>
#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <strings.h>

#include "core/base/memory.h"

static void cleanup_url(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void free_curl_text(char **text)
{
    curl_free(*text);
}

/** Part of a URL; NULL when it has none. To be freed with curl_free. */
static char *part_of(CURLU *url, CURLUPart what, unsigned flags)
{
    char *part = NULL;
    return curl_url_get(url, what, &part, flags) == CURLUE_OK ? part : NULL;
}

static bool is_named(const struct http_header *header, struct slice name)
{
    return strlen(header->name) == name.size &&
           strncasecmp(header->name, (const char *)name.data, name.size) == 0;
}

static const struct http_header *given(const struct http_head_params *params, struct slice name)
{
    for (size_t i = 0; i < params->header_count; i++) {
        if (is_named(&params->headers[i], name)) {
            return &params->headers[i];
        }
    }
    return NULL;
}

static bool is_token(const char *text)
{
    size_t length =
        strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return length > 0 && text[length] == '\0';
}

static bool has_control_character(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f) {
            return true;
        }
    }
    return false;
}

static bool check_headers(const struct http_head_params *params, struct fault *f)
{
    for (size_t i = 0; i < params->header_count; i++) {
        const struct http_header *h = &params->headers[i];
        if (!is_token(h->name)) {
            return fault_set(f, FAULT_CONFIG, "a header's name is not valid");
        }
        if (has_control_character(h->value)) {
            return fault_set(f, FAULT_CONFIG, "the value of header %.100s has a control character", h->name);
        }
        if (strcasecmp(h->name, "content-length") == 0 || strcasecmp(h->name, "transfer-encoding") == 0) {
            return fault_set(f, FAULT_CONFIG, "header %s can't be set: millrace sets it", h->name);
        }
    }
    return true;
}

static void add_header(struct http_head *head, const char *name, const char *value)
{
    const char *separator = value[0] == '\0' ? ":" : ": ";
    bytes_append_string(&head->text, name);
    bytes_append_string(&head->text, separator);
    bytes_append_string(&head->text, value);
    bytes_append_string(&head->text, "\r\n");
}

static void add_basic_auth(struct http_head *head, const char *username, const char *password)
{
    struct bytes pair CLEANUP(bytes_wipe) = {0};
    bytes_append_string(&pair, username);
    bytes_append_byte(&pair, ':');
    bytes_append_string(&pair, password == NULL ? "" : password);
    struct bytes value CLEANUP(bytes_wipe) = {0};
    bytes_append_string(&value, "Basic ");
    (void)bytes_reserve(&value, (pair.size + 2) / 3 * 4 + 1);
    value.size += (size_t)EVP_EncodeBlock(value.data + value.size, pair.data, (int)pair.size);
    add_header(head, "Authorization", bytes_text(&value));
}

static void add_host(struct http_head *head, CURLU *url)
{
    char *host CLEANUP(free_curl_text) = part_of(url, CURLUPART_HOST, 0);
    char *port CLEANUP(free_curl_text) = part_of(url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    char *value CLEANUP(memory_free_pointer) =
        memory_format("%s%s%s", host, port == NULL ? "" : ":", port == NULL ? "" : port);
    add_header(head, "Host", value);
}

static void add_credentials(struct http_head *head, const struct http_head_params *params, CURLU *url)
{
    char *username CLEANUP(free_curl_text) = part_of(url, CURLUPART_USER, CURLU_URLDECODE);
    char *password CLEANUP(free_curl_text) = part_of(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
    if (given(params, slice_of("authorization")) != NULL) {
        return;
    }
    if (params->username != NULL) {
        add_basic_auth(head, params->username, params->password);
    } else if (username != NULL) {
        add_basic_auth(head, username, password);
    }
}

static void write_head(struct http_head *head, const struct http_head_params *params, CURLU *url)
{
    char *path CLEANUP(free_curl_text) = part_of(url, CURLUPART_PATH, CURLU_URLENCODE);
    char *query CLEANUP(free_curl_text) = part_of(url, CURLUPART_QUERY, CURLU_URLENCODE);
    bytes_format(&head->text, "%s ", params->method);
    head->target_at = head->text.size;
    bytes_format(&head->text, "%s%s%s", path, query == NULL ? "" : "?", query == NULL ? "" : query);
    head->target_size = head->text.size - head->target_at;
    bytes_append_string(&head->text, " HTTP/1.1\r\n");
    if (given(params, slice_of("host")) == NULL) {
        add_host(head, url);
    }
    if (given(params, slice_of("user-agent")) == NULL) {
        add_header(head, "User-Agent", "millrace/" MILLRACE_VERSION);
    }
    add_credentials(head, params, url);
    for (size_t i = 0; i < params->header_count; i++) {
        add_header(head, params->headers[i].name, params->headers[i].value);
    }
    if (head->has_content) {
        bytes_append_string(&head->text, "Content-Length: ");
    }
}

/** RFC 9113, 8.2.2: they describe a connection, and HTTP/2 has none of them. */
static bool is_of_connection(struct slice name)
{
    static const char *const NAMES[] = {"connection", "keep-alive", "proxy-connection", "te", "upgrade"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (slice_equal(name, slice_of(NAMES[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_secret(const struct http_head_params *params, struct slice name)
{
    const struct http_header *header = given(params, name);
    return slice_equal(name, slice_of("authorization")) || (header != NULL && header->is_secret);
}

/** Makes the fields for HTTP/2 of the lines in `text`. */
static void write_fields(struct http_head *head, const struct http_head_params *params)
{
    size_t count = 0;
    for (size_t i = 0; i < head->text.size; i++) {
        count += head->text.data[i] == '\n' ? 1 : 0;
    }
    bytes_append_slice(&head->field_text, bytes_slice(&head->text));
    head->fields = memory_zeroed(count, sizeof(*head->fields));
    uint8_t *at = head->field_text.data;
    uint8_t *end = at + head->field_text.size;
    uint8_t *line_end = memchr(at, '\n', head->field_text.size);  // of the request line
    for (at = line_end + 1; (line_end = memchr(at, '\n', (size_t)(end - at))) != NULL; at = line_end + 1) {
        uint8_t *colon = memchr(at, ':', (size_t)(line_end - at));
        for (uint8_t *c = at; c < colon; c++) {
            *c = (uint8_t)tolower(*c);
        }
        struct slice name = slice_make(at, (size_t)(colon - at));
        const uint8_t *value = colon[1] == ' ' ? colon + 2 : colon + 1;
        struct slice text = slice_make(value, (size_t)(line_end - 1 - value));
        if (slice_equal(name, slice_of("host"))) {
            head->authority = text;
        } else if (!is_of_connection(name)) {
            head->fields[head->field_count++] = (struct http_head_field){name, text, is_secret(params, name)};
        }
    }
}

/** The host as getaddrinfo takes it: an IPv6 address without brackets, with its zone. */
static char *host_to_look_up(CURLU *url)
{
    char *host CLEANUP(free_curl_text) = part_of(url, CURLUPART_HOST, 0);
    char *zone CLEANUP(free_curl_text) = part_of(url, CURLUPART_ZONEID, 0);
    size_t size = strlen(host);
    if (host[0] != '[') {
        return memory_string(host);
    }
    return memory_format("%.*s%s%s", (int)size - 2, host + 1, zone == NULL ? "" : "%",
                         zone == NULL ? "" : zone);
}

static bool parse_url(const char *text, CURLU *url, struct fault *f)
{
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    if (code != CURLUE_OK) {
        return fault_from(f, FAULT_CONFIG, "libcurl", (int)code, "not a URL: %s", curl_url_strerror(code));
    }
    char *scheme CLEANUP(free_curl_text) = part_of(url, CURLUPART_SCHEME, 0);
    if (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0) {
        return fault_set(f, FAULT_CONFIG, "a URL with %.20s:// is neither http:// nor https://", scheme);
    }
    return true;
}

bool http_head_new(const struct http_head_params *params, struct http_head **ret, struct fault *f)
{
    CURLU *url CLEANUP(cleanup_url) = curl_url();
    INVARIANT(url != NULL);
    if (!parse_url(params->url, url, f) || !check_headers(params, f)) {
        return false;
    }
    struct http_head *head = memory_zeroed(1, sizeof(*head));
    char *scheme CLEANUP(free_curl_text) = part_of(url, CURLUPART_SCHEME, 0);
    char *port CLEANUP(free_curl_text) = part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    head->text.is_secret = true;
    head->is_tls = strcasecmp(scheme, "https") == 0;
    head->has_content = strcmp(params->method, "GET") != 0;
    head->method = memory_string(params->method);
    head->url = memory_string(params->url);
    head->host = host_to_look_up(url);
    head->port = (int)strtol(port, NULL, 10);
    write_head(head, params, url);
    write_fields(head, params);
    *ret = head;
    return true;
}

void http_head_free(struct http_head *head)
{
    if (head == NULL) {
        return;
    }
    free(head->fields);
    bytes_wipe(&head->field_text);
    bytes_wipe(&head->text);
    free(head->method);
    memory_free_secret(head->url);
    free(head->host);
    free(head);
}

char *http_head_resolve(const struct http_head *head, const char *target, const char *location)
{
    CURLU *url CLEANUP(cleanup_url) = curl_url();
    INVARIANT(url != NULL);
    if (curl_url_set(url, CURLUPART_URL, head->url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        (target != NULL && curl_url_set(url, CURLUPART_URL, target, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) ||
        curl_url_set(url, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
        return NULL;
    }
    char *text CLEANUP(free_curl_text) = part_of(url, CURLUPART_URL, 0);
    return text == NULL ? NULL : memory_string(text);
}

char *http_head_target_of(const struct http_head *head, const char *url)
{
    struct fault f;
    struct http_head *other = NULL;
    if (!http_head_new(&(struct http_head_params){.method = "GET", .url = url}, &other, &f)) {
        return NULL;
    }
    bool is_same = other->is_tls == head->is_tls && other->port == head->port &&
                   strcasecmp(other->host, head->host) == 0;
    char *target =
        is_same ? slice_to_string(slice_make(other->text.data + other->target_at, other->target_size)) : NULL;
    http_head_free(other);
    return target;
}

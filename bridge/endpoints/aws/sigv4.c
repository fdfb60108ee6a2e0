#include "bridge/endpoints/aws/sigv4.h"

#include <ctype.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

enum {
    STAMP_SIZE = sizeof("20150830T123600Z"),
    DAY_LENGTH = 8,
    PARTS_STEP = 16,
};

/** A header or a parameter of the query, in its canonical form. */
struct part {
    struct slice name;
    struct slice value;
    size_t name_at;  // in `texts`, until they are complete
    size_t value_at;
    size_t number;
};

struct sigv4 {
    char *region;
    char *service;
    EVP_MAC_CTX *mac;      // has the derived key
    char day[DAY_LENGTH];  // that it is for
    char *secret;          // that it was derived from; NULL: there is none yet
    struct bytes canonical;
    struct bytes text;   // what is signed
    struct bytes texts;  // of the parts
    struct bytes names;  // of the signed headers
    struct part *parts;
    size_t part_count;
    size_t part_capacity;
};

struct sigv4 *sigv4_new(const char *region, const char *service)
{
    struct sigv4 *s = memory_zeroed(1, sizeof(*s));
    s->region = memory_string(region);
    s->service = memory_string(service);
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    s->mac = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);
    INVARIANT(s->mac != NULL);
    return s;
}

void sigv4_free(struct sigv4 *s)
{
    if (s == NULL) {
        return;
    }
    EVP_MAC_CTX_free(s->mac);  // cleanses its key
    memory_free_secret(s->secret);
    bytes_wipe(&s->canonical);
    bytes_wipe(&s->text);
    bytes_wipe(&s->texts);
    bytes_clear(&s->names);
    free(s->parts);
    free(s->region);
    free(s->service);
    free(s);
}

static void append_digest(struct bytes *out, struct slice data)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    (void)SHA256(data.data, data.size, digest);
    text_append_hex(out, slice_make(digest, sizeof(digest)));
}

// RFC 3986, 2.3: unreserved characters stay, all other bytes become %XX.
static void append_encoded_byte(struct bytes *out, uint8_t c)
{
    static const char HEX[] = "0123456789ABCDEF";
    bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                    c == '.' || c == '_' || c == '~';
    if (is_plain) {
        bytes_append_byte(out, c);
        return;
    }
    const char encoded[] = {'%', HEX[c >> 4], HEX[c & 15]};
    bytes_append(out, encoded, sizeof(encoded));
}

static void append_encoded(struct bytes *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        append_encoded_byte(out, text.data[i]);
    }
}

static int hex_value(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/** Decodes the text and encodes it in the one form that AWS signs. A '%' without two digits is itself. */
static void append_encoded_again(struct bytes *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        bool is_escape = text.data[i] == '%' && text.size - i > 2 && hex_value(text.data[i + 1]) >= 0 &&
                         hex_value(text.data[i + 2]) >= 0;
        if (is_escape) {
            append_encoded_byte(out,
                                (uint8_t)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2])));
            i += 2;
        } else {
            append_encoded_byte(out, text.data[i]);
        }
    }
}

/** The part before the separator; `rest` is what is behind it, empty when there is none. */
static struct slice cut(struct slice text, char separator, struct slice *rest)
{
    const uint8_t *at = text.size == 0 ? NULL : memchr(text.data, separator, text.size);
    size_t size = at == NULL ? text.size : (size_t)(at - text.data);
    *rest = at == NULL ? (struct slice){text.data + text.size, 0} : slice_make(at + 1, text.size - size - 1);
    return slice_make(text.data, size);
}

/** The path without `.`, `..` and empty segments, each byte of it encoded, also a '%' that is there. */
static void append_path(struct bytes *out, struct slice path)
{
    size_t begin = out->size;
    bool is_folder = path.size > 0 && path.data[path.size - 1] == '/';
    for (struct slice rest = path; rest.size > 0;) {
        struct slice segment = cut(rest, '/', &rest);
        if (slice_equal(segment, slice_of(".."))) {
            while (out->size > begin && out->data[--out->size] != '/') {}
        } else if (segment.size > 0 && !slice_equal(segment, slice_of("."))) {
            bytes_append_byte(out, '/');
            append_encoded(out, segment);
        }
    }
    if (is_folder || out->size == begin) {
        bytes_append_byte(out, '/');
    }
}

static struct part *begin_part(struct sigv4 *s)
{
    if (s->part_count == s->part_capacity) {
        s->part_capacity += PARTS_STEP;
        s->parts = memory_resize(s->parts, s->part_capacity * sizeof(*s->parts));
    }
    struct part *part = &s->parts[s->part_count];
    *part = (struct part){.number = s->part_count++, .name_at = s->texts.size};
    return part;
}

static int compare_slices(struct slice a, struct slice b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_parameters(const void *a, const void *b)
{
    const struct part *first = a;
    const struct part *second = b;
    int order = compare_slices(first->name, second->name);
    return order != 0 ? order : compare_slices(first->value, second->value);
}

/** Values of one name keep their order. */
static int compare_headers(const void *a, const void *b)
{
    const struct part *first = a;
    const struct part *second = b;
    int order = compare_slices(first->name, second->name);
    return order != 0 ? order : (first->number > second->number) - (first->number < second->number);
}

/** Once no part is added any more. */
static void sort_parts(struct sigv4 *s, int (*compare)(const void *, const void *))
{
    for (size_t i = 0; i < s->part_count; i++) {
        struct part *part = &s->parts[i];
        part->name.data = s->texts.data + part->name_at;
        part->value.data = s->texts.data + part->value_at;
    }
    if (s->part_count > 1) {
        qsort(s->parts, s->part_count, sizeof(*s->parts), compare);
    }
}

static void append_query(struct sigv4 *s, struct slice query)
{
    s->part_count = 0;
    bytes_reset(&s->texts);
    for (struct slice rest = query; rest.size > 0;) {
        struct slice value;
        struct slice name = cut(cut(rest, '&', &rest), '=', &value);
        struct part *part = begin_part(s);
        append_encoded_again(&s->texts, name);
        part->name.size = s->texts.size - part->name_at;
        part->value_at = s->texts.size;
        append_encoded_again(&s->texts, value);
        part->value.size = s->texts.size - part->value_at;
    }
    sort_parts(s, compare_parameters);
    for (size_t i = 0; i < s->part_count; i++) {
        if (i > 0) {
            bytes_append_byte(&s->canonical, '&');
        }
        bytes_append_slice(&s->canonical, s->parts[i].name);
        bytes_append_byte(&s->canonical, '=');
        bytes_append_slice(&s->canonical, s->parts[i].value);
    }
}

/** The value without blanks at its ends, and with one space for each run of them. */
static void append_trimmed(struct bytes *out, struct slice value)
{
    size_t begin = out->size;
    bool is_blank = false;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == ' ' || value.data[i] == '\t') {
            is_blank = true;
            continue;
        }
        if (is_blank && out->size > begin) {
            bytes_append_byte(out, ' ');
        }
        is_blank = false;
        bytes_append_byte(out, value.data[i]);
    }
}

static void add_header(struct sigv4 *s, struct slice name, struct slice value)
{
    struct part *part = begin_part(s);
    for (size_t i = 0; i < name.size; i++) {
        bytes_append_byte(&s->texts, (uint8_t)tolower(name.data[i]));
    }
    part->name.size = name.size;
    part->value_at = s->texts.size;
    append_trimmed(&s->texts, value);
    part->value.size = s->texts.size - part->value_at;
}

static void append_headers(struct sigv4 *s, const struct sigv4_keys *keys,
                           const struct sigv4_request *request, const char *stamp)
{
    s->part_count = 0;
    bytes_reset(&s->texts);
    bytes_reset(&s->names);
    for (size_t i = 0; i < request->header_count; i++) {
        add_header(s, request->headers[i].name, request->headers[i].value);
    }
    add_header(s, slice_of("x-amz-date"), slice_of(stamp));
    if (keys->session_token != NULL) {
        add_header(s, slice_of("x-amz-security-token"), slice_of(keys->session_token));
    }
    sort_parts(s, compare_headers);
    for (size_t i = 0; i < s->part_count; i++) {
        const struct part *part = &s->parts[i];
        if (i > 0 && slice_equal(part->name, s->parts[i - 1].name)) {
            s->canonical.data[s->canonical.size - 1] = ',';
        } else {
            bytes_append_string(&s->names, i > 0 ? ";" : "");
            bytes_append_slice(&s->names, part->name);
            bytes_append_slice(&s->canonical, part->name);
            bytes_append_byte(&s->canonical, ':');
        }
        bytes_append_slice(&s->canonical, part->value);
        bytes_append_byte(&s->canonical, '\n');
    }
}

static void append_canonical(struct sigv4 *s, const struct sigv4_keys *keys,
                             const struct sigv4_request *request, const char *stamp)
{
    bytes_reset(&s->canonical);
    bytes_append_string(&s->canonical, request->method);
    bytes_append_byte(&s->canonical, '\n');
    struct slice query;
    append_path(&s->canonical, cut(request->target, '?', &query));
    bytes_append_byte(&s->canonical, '\n');
    append_query(s, query);
    bytes_append_byte(&s->canonical, '\n');
    append_headers(s, keys, request, stamp);
    bytes_append_byte(&s->canonical, '\n');
    bytes_append_slice(&s->canonical, bytes_slice(&s->names));
    bytes_append_byte(&s->canonical, '\n');
    append_digest(&s->canonical, request->body);
}

/** One step of the derivation; `ret` may be the key. */
static void derive(struct slice key, struct slice data, uint8_t ret[SHA256_DIGEST_LENGTH])
{
    unsigned int size = SHA256_DIGEST_LENGTH;
    INVARIANT(HMAC(EVP_sha256(), key.data, (int)key.size, data.data, data.size, ret, &size) != NULL);
}

/** Gives the MAC the key of the stamp's day. */
static void prepare_key(struct sigv4 *s, const char *secret, const char *stamp)
{
    if (s->secret != NULL && memcmp(s->day, stamp, DAY_LENGTH) == 0 && strcmp(s->secret, secret) == 0) {
        return;
    }
    CLEANUP(memory_free_secret_pointer) char *first = memory_format("AWS4%s", secret);
    uint8_t key[SHA256_DIGEST_LENGTH];
    derive(slice_of(first), slice_make(stamp, DAY_LENGTH), key);
    derive(slice_make(key, sizeof(key)), slice_of(s->region), key);
    derive(slice_make(key, sizeof(key)), slice_of(s->service), key);
    derive(slice_make(key, sizeof(key)), slice_of("aws4_request"), key);
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    INVARIANT(EVP_MAC_init(s->mac, key, sizeof(key), params) == 1);
    OPENSSL_cleanse(key, sizeof(key));
    memory_free_secret(s->secret);
    s->secret = memory_string(secret);
    memcpy(s->day, stamp, DAY_LENGTH);
}

static void append_signature(struct sigv4 *s, struct bytes *lines)
{
    uint8_t mac[SHA256_DIGEST_LENGTH];
    size_t size = 0;
    INVARIANT(EVP_MAC_init(s->mac, NULL, 0, NULL) == 1 &&
              EVP_MAC_update(s->mac, s->text.data, s->text.size) == 1 &&
              EVP_MAC_final(s->mac, mac, &size, sizeof(mac)) == 1);
    text_append_hex(lines, slice_make(mac, size));
}

static void write_stamp(int64_t wall_us, char stamp[STAMP_SIZE])
{
    time_t at_s = (time_t)(wall_us / CLOCK_US_PER_S);
    struct tm parts;
    INVARIANT(gmtime_r(&at_s, &parts) != NULL &&
              strftime(stamp, STAMP_SIZE, "%Y%m%dT%H%M%SZ", &parts) == STAMP_SIZE - 1);
}

void sigv4_sign(struct sigv4 *s, const struct sigv4_keys *keys, const struct sigv4_request *request,
                struct bytes *lines)
{
    char stamp[STAMP_SIZE];
    write_stamp(request->wall_us, stamp);
    prepare_key(s, keys->secret_access_key, stamp);
    append_canonical(s, keys, request, stamp);
    bytes_reset(&s->text);
    bytes_format(&s->text, "AWS4-HMAC-SHA256\n%s\n", stamp);
    size_t scope_at = s->text.size;
    bytes_format(&s->text, "%.8s/%s/%s/aws4_request", stamp, s->region, s->service);
    size_t scope_size = s->text.size - scope_at;
    bytes_append_byte(&s->text, '\n');
    append_digest(&s->text, bytes_slice(&s->canonical));
    bytes_format(lines, "%sX-Amz-Date: %s", lines->size > 0 ? "\r\n" : "", stamp);
    if (keys->session_token != NULL) {
        bytes_append_string(lines, "\r\nX-Amz-Security-Token: ");
        bytes_append_string(lines, keys->session_token);
    }
    bytes_append_string(lines, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=");
    bytes_append_string(lines, keys->access_key_id);
    bytes_append_byte(lines, '/');
    bytes_append(lines, s->text.data + scope_at, scope_size);
    bytes_append_string(lines, ", SignedHeaders=");
    bytes_append_slice(lines, bytes_slice(&s->names));
    bytes_append_string(lines, ", Signature=");
    append_signature(s, lines);
}

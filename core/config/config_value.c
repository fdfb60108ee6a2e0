#include "core/config/config_value.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>

#include "core/base/name_regex.h"
#include "core/base/text.h"

struct config_unit {
    const char *name;
    int64_t factor;
};

// From the largest to the smallest.
static const struct config_unit config_durations[] = {
    {"d", INT64_C(86400000000)},
    {"h", INT64_C(3600000000)},
    {"m", 60000000},
    {"s", 1000000},
    {"ms", 1000},
    {NULL, 0},
};
static const struct config_unit config_sizes[] = {
    {"GiB", INT64_C(1) << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {NULL, 0},
};

void config_value_quote(const char *text, struct bytes *out)
{
    size_t length = strlen(text);
    if (length <= YAML_ECHO_MAX) {
        text_append_json(out, slice_make(text, length));
        return;
    }
    size_t cut = YAML_ECHO_MAX;
    while (cut > 0 && ((uint8_t)text[cut] & 0xc0) == 0x80) {
        cut--;  // to the start of a character
    }
    text_append_json(out, slice_make(text, cut));
    bytes_append_string(out, " …");
}

static bool refuse(struct fault *f, const char *text, const char *why)
{
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(text, &quoted);
    return fault_set(f, FAULT_CONFIG, "%s %s", bytes_text(&quoted), why);
}

// The number at the start of the text; -1 when there is none or it needs more than 64 bits.
static int64_t read_digits(const char *text, const char **ret_rest)
{
    *ret_rest = text;
    if (!isdigit((unsigned char)*text)) {
        return -1;
    }
    errno = 0;
    char *rest = NULL;
    long long number = strtoll(text, &rest, 10);
    *ret_rest = rest;
    return errno != 0 ? -1 : (int64_t)number;
}

bool config_value_integer(const char *text, int64_t *ret, struct fault *f)
{
    const char *rest;
    bool is_negative = text[0] == '-';
    int64_t number = read_digits(text + (is_negative ? 1 : 0), &rest);
    if (number < 0 || *rest != '\0') {
        return refuse(f, text, "is not a whole number");
    }
    *ret = is_negative ? -number : number;
    return true;
}

static bool read_units(const char *text, const struct config_unit *units, int64_t *ret)
{
    const char *unit;
    int64_t number = read_digits(text, &unit);
    for (; number >= 0 && units->name != NULL; units++) {
        if (strcmp(unit, units->name) == 0) {
            return !__builtin_mul_overflow(number, units->factor, ret);
        }
    }
    return false;
}

bool config_value_duration(const char *text, int64_t *ret_us, struct fault *f)
{
    int64_t us;
    if (!read_units(text, config_durations, &us)) {
        return refuse(f, text, "is not a duration; write it as 500ms, 30s, 5m, 1h or 7d");
    }
    *ret_us = us;
    return true;
}

bool config_value_size(const char *text, int64_t *ret_bytes, struct fault *f)
{
    int64_t size;
    const char *rest;
    int64_t plain = read_digits(text, &rest);
    if (plain >= 0 && *rest == '\0') {
        *ret_bytes = plain;
        return true;
    }
    if (!read_units(text, config_sizes, &size)) {
        return refuse(f, text, "is not a size; write it as 1000, 100B, 512KiB, 6MiB or 1GiB");
    }
    *ret_bytes = size;
    return true;
}

bool config_value_bool(const char *text, bool *ret, struct fault *f)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *ret = text[0] == 't';
        return true;
    }
    return refuse(f, text, "is neither true nor false");
}

bool config_value_address(const char *text, char **ret_host, int *ret_port, struct fault *f)
{
    const char *colon = strrchr(text, ':');
    const char *rest = "";
    int64_t port = colon == NULL ? -1 : read_digits(colon + 1, &rest);
    if (port < 0 || port > 65535 || *rest != '\0') {
        return refuse(f, text, "is not an address; write it as 127.0.0.1:7070");
    }
    struct slice host = slice_make(text, (size_t)(colon - text));
    if (host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']') {
        host = slice_make(text + 1, host.size - 2);
    } else if (memchr(text, ':', host.size) != NULL) {
        return refuse(f, text, "is not an address; write IPv6 as [::1]:7070");
    }
    if (host.size == 0) {
        return refuse(f, text, "has no host; write 127.0.0.1 before it, or 0.0.0.0 for all interfaces");
    }
    *ret_host = slice_to_string(host);
    *ret_port = (int)port;
    return true;
}

void config_value_words(const struct config_choice *choices, struct bytes *out)
{
    for (size_t i = 0; choices[i].word != NULL; i++) {
        bool is_last = choices[i + 1].word == NULL;
        bytes_format(out, "%s%s", i == 0 ? "" : is_last ? " or " : ", ", choices[i].word);
    }
}

bool config_value_choice(const struct config_choice *choices, const char *text, uint32_t *ret,
                         struct fault *f)
{
    const char *words[32] = {NULL};
    for (size_t i = 0; choices[i].word != NULL; i++) {
        if (strcmp(choices[i].word, text) == 0) {
            *ret = choices[i].value;
            return true;
        }
        INVARIANT(i + 1 < COUNT_OF(words));
        words[i] = choices[i].word;
    }
    CLEANUP(bytes_clear) struct bytes allowed = {0};
    config_value_words(choices, &allowed);
    const char *near = text_nearest(text, words);
    CLEANUP(memory_free_pointer)
    char *why = near == NULL
                    ? memory_format("is not valid; write %s", bytes_text(&allowed))
                    : memory_format("is not one of %s; did you mean \"%s\"?", bytes_text(&allowed), near);
    return refuse(f, text, why);
}

static void write_units(int64_t number, const struct config_unit *units, struct bytes *out)
{
    while (units[1].name != NULL && (number == 0 || number % units->factor != 0)) {
        units++;
    }
    bytes_format(out, "%lld%s", (long long)(number / units->factor), units->name);
}

void config_value_write_duration(int64_t us, struct bytes *out)
{
    write_units(us, config_durations, out);
}

void config_value_write_size(int64_t size, struct bytes *out)
{
    write_units(size, config_sizes, out);
}

bool config_value_check_glob(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    if (!name_regex_is(value)) {
        return true;
    }
    struct fault why;
    CLEANUP(memory_free_pointer) char *posix = name_regex_posix(value, &why);
    return posix != NULL || refuse(f, value, why.text);
}

bool config_value_check_url(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    const char *host = strncmp(value, "http://", 7) == 0    ? value + 7
                       : strncmp(value, "https://", 8) == 0 ? value + 8
                                                            : NULL;
    if (host == NULL || *host == '\0' || strchr("/?#:", *host) != NULL) {
        return fault_set(f, FAULT_CONFIG, "not a URL; write it as http://HOST/PATH or https://HOST/PATH");
    }
    for (const char *c = value; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f) {
            return fault_set(f, FAULT_CONFIG,
                             "not a URL: write blanks and non-ASCII characters as %%20, %%C3%%A4 …");
        }
    }
    size_t authority = strcspn(host, "/?#");
    if (memchr(host, '@', authority) != NULL) {
        return fault_set(f, FAULT_CONFIG, "a URL must not contain a name and password; use auth");
    }
    CURLU *url = curl_url();
    INVARIANT(url != NULL);
    CURLUcode code = curl_url_set(url, CURLUPART_URL, value, 0);
    curl_url_cleanup(url);
    if (code != CURLUE_OK) {
        return fault_from(f, FAULT_CONFIG, "libcurl", (int)code, "not a URL: %s", curl_url_strerror(code));
    }
    return true;
}

static bool is_topic_character(char c)
{
    return isascii((unsigned char)c) && (isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-');
}

enum { CONFIG_TOPIC_MAX = 249 };

bool config_value_check_topic(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    for (const char *c = value; *c != '\0'; c++) {
        if (!is_topic_character(*c)) {
            return refuse(f, value, "is no topic name: only letters, digits, '.', '_' and '-' are");
        }
    }
    if (*value == '\0' || strlen(value) > CONFIG_TOPIC_MAX || strcmp(value, ".") == 0 ||
        strcmp(value, "..") == 0) {
        return refuse(f, value, "is no topic name: it has 1 to 249 characters, and is not . or ..");
    }
    return true;
}

bool config_value_check_topic_glob(const struct config_file *file, const char *value, struct fault *f)
{
    if (name_regex_is(value)) {
        return config_value_check_glob(file, value, f);
    }
    if (strpbrk(value, "*?[") == NULL) {
        return config_value_check_topic(file, value, f);
    }
    for (const char *c = value; *c != '\0'; c++) {
        if (!is_topic_character(*c) && strchr("*?[]!^", *c) == NULL) {
            return refuse(f, value, "matches no topic: names have only letters, digits, '.', '_', '-'");
        }
    }
    return true;
}

bool config_value_is_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length >= 1 && length <= 63 && text[length] == '\0' && text[0] != '-';
}

void config_value_redact_url(const char *url, struct bytes *out)
{
    const char *authority = strstr(url, "://");
    authority = authority == NULL ? url : authority + 3;
    size_t size = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', size);
    bytes_append(out, url, (size_t)(authority - url));
    if (at != NULL) {
        bytes_append_string(out, "***@");
        authority = at + 1;
    }
    const char *query = authority + strcspn(authority, "?#");
    bytes_append(out, authority, (size_t)(query - authority));
    for (const char *c = query; *c != '\0';) {
        size_t name = strcspn(c + 1, "=&#") + 1;
        bytes_append(out, c, name);
        c += name;
        if (*c == '=') {
            bytes_append_string(out, "=***");
            c += strcspn(c, "&#");
        }
    }
}

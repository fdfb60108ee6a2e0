#include "bridge/config/header_rules.h"

#include <string.h>

#include "core/config/config_value.h"

bool header_value_is_printable(const char *value)
{
    for (; *value != '\0'; value++) {
        if (((unsigned char)*value < 0x20 && *value != '\t') || (unsigned char)*value >= 0x7f) {
            return false;
        }
    }
    return true;
}

// Headers that frame the body or describe the event: millrace sets them.
static bool is_own_header(const char *name)
{
    static const char *const own[] = {"content-length", "content-type", "transfer-encoding", "connection",
                                      "expect"};
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        if (strcasecmp(own[i], name) == 0) {
            return true;
        }
    }
    return strncasecmp(name, "ce-", 3) == 0;
}

static enum config_verdict check_header(const char *name, const char *value, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(name, &quoted);
    // RFC 9110, 5.6.2: a token.
    size_t length =
        strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (length == 0 || name[length] != '\0') {
        (void)fault_set(f, FAULT_CONFIG, "%s is not a valid header name", bytes_text(&quoted));
        return CONFIG_BAD_KEY;
    }
    if (is_own_header(name)) {
        (void)fault_set(f, FAULT_CONFIG, "%s can't be set: millrace sets it", bytes_text(&quoted));
        return CONFIG_BAD_KEY;
    }
    if (value != NULL && !header_value_is_printable(value)) {
        (void)fault_set(f, FAULT_CONFIG,
                        "a header value must consist of printable ASCII characters, without line ends");
        return CONFIG_BAD_VALUE;
    }
    return CONFIG_GOOD;
}

static bool is_secret_header(const char *name)
{
    static const char *const secrets[] = {"authorization", "proxy-authorization", "cookie",      "x-api-key",
                                          "api-key",       "x-functions-key",     "x-auth-token"};
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        if (strcasecmp(secrets[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/** Values of all other headers may be keys, because services choose their own header names. */
static bool is_shown_header(const char *name)
{
    static const char *const shown[] = {"accept", "accept-language", "content-type", "user-agent",
                                        "x-request-source"};
    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        if (strcasecmp(shown[i], name) == 0) {
            return true;
        }
    }
    return false;
}

const struct config_rules header_rules = {
    .check_pair = check_header,
    .is_secret = is_secret_header,
    .is_shown = is_shown_header,
};

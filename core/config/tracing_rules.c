#include "core/config/tracing_rules.h"

#include <stdlib.h>

#include "core/config/config_value.h"

enum { SAMPLE_DIGITS_MAX = 12 };

bool tracing_sample_read(const char *text, double *ret, struct fault *f)
{
    size_t digits = strspn(text, "0123456789.");
    bool is_percent = strcmp(text + digits, "%") == 0;
    char *end;
    double value = strtod(text, &end);
    value = is_percent ? value / 100 : value;
    if (digits == 0 || digits > SAMPLE_DIGITS_MAX || end != text + digits ||
        (!is_percent && text[digits] != '\0') || value > 1) {
        return fault_set(f, FAULT_CONFIG, "must be a share such as 1%% or 0.01, from 0 to 1");
    }
    *ret = value;
    return true;
}

static bool check_sample(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    double share;
    return tracing_sample_read(value, &share, f);
}

static bool is_token(const char *name)
{
    // RFC 9110, 5.6.2.
    size_t length =
        strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return length > 0 && name[length] == '\0';
}

static enum config_verdict check_header(const char *name, const char *value, struct fault *f)
{
    static const char *const OWN[] = {"content-type", "content-length", "transfer-encoding", "connection"};
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(name, &quoted);
    if (!is_token(name)) {
        (void)fault_set(f, FAULT_CONFIG, "%s is not a valid header name", bytes_text(&quoted));
        return CONFIG_BAD_KEY;
    }
    for (size_t i = 0; i < COUNT_OF(OWN); i++) {
        if (strcasecmp(OWN[i], name) == 0) {
            (void)fault_set(f, FAULT_CONFIG, "%s can't be set: millrace sets it", bytes_text(&quoted));
            return CONFIG_BAD_KEY;
        }
    }
    for (const char *at = value == NULL ? "" : value; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~') {
            (void)fault_set(f, FAULT_CONFIG, "a header value must consist of printable ASCII characters");
            return CONFIG_BAD_VALUE;
        }
    }
    return CONFIG_GOOD;
}

// Collectors choose the names of the headers that their keys are in: no value is shown.
static bool is_shown_header(const char *name)
{
    (void)name;
    return false;
}

static bool check_url(const struct config_file *file, const char *value, struct fault *f)
{
    static const char PATH[] = "/v1/traces";
    size_t size = strlen(value);
    while (size > 0 && value[size - 1] == '/') {
        size--;
    }
    bool has_path =
        size >= sizeof(PATH) - 1 && memcmp(value + size - sizeof(PATH) + 1, PATH, sizeof(PATH) - 1) == 0;
    if (has_path || strpbrk(value, "?#") != NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "write the collector's address alone, as http://127.0.0.1:4318; /v1/traces is "
                         "appended");
    }
    return config_value_check_url(file, value, f);
}

const struct config_rules tracing_url_rules = {.check = check_url, .redact = config_value_redact_url};
const struct config_rules tracing_header_rules = {.check_pair = check_header, .is_shown = is_shown_header};
const struct config_rules tracing_sample_rules = {.check = check_sample};

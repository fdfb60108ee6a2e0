#include "bridge/endpoints/aws/aws_region.h"

#include <ctype.h>

#include "bridge/endpoints/aws/aws_profiles.h"
#include "core/base/text.h"

/** It becomes part of a host name. */
static bool is_region_name(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (isalnum(name.data[i]) == 0 && name.data[i] != '-') {
            return false;
        }
    }
    return name.size > 0 && name.size <= 63;
}

/** The field of a text whose fields end with the separator; size 0: it has no such field. */
static struct slice field(const char *text, char separator, int number)
{
    for (; number > 0; number--) {
        text = strchr(text, separator);
        if (text == NULL) {
            return (struct slice){NULL, 0};
        }
        text++;
    }
    const char *end = strchr(text, separator);
    return slice_make(text, end == NULL ? strlen(text) : (size_t)(end - text));
}

struct slice aws_region_of_arn(const char *arn)
{
    bool is_whole = strncmp(arn, "arn:", 4) == 0;
    struct slice found = is_whole ? field(arn, ':', 3) : field(arn, ':', 0);
    // REGION:123456789012:function:NAME; an account or a name alone has no '-' followed by a digit.
    bool is_partial = found.size > 2 && isdigit(found.data[found.size - 1]) != 0 &&
                      found.data[found.size - 2] == '-' && strstr(arn, ":function:") != NULL &&
                      isdigit(found.data[0]) == 0;
    return is_whole || is_partial ? found : (struct slice){NULL, 0};
}

struct slice aws_region_of_url(const char *url)
{
    const char *host = strstr(url, "://");
    if (host == NULL) {
        return (struct slice){NULL, 0};
    }
    host += 3;
    struct slice name = slice_make(host, strcspn(host, ":/?"));
    static const char *const ENDS[] = {".on.aws", ".amazonaws.com", ".amazonaws.com.cn", ".api.aws"};
    for (size_t i = 0; i < COUNT_OF(ENDS); i++) {
        struct slice end = slice_of(ENDS[i]);
        if (name.size > end.size && memcmp(name.data + name.size - end.size, end.data, end.size) == 0) {
            name.size -= end.size;
            const uint8_t *dot = memrchr(name.data, '.', name.size);
            return dot == NULL ? (struct slice){NULL, 0}
                               : slice_make(dot + 1, name.size - (size_t)(dot + 1 - name.data));
        }
    }
    return (struct slice){NULL, 0};
}

// Source: botocore/data/partitions.json.
static const char *domain_of(const char *region)
{
    static const struct {
        const char *prefix;
        const char *domain;
    } PARTITIONS[] = {
        {"cn-", "amazonaws.com.cn"},    {"us-iso-", "c2s.ic.gov"},      {"us-isob-", "sc2s.sgov.gov"},
        {"eu-isoe-", "cloud.adc-e.uk"}, {"us-isof-", "csp.hci.ic.gov"}, {"eusc-", "amazonaws.eu"},
    };
    for (size_t i = 0; i < COUNT_OF(PARTITIONS); i++) {
        if (strncmp(region, PARTITIONS[i].prefix, strlen(PARTITIONS[i].prefix)) == 0) {
            return PARTITIONS[i].domain;
        }
    }
    return "amazonaws.com";
}

static char *url_of(const char *service, const char *region)
{
    return memory_format("https://%s.%s.%s", service, region, domain_of(region));
}

/** A value of the profile that counts; NULL: it has none. */
static bool of_profile(const struct aws_config *config, const char *key, char **ret, struct fault *f)
{
    struct aws_profiles profiles CLEANUP(aws_profiles_clear) = {0};
    if (!aws_profiles_load(&profiles, f)) {
        return false;
    }
    const char *name = config->profile == NULL ? aws_profiles_default() : config->profile;
    const char *value = aws_profile_get(aws_profiles_find(&profiles, name), key);
    *ret = value == NULL ? NULL : memory_string(value);
    return true;
}

/** What the message names is where the address stands, which is no key of a function's file. */
static bool check_endpoint(const char *url, const char *place, struct fault *f)
{
    return url == NULL || strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0 ||
           fault_set(f, FAULT_CONFIG, "%s: \"%.200s\" is no URL with http:// or https://", place, url);
}

bool aws_region_endpoint(const struct aws_config *config, const char *service, const char *region, char **ret,
                         struct fault *f)
{
    CLEANUP(memory_free_pointer) char *name = memory_format("AWS_ENDPOINT_URL_%s", service);
    for (char *c = name; *c != '\0'; c++) {
        *c = (char)toupper((unsigned char)*c);
    }
    const char *ignored = aws_variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    const char *url = aws_variable(name);
    url = url == NULL ? aws_variable("AWS_ENDPOINT_URL") : url;
    *ret = NULL;
    if (ignored == NULL || strcasecmp(ignored, "true") != 0) {
        if (url != NULL) {
            *ret = memory_string(url);
        } else if (!of_profile(config, "endpoint_url", ret, f) && config->profile != NULL) {
            return false;  // without a profile the files need not be readable
        }
    }
    const char *place = url == NULL                  ? "endpoint_url of the profile"
                        : aws_variable(name) != NULL ? name
                                                     : "AWS_ENDPOINT_URL";
    if (!check_endpoint(*ret, place, f)) {
        memory_free_pointer(ret);
        *ret = NULL;
        return false;
    }
    *ret = *ret == NULL ? url_of(service, region) : *ret;
    return true;
}

bool aws_region_find(const struct aws_config *config, struct slice named, char **ret, struct fault *f)
{
    const char *variable = aws_variable("AWS_REGION");
    variable = variable == NULL ? aws_variable("AWS_DEFAULT_REGION") : variable;
    CLEANUP(memory_free_pointer) char *found = NULL;
    if (config->region != NULL) {
        found = memory_string(config->region);
    } else if (named.size > 0) {
        found = slice_to_string(named);
    } else if (variable != NULL) {
        found = memory_string(variable);
    } else if (!of_profile(config, "region", &found, f)) {
        return false;
    }
    if (found == NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "no AWS region: set `region` in the function's file, AWS_REGION in the "
                         "environment of millrace, or region in the profile");
    }
    if (!is_region_name(slice_of(found))) {
        return fault_set(f, FAULT_CONFIG, "\"%.64s\" is no AWS region", found);
    }
    *ret = TAKE(found);
    return true;
}

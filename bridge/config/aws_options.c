#include "bridge/config/aws_options.h"

#include <ctype.h>
#include <regex.h>

static bool is_match(const char *pattern, const char *value)
{
    regex_t made;
    int code = regcomp(&made, pattern, REG_EXTENDED | REG_NOSUB);
    INVARIANT(code == 0);
    bool ret = regexec(&made, value, 0, NULL, 0) == 0;
    regfree(&made);
    return ret;
}

/** As all regions are named: us-gov-west-1, eusc-de-east-1. Which ones there are is AWS's to say. */
static bool check_region(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    if (is_match("^[a-z]+(-[a-z]+)+-[0-9]+$", value)) {
        return true;
    }
    if (is_match("^[a-z]+(-[a-z]+)+-[0-9]+[a-z]$", value)) {
        return fault_set(f, FAULT_CONFIG, "this is an availability zone; its region is %.*s",
                         (int)strlen(value) - 1, value);
    }
    return fault_set(f, FAULT_CONFIG, "must be a region's name as AWS writes it, such as eu-central-1");
}

static bool check_service(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    return is_match("^[a-z0-9-]+$", value) ||
           fault_set(f, FAULT_CONFIG, "must be a service's name as in signatures, such as execute-api");
}

static bool check_key(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    for (const char *c = value; *c != '\0'; c++) {
        if (isgraph((unsigned char)*c) == 0) {
            return fault_set(f, FAULT_CONFIG,
                             "must consist of visible ASCII characters, without spaces and line ends");
        }
    }
    return true;
}

const struct config_rules aws_region_rules = {.check = check_region};
const struct config_rules aws_service_rules = {.check = check_service};
const struct config_rules aws_key_rules = {.check = check_key};

// What AWS's tools read, of what bridge/endpoints/aws/ reads.
static const char *const VARIABLES[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_LAMBDA",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
};

void aws_options_finish(const struct config_file *file, const struct aws_config *aws, const char *path)
{
    for (size_t i = 0; file->variables != NULL && i < COUNT_OF(VARIABLES); i++) {
        if (getenv(VARIABLES[i]) != NULL && !text_list_has(file->variables, VARIABLES[i])) {
            text_list_add(file->variables, VARIABLES[i]);
        }
    }
    struct yaml_node *section = config_node(file, path);
    bool has_id = yaml_get(section, "access_key_id") != NULL;
    bool has_secret = yaml_get(section, "secret_access_key") != NULL;
    if (has_id != has_secret) {
        config_complain(file, path, "access_key_id and secret_access_key belong together; %s is missing",
                        has_id ? "secret_access_key" : "access_key_id");
    }
    if (aws->session_token != NULL && !has_id) {
        config_complain(file, path, "session_token: has a meaning only with access_key_id");
    }
    if (aws->profile != NULL && has_id) {
        config_complain(file, path, "profile: access_key_id is set too; keep one of them");
    }
}

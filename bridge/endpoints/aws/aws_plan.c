#include "bridge/endpoints/aws/aws_plan.h"

#include "bridge/endpoints/aws/aws_container.h"
#include "bridge/endpoints/aws/aws_process.h"
#include "bridge/endpoints/aws/aws_profiles.h"

static void clear_role(struct aws_role *role)
{
    free(role->arn);
    free(role->session_name);
    memory_free_secret(role->external_id);
    free(role->token_file);
}

void aws_plan_clear(struct aws_plan *plan)
{
    aws_keys_clear(&plan->keys);
    memory_free_secret(plan->authorization);
    free(plan->url);
    memory_free_secret(plan->command);
    free(plan->place);
    clear_role(&plan->identity);
    for (size_t i = 0; i < plan->role_count; i++) {
        clear_role(&plan->roles[i]);
    }
    *plan = (struct aws_plan){0};
}

static void set_origin(struct aws_plan *plan, enum aws_origin origin, char *place)
{
    plan->origin = origin;
    free(plan->place);
    plan->place = place;
}

/** False: no variable has keys; *f is set when only one of the two is there. */
static bool from_environment(struct aws_plan *plan, struct fault *f)
{
    const char *id = aws_variable("AWS_ACCESS_KEY_ID");
    const char *secret = aws_variable("AWS_SECRET_ACCESS_KEY");
    if (id == NULL) {
        return false;
    }
    if (secret == NULL) {
        return fault_set(f, FAULT_CONFIG, "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not");
    }
    set_origin(plan, AWS_ORIGIN_KEYS, memory_string("the environment"));
    aws_keys_set(&plan->keys, id, secret, aws_variable("AWS_SESSION_TOKEN"), AWS_KEYS_FOR_EVER);
    plan->is_fixed = true;
    return true;
}

/** As from_environment. */
static bool from_web_identity(struct aws_plan *plan, struct fault *f)
{
    const char *file = aws_variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *arn = aws_variable("AWS_ROLE_ARN");
    const char *name = aws_variable("AWS_ROLE_SESSION_NAME");
    if (file == NULL) {
        return false;
    }
    if (arn == NULL) {
        return fault_set(f, FAULT_CONFIG, "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not");
    }
    set_origin(plan, AWS_ORIGIN_WEB_IDENTITY, memory_string("AWS_WEB_IDENTITY_TOKEN_FILE"));
    plan->identity = (struct aws_role){
        .arn = memory_string(arn),
        .session_name = memory_string(name == NULL ? "millrace" : name),
        .token_file = memory_string(file),
    };
    return true;
}

/** As from_environment. */
static bool from_container(struct aws_plan *plan, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *url = NULL;
    CLEANUP(memory_free_secret_pointer) char *authorization = NULL;
    if (!aws_container_find(&url, &authorization, f)) {
        return false;
    }
    set_origin(plan, AWS_ORIGIN_CONTAINER, memory_string("the container's credentials endpoint"));
    plan->url = TAKE(url);
    plan->authorization = TAKE(authorization);
    return true;
}

/** As from_environment. */
static bool from_instance(struct aws_plan *plan)
{
    const char *disabled = aws_variable("AWS_EC2_METADATA_DISABLED");
    const char *url = aws_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = aws_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    if (disabled != NULL && strcasecmp(disabled, "true") == 0) {
        return false;
    }
    if (url == NULL) {
        bool is_ipv6 = mode != NULL && strcasecmp(mode, "ipv6") == 0;
        url = is_ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    }
    set_origin(plan, AWS_ORIGIN_INSTANCE, memory_string("the instance's metadata service"));
    size_t size = strlen(url);
    plan->url = slice_to_string(slice_make(url, size > 0 && url[size - 1] == '/' ? size - 1 : size));
    return true;
}

/** The keys that a profile itself has. As from_environment. */
static bool from_own(struct aws_plan *plan, const struct aws_profile *profile, struct fault *f)
{
    const char *id = aws_profile_get(profile, "aws_access_key_id");
    const char *secret = aws_profile_get(profile, "aws_secret_access_key");
    const char *command = aws_profile_get(profile, "credential_process");
    static const char *const OTHERS[] = {"sso_session", "sso_start_url", "login_session"};
    if (id != NULL && secret != NULL) {
        set_origin(plan, AWS_ORIGIN_KEYS, memory_format("profile %s", profile->name));
        aws_keys_set(&plan->keys, id, secret, aws_profile_get(profile, "aws_session_token"),
                     AWS_KEYS_FOR_EVER);
        return true;
    }
    if (id != NULL || secret != NULL) {
        return fault_set(f, FAULT_CONFIG, "profile %s has %s and no %s", profile->name,
                         id != NULL ? "aws_access_key_id" : "aws_secret_access_key",
                         id != NULL ? "aws_secret_access_key" : "aws_access_key_id");
    }
    if (command != NULL) {
        CLEANUP(text_list_clear) struct text_list words = {0};
        if (!aws_process_split(command, &words, f)) {
            return fault_context(f, "profile %s", profile->name);
        }
        set_origin(plan, AWS_ORIGIN_PROCESS, memory_format("profile %s", profile->name));
        plan->command = memory_string(command);
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        if (aws_profile_get(profile, OTHERS[i]) != NULL) {
            return fault_set(
                f, FAULT_CONFIG,
                "profile %s has %s, a login of a person, which millrace does not renew: use keys, "
                "role_arn, or credential_process = aws configure export-credentials --profile %s",
                profile->name, OTHERS[i], profile->name);
        }
    }
    return false;
}

/** The keys that a role is assumed with, by `source_profile`: no others will do. */
static bool from_source_profile(struct aws_plan *plan, const struct aws_profile *profile, struct fault *f)
{
    *f = (struct fault){0};
    bool is_made = from_own(plan, profile, f);
    if (!is_made && f->kind == FAULT_NONE) {
        return fault_set(f, FAULT_CONFIG,
                         "profile %s is a source_profile and has no credentials: aws_access_key_id, role_arn "
                         "or credential_process",
                         profile->name);
    }
    return is_made;
}

static bool make_role(const struct aws_profile *profile, struct aws_role *ret, struct fault *f)
{
    const char *name = aws_profile_get(profile, "role_session_name");
    const char *external = aws_profile_get(profile, "external_id");
    const char *file = aws_profile_get(profile, "web_identity_token_file");
    const char *duration = aws_profile_get(profile, "duration_seconds");
    if (aws_profile_get(profile, "mfa_serial") != NULL) {
        return fault_set(f, FAULT_CONFIG, "profile %s has mfa_serial, which needs a person", profile->name);
    }
    char *end = NULL;
    int64_t duration_s = duration == NULL ? 0 : strtoll(duration, &end, 10);
    if (duration != NULL && (*end != '\0' || duration_s < 900 || duration_s > 43200)) {
        return fault_set(f, FAULT_CONFIG, "profile %s: duration_seconds must be 900 to 43200", profile->name);
    }
    *ret = (struct aws_role){
        .arn = memory_string(aws_profile_get(profile, "role_arn")),
        .session_name = memory_string(name == NULL ? "millrace" : name),
        .external_id = external == NULL ? NULL : memory_string(external),
        .token_file = file == NULL ? NULL : memory_string(file),
        .duration_s = duration_s,
    };
    return true;
}

/** The keys that a role is assumed with, by `credential_source`. */
static bool from_source(struct aws_plan *plan, const char *profile, const char *source, struct fault *f)
{
    *f = (struct fault){0};
    bool is_made = strcmp(source, "Environment") == 0           ? from_environment(plan, f)
                   : strcmp(source, "EcsContainer") == 0        ? from_container(plan, f)
                   : strcmp(source, "Ec2InstanceMetadata") == 0 ? from_instance(plan)
                                                                : false;
    plan->is_fixed = false;
    if (!is_made && f->kind == FAULT_NONE) {
        return fault_set(f, FAULT_CONFIG,
                         "profile %s: credential_source = %.40s gives no credentials (Environment, "
                         "EcsContainer, Ec2InstanceMetadata)",
                         profile, source);
    }
    return is_made;
}

/**
 * What gives the keys to start from, and the roles to assume with them, from the profile back to its source.
 */
static bool from_profile(struct aws_plan *plan, const struct aws_profiles *profiles, const char *name,
                         struct fault *f)
{
    const char *seen[AWS_PLAN_ROLES_MAX + 1];
    for (size_t depth = 0; depth <= AWS_PLAN_ROLES_MAX; depth++) {
        const struct aws_profile *profile = aws_profiles_find(profiles, name);
        if (profile == NULL) {
            return fault_set(f, FAULT_CONFIG,
                             "there is no profile %.64s in the files of AWS_CONFIG_FILE and "
                             "AWS_SHARED_CREDENTIALS_FILE (~/.aws/config, ~/.aws/credentials)",
                             name);
        }
        bool is_own_source = depth > 0 && strcmp(seen[depth - 1], profile->name) == 0;
        // Keys of a source count, and not the role that it has for those who use it by itself.
        bool has_keys = depth > 0 && aws_profile_get(profile, "aws_access_key_id") != NULL;
        if (aws_profile_get(profile, "role_arn") == NULL || is_own_source || has_keys) {
            return depth == 0 ? from_own(plan, profile, f) : from_source_profile(plan, profile, f);
        }
        for (size_t i = 0; i < depth; i++) {
            if (strcmp(seen[i], profile->name) == 0) {
                return fault_set(f, FAULT_CONFIG, "profile %s is its own source_profile, by way of others",
                                 profile->name);
            }
        }
        seen[depth] = profile->name;
        struct aws_role role = {0};
        if (!make_role(profile, &role, f)) {
            return false;
        }
        if (role.token_file != NULL) {
            set_origin(plan, AWS_ORIGIN_WEB_IDENTITY, memory_format("profile %s", profile->name));
            plan->identity = role;
            return true;
        }
        if (plan->role_count == AWS_PLAN_ROLES_MAX) {
            clear_role(&role);
            break;
        }
        memmove(plan->roles + 1, plan->roles, plan->role_count * sizeof(role));
        plan->roles[0] = role;
        plan->role_count++;
        const char *source = aws_profile_get(profile, "credential_source");
        name = aws_profile_get(profile, "source_profile");
        if ((source == NULL) == (name == NULL)) {
            return fault_set(f, FAULT_CONFIG,
                             "profile %s has role_arn: it needs either source_profile or credential_source",
                             profile->name);
        }
        if (source != NULL) {
            return from_source(plan, profile->name, source, f);
        }
    }
    return fault_set(f, FAULT_CONFIG, "more than %d profiles, each the source_profile of the next",
                     AWS_PLAN_ROLES_MAX);
}

/** Of the profile that the file or AWS_PROFILE names, or of `default` if there is one with credentials. */
static bool from_profiles(struct aws_plan *plan, const struct aws_config *config, struct fault *f)
{
    struct aws_profiles profiles CLEANUP(aws_profiles_clear) = {0};
    if (!aws_profiles_load(&profiles, f)) {
        return false;
    }
    bool is_named = config->profile != NULL || aws_variable("AWS_PROFILE") != NULL ||
                    aws_variable("AWS_DEFAULT_PROFILE") != NULL;
    const char *name = config->profile != NULL ? config->profile : aws_profiles_default();
    if (!is_named && aws_profiles_find(&profiles, name) == NULL) {
        return false;
    }
    bool is_made = from_profile(plan, &profiles, name, f);
    if (!is_made && f->kind == FAULT_NONE && config->profile != NULL) {
        return fault_set(
            f, FAULT_CONFIG,
            "profile %.64s has no credentials: aws_access_key_id, role_arn or credential_process", name);
    }
    return is_made;
}

static bool find(struct aws_plan *plan, const struct aws_config *config, struct fault *f)
{
    if (config->profile != NULL) {
        return from_profiles(plan, config, f);
    }
    return from_environment(plan, f) || (f->kind == FAULT_NONE && from_web_identity(plan, f)) ||
           (f->kind == FAULT_NONE && from_profiles(plan, config, f)) ||
           (f->kind == FAULT_NONE && from_container(plan, f)) ||
           (f->kind == FAULT_NONE && from_instance(plan));
}

bool aws_plan_make(const struct aws_config *config, struct aws_plan *ret, struct fault *f)
{
    struct aws_plan plan CLEANUP(aws_plan_clear) = {0};
    *f = (struct fault){0};
    if (config->access_key_id != NULL) {
        set_origin(&plan, AWS_ORIGIN_KEYS, memory_string("the function's file"));
        aws_keys_set(&plan.keys, config->access_key_id, config->secret_access_key, config->session_token,
                     AWS_KEYS_FOR_EVER);
        plan.is_fixed = true;
    } else if (!find(&plan, config, f)) {
        return f->kind != FAULT_NONE
                   ? false
                   : fault_set(f, FAULT_CONFIG,
                               "no AWS credentials: none in the function's file, AWS_ACCESS_KEY_ID, "
                               "AWS_WEB_IDENTITY_TOKEN_FILE, a profile or the container's endpoint, and the "
                               "instance's metadata service is disabled");
    }
    *ret = plan;
    plan = (struct aws_plan){0};
    return true;
}

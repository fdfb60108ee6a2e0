#include "bridge/config/process_rules.h"

#include <unistd.h>

#include "bridge/config/process_user.h"
#include "core/config/config_value.h"

enum { MILLIS = 1000, DECIMALS = 3 };

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

bool process_cpu_parse(const char *text, int64_t *ret_millis, struct fault *f)
{
    size_t whole = strspn(text, DIGITS);
    const char *decimals = text[whole] == '.' ? text + whole + 1 : text + whole;
    size_t size = strspn(decimals, DIGITS);
    bool is_number = whole > 0 && whole <= 4 && size <= DECIMALS && decimals[size] == '\0' &&
                     (size > 0 || text[whole] == '\0');
    int64_t millis = 0;
    for (size_t i = 0; is_number && i < whole; i++) {
        millis = millis * 10 + (text[i] - '0');
    }
    for (size_t i = 0; is_number && i < DECIMALS; i++) {
        millis = millis * 10 + (i < size ? decimals[i] - '0' : 0);
    }
    if (!is_number || millis < PROCESS_CPU_MILLIS_MIN || millis > (int64_t)PROCESS_CPU_CORES_MAX * MILLIS) {
        return fault_set(f, FAULT_CONFIG, "must be cores from 0.01 to 1024, such as 0.5 or 2");
    }
    *ret_millis = millis;
    return true;
}

static bool check_cpu(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    int64_t millis;
    return process_cpu_parse(value, &millis, f);
}

/** The same rules as cli/confine.c has, which comes too late to say them with their place. */
static bool check_user(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(value, &quoted);
    struct process_user user CLEANUP(process_user_clear) = {0};
    if (!process_user_find(value, &user)) {
        return fault_set(f, FAULT_CONFIG, "there is no user %s on this machine", bytes_text(&quoted));
    }
    if (user.uid == 0) {
        return fault_set(f, FAULT_CONFIG, "a function can't run as root; name another user");
    }
    return geteuid() == 0 || geteuid() == user.uid ||
           fault_set(f, FAULT_CONFIG,
                     "only root may start a function as user %s; leave `user` out, or run millrace as that "
                     "user or as root",
                     bytes_text(&quoted));
}

/** Variables that millrace sets for the function's runtime. */
static bool is_own(const char *name)
{
    static const char *const OWN[] = {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    };
    for (size_t i = 0; i < COUNT_OF(OWN); i++) {
        if (strcmp(OWN[i], name) == 0) {
            return true;
        }
    }
    return strncmp(name, "_LAMBDA_", strlen("_LAMBDA_")) == 0;
}

/** The option that sets a variable of millrace's own; NULL: none does. */
static const char *option_of(const char *name)
{
    static const char *const OPTIONS[][2] = {{"_HANDLER", "handler"},
                                             {"LAMBDA_TASK_ROOT", "directory"},
                                             {"LAMBDA_RUNTIME_DIR", "directory"},
                                             {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "memory"},
                                             {"AWS_LAMBDA_MAX_CONCURRENCY", "concurrency_per_instance"}};
    for (size_t i = 0; i < COUNT_OF(OPTIONS); i++) {
        if (strcmp(OPTIONS[i][0], name) == 0) {
            return OPTIONS[i][1];
        }
    }
    return NULL;
}

static enum config_verdict check_variable(const char *name, const char *value, struct fault *f)
{
    (void)value;
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(name, &quoted);
    if (*name == '\0' || name[strspn(name, LETTERS DIGITS)] != '\0' || strchr(DIGITS, *name) != NULL) {
        (void)fault_set(f, FAULT_CONFIG,
                        "env: %s is not a name of a variable: letters, digits and _, no digit first",
                        bytes_text(&quoted));
        return CONFIG_BAD_KEY;
    }
    if (is_own(name)) {
        const char *option = option_of(name);
        (void)fault_set(f, FAULT_CONFIG, "env: %s can't be set: millrace sets it%s%s", bytes_text(&quoted),
                        option == NULL ? "" : "; write the option ", option == NULL ? "" : option);
        return CONFIG_BAD_KEY;
    }
    return CONFIG_GOOD;
}

/** Names whose values may be secrets, or have one in them, are not shown. */
static bool is_shown(const char *name)
{
    static const char *const WORDS[] = {"PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "AUTH",
                                        "URL",  "URI",    "DSN",   "PWD", "CONNECTION", "COOKIE"};
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (strcasestr(name, WORDS[i]) != NULL) {
            return false;
        }
    }
    return true;
}

const struct config_rules process_user_rules = {.check = check_user};
const struct config_rules process_cpu_rules = {.check = check_cpu};
const struct config_rules process_env_rules = {.check_pair = check_variable, .is_shown = is_shown};

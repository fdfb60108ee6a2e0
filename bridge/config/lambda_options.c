#include "bridge/config/lambda_options.h"

#include <regex.h>

#include "bridge/config/aws_options.h"
#include "bridge/config/transport_options.h"
#include "core/config/config_value.h"

enum { FUNCTION_LENGTH_MAX = 256 };

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// Source: Lambda's API, Invoke: the pattern of FunctionName.
#define ACCOUNT "[0-9]{12}"
#define REGION "([a-z]+(-[a-z]+)+-[0-9]+)"
#define PATTERN                                                                                              \
    "^(arn:aws[a-zA-Z-]*:lambda:" REGION ":" ACCOUNT ":function:|(" REGION ":)?(" ACCOUNT ":)?function:)?"   \
    "[a-zA-Z0-9_.-]+(:([$]LATEST([.]PUBLISHED)?|[a-zA-Z0-9_-]+))?$"
enum { REGION_OF_ARN = 2, REGION_OF_PARTIAL = 5, GROUPS = 6 };

/** @param ret_region  the region that an ARN or a partial one names; size 0: none */
static bool read_function(const char *value, struct slice *ret_region)
{
    regex_t pattern;
    regmatch_t groups[GROUPS];
    int code = regcomp(&pattern, PATTERN, REG_EXTENDED);
    INVARIANT(code == 0);
    bool is_good = strlen(value) <= FUNCTION_LENGTH_MAX && regexec(&pattern, value, GROUPS, groups, 0) == 0;
    regfree(&pattern);
    *ret_region = (struct slice){NULL, 0};
    for (int i = REGION_OF_ARN; is_good && i <= REGION_OF_PARTIAL; i += REGION_OF_PARTIAL - REGION_OF_ARN) {
        if (groups[i].rm_so >= 0) {
            *ret_region = slice_make(value + groups[i].rm_so, (size_t)(groups[i].rm_eo - groups[i].rm_so));
        }
    }
    return is_good;
}

static bool check_function(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    struct slice region;
    return read_function(value, &region) ||
           fault_set(
               f, FAULT_CONFIG,
               "must be a function's name, name:alias, an ARN (arn:aws:lambda:REGION:ACCOUNT:function:NAME) "
               "or a partial one (ACCOUNT:function:NAME); an account has 12 digits");
}

static bool check_qualifier(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    size_t size = strspn(value, NAME_CHARACTERS ".$");
    return (size > 0 && value[size] == '\0') ||
           fault_set(f, FAULT_CONFIG, "must be a version or an alias, such as 7, live or $LATEST");
}

static const struct config_rules function_rules = {.check = check_function};
static const struct config_rules qualifier_rules = {.check = check_qualifier};
static const struct config_rules url_rules = {.check = config_value_check_url,
                                              .redact = config_value_redact_url};

static const struct config_choice invocations[] = {
    {"request_response", LAMBDA_REQUEST_RESPONSE}, {"event", LAMBDA_EVENT}, {NULL, 0}};

#define AT(member) .offset = offsetof(struct function_config, lambda.member)

static const struct config_option credentials_options[] = {
    AWS_KEYS_OPTIONS(offsetof(struct function_config, lambda.aws)), {.key = NULL}};
static const struct config_option tls_options[] = {
    TRANSPORT_CA_OPTION(offsetof(struct function_config, lambda.ca)), {.key = NULL}};

const struct config_option lambda_options[] = {
    {.key = "function",
     .type = CONFIG_TEXT,
     .is_required = true,
     AT(function),
     .rules = &function_rules,
     .doc = "A name, name:alias, an ARN or a partial one."},
    {.key = "qualifier",
     .type = CONFIG_TEXT,
     AT(qualifier),
     .rules = &qualifier_rules,
     .doc = "The version or alias to call; without it what `function` says, else $LATEST."},
    {.key = "region",
     .type = CONFIG_TEXT,
     AT(aws.region),
     .rules = &aws_region_rules,
     .otherwise = "that of the ARN, AWS_REGION or the profile",
     .doc = "The function's region."},
    {.key = "invocation",
     .type = CONFIG_CHOICE,
     .choices = invocations,
     .initial = "request_response",
     AT(invocation),
     .doc =
         "request_response waits for the function's result; event is done when Lambda has queued the call: "
         "what fails later is Lambda's ([lambda.md](lambda.md#asynchronous-calls))."},
    {.key = "url",
     .type = CONFIG_TEXT,
     AT(url),
     .rules = &url_rules,
     .otherwise = "the region's",
     .doc = "Where the Lambda API is: a VPC endpoint, or an emulator."},
    {.key = "log_tail",
     .type = CONFIG_BOOL,
     .initial = "true",
     AT(wants_log_tail),
     .doc = "The end of the function's log is added to the error of a call that failed (request_response)."},
    {.key = "tls", .type = CONFIG_SECTION, .section = tls_options, .doc = "What is trusted over TLS."},
    {.key = "credentials",
     .type = CONFIG_SECTION,
     .section = credentials_options,
     .doc = "Whose credentials sign the calls; without it, where AWS's tools find them "
            "([lambda.md](lambda.md#credentials))."},
    {.key = NULL},
};

/** `name:alias` and `…:function:name:alias` have a qualifier. */
static bool has_qualifier(const char *function)
{
    const char *name = strstr(function, "function:");
    return strchr(name == NULL ? function : name + strlen("function:"), ':') != NULL;
}

/** Lambda refuses an ARN of another region than the one that is called. */
static void check_region(const struct config_file *file, const struct lambda_config *lambda)
{
    struct slice region;
    if (lambda->function != NULL && lambda->aws.region != NULL && read_function(lambda->function, &region) &&
        region.size > 0 && !slice_equal(region, slice_of(lambda->aws.region))) {
        config_complain(file, "endpoint.lambda.region",
                        "region: the ARN in function is of %.*s; leave region out", (int)region.size,
                        (const char *)region.data);
    }
}

void lambda_options_finish(const struct config_file *file, struct function_config *c)
{
    const struct lambda_config *lambda = &c->lambda;
    if (c->payload == FUNCTION_PAYLOAD_CLOUDEVENTS && config_is_sound(file, "payload")) {
        config_complain(file, "payload",
                        "payload: cloudevents puts attributes into headers, which Lambda does not give to "
                        "functions; choose lambda-kafka, dynamodb-stream, cloudevents-structured, or another "
                        "one that is all in the body");
    }
    if (lambda->qualifier != NULL && lambda->function != NULL && has_qualifier(lambda->function)) {
        config_complain(file, "endpoint.lambda.qualifier",
                        "qualifier: function names a version or alias too; keep one of them");
    }
    check_region(file, lambda);
    transport_options_check_authorities(file, "endpoint.lambda.tls.ca", lambda->ca.text);
    if (lambda->invocation == LAMBDA_EVENT) {
        c->endpoint = FUNCTION_ENDPOINT_LAMBDA_EVENT;
    }
    if (lambda->invocation == LAMBDA_EVENT && c->delivery.batch.partial_failures) {
        config_complain(file, "delivery.batch.partial_failures",
                        "partial_failures: a call with invocation: event has no result");
    }
    aws_options_finish(file, &lambda->aws, "endpoint.lambda.credentials");
}

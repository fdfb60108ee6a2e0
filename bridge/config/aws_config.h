// Whose credentials sign requests to AWS, and for which region: a part of a function's file.
#ifndef BRIDGE_CONFIG_AWS_CONFIG_H
#define BRIDGE_CONFIG_AWS_CONFIG_H

#include "core/config/config.h"

/** Owned strings; NULL: the file does not say it, and AWS's environment variables and files count. */
struct aws_config {
    char *region;
    char *profile;
    char *access_key_id;
    char *secret_access_key;
    char *session_token;
};

enum lambda_invocation { LAMBDA_REQUEST_RESPONSE, LAMBDA_EVENT };

/** The section `lambda` of an endpoint. */
struct lambda_config {
    char *
        function;  // a name, an ARN or a partial one, perhaps with a version or alias; NULL: no such endpoint
    char *qualifier;  // a version or alias; NULL: none
    enum lambda_invocation invocation;
    char *url;              // of the service; NULL: the region's
    bool wants_log_tail;    // of calls that fail
    struct config_text ca;  // path NULL: the system's authorities are trusted
    struct aws_config aws;
};

/** Overwrite what is secret. */
void aws_config_clear(struct aws_config *c);
void lambda_config_clear(struct lambda_config *c);

#endif

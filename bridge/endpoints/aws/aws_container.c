#include "bridge/endpoints/aws/aws_container.h"

#include <arpa/inet.h>
#include <string.h>

#include "bridge/endpoints/aws/aws_profiles.h"
#include "core/base/bytes.h"
#include "core/config/config_file.h"

enum { TOKEN_MAX = 64 * 1024 };

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return (ntohl(v4.s_addr) >> 24) == 127;
    }
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/** Plain HTTP goes to this machine and to the addresses of ECS and EKS only. */
static bool is_allowed(const char *url)
{
    static const char HTTPS[] = "https://";
    static const char HTTP[] = "http://";
    static const char *const HOSTS[] = {"localhost", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
    if (strncasecmp(url, HTTPS, sizeof(HTTPS) - 1) == 0) {
        return true;
    }
    if (strncasecmp(url, HTTP, sizeof(HTTP) - 1) != 0) {
        return false;
    }
    const char *at = url + sizeof(HTTP) - 1;
    bool is_literal = at[0] == '[';
    CLEANUP(memory_free_pointer)
    char *host = slice_to_string(is_literal ? slice_make(at + 1, strcspn(at + 1, "]"))
                                            : slice_make(at, strcspn(at, ":/?#@")));
    if (strcspn(at, "@") < strcspn(at, "/?#")) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(HOSTS); i++) {
        if (strcasecmp(HOSTS[i], host) == 0) {
            return true;
        }
    }
    return is_loopback(host);
}

static bool read_authorization(char **ret, struct fault *f)
{
    const char *path = aws_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = aws_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    CLEANUP(bytes_wipe) struct bytes text = {0};
    if (path != NULL) {
        if (!config_file_load(path, TOKEN_MAX, &text, NULL, f)) {
            return fault_context(f, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        }
        token = bytes_text(&text);
    }
    if (token == NULL) {
        return true;
    }
    size_t size = strcspn(token, "\r\n");
    if (token[size + strspn(token + size, "\r\n")] != '\0') {
        return fault_set(f, FAULT_CONFIG, "the container's authorization token has line ends in it");
    }
    *ret = slice_to_string(slice_make(token, size));
    return true;
}

bool aws_container_find(char **ret_url, char **ret_authorization, struct fault *f)
{
    const char *relative = aws_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = aws_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (relative == NULL && full == NULL) {
        return false;
    }
    if (relative == NULL && !is_allowed(full)) {
        return fault_set(f, FAULT_CONFIG,
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to a loopback address, "
                         "169.254.170.2, 169.254.170.23 or [fd00:ec2::23]");
    }
    if (relative != NULL && relative[0] != '/') {
        return fault_set(f, FAULT_CONFIG, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with /");
    }
    if (!read_authorization(ret_authorization, f)) {
        return false;
    }
    *ret_url = relative != NULL ? memory_format("http://169.254.170.2%s", relative) : memory_string(full);
    return true;
}

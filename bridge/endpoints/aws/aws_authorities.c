#include "bridge/endpoints/aws/aws_authorities.h"

#include "bridge/endpoints/aws/aws_profiles.h"
#include "core/config/config_file.h"
#include "core/http/http_tls.h"

enum { FILE_SIZE_MAX = 1 << 20 };

bool aws_authorities_load(struct bytes *ret, struct fault *f)
{
    const char *path = aws_variable("AWS_CA_BUNDLE");
    if (path == NULL) {
        return true;
    }
    if (!config_file_load(path, FILE_SIZE_MAX, ret, NULL, f)) {
        return fault_context(f, "AWS_CA_BUNDLE");
    }
    struct http_tls *made = NULL;
    const struct http_tls_params params = {.ca = bytes_text(ret)};
    bool is_good = http_tls_new(&params, HTTP_VERSION_1_1, &made, f);
    http_tls_free(made);
    return is_good || fault_context(f, "AWS_CA_BUNDLE, %.200s", path);
}

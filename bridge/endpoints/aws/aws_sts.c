#include "bridge/endpoints/aws/aws_sts.h"

#include "core/config/config_file.h"

enum { FILE_MAX = 1 << 20 };

static void append_parameter(struct bytes *out, const char *name, struct slice value)
{
    static const char HEX[] = "0123456789ABCDEF";
    bytes_format(out, "%s%s=", out->size == 0 ? "" : "&", name);
    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = value.data[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                        c == '-' || c == '.' || c == '_' || c == '~';
        if (is_plain) {
            bytes_append_byte(out, c);
        } else {
            const char encoded[] = {'%', HEX[c >> 4], HEX[c & 15]};
            bytes_append(out, encoded, sizeof(encoded));
        }
    }
}

static bool append_web_identity(const struct aws_role *role, struct bytes *form, struct fault *f)
{
    CLEANUP(bytes_wipe) struct bytes token = {0};
    if (!config_file_load(role->token_file, FILE_MAX, &token, NULL, f)) {
        return fault_context(f, "the web identity's token");
    }
    while (token.size > 0 && token.data[token.size - 1] <= ' ') {
        token.size--;
    }
    append_parameter(form, "WebIdentityToken", bytes_slice(&token));
    return true;
}

bool aws_sts_write(const struct aws_role *role, struct bytes *form, struct fault *f)
{
    append_parameter(form, "Action",
                     slice_of(role->token_file == NULL ? "AssumeRole" : "AssumeRoleWithWebIdentity"));
    append_parameter(form, "Version", slice_of("2011-06-15"));
    append_parameter(form, "RoleArn", slice_of(role->arn));
    append_parameter(form, "RoleSessionName", slice_of(role->session_name));
    if (role->duration_s > 0) {
        CLEANUP(memory_free_pointer) char *text = memory_format("%lld", (long long)role->duration_s);
        append_parameter(form, "DurationSeconds", slice_of(text));
    }
    if (role->external_id != NULL) {
        append_parameter(form, "ExternalId", slice_of(role->external_id));
    }
    return role->token_file == NULL || append_web_identity(role, form, f);
}

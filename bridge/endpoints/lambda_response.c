#include "bridge/endpoints/lambda_response.h"

#include <jansson.h>

#include <openssl/evp.h>

#include "core/base/memory.h"
#include "core/http/http_field_list.h"

enum { LOG_RESULT_MAX = 8 * 1024, LOG_SHOWN_MAX = 240 };

bool lambda_response_is_failure(const struct http_response *r)
{
    return http_field_list_find(r->fields, r->field_count, "x-amz-function-error").data != NULL;
}

/** The first of these members that is a text; NULL: none is. */
static const char *text_of(const json_t *object, const char *const *names)
{
    const char *found = NULL;
    for (; *names != NULL && found == NULL; names++) {
        found = json_string_value(json_object_get(object, *names));
    }
    return found;
}

static void append_error(const struct http_response *r, const json_t *object, struct bytes *out)
{
    static const char *const TYPES[] = {"errorType", "__type", NULL};
    static const char *const MESSAGES[] = {"errorMessage", "message", "Message", NULL};
    const char *in_body = text_of(object, TYPES);
    struct slice type = in_body != NULL ? slice_of(in_body)
                                        : http_field_list_find(r->fields, r->field_count, "x-amzn-errortype");
    const char *message = text_of(object, MESSAGES);
    // `ResourceNotFoundException:http://internal.amazon.com/…` and `com.amazonaws.lambda#Name`.
    const uint8_t *colon = in_body != NULL || type.size == 0 ? NULL : memchr(type.data, ':', type.size);
    type.size = colon == NULL ? type.size : (size_t)(colon - type.data);
    bytes_append_slice(out, type);
    if (message != NULL) {
        bytes_append_string(out, type.size > 0 ? ": " : "");
        bytes_append_string(out, message);
    }
}

/** The last lines of the log, from the beginning of a line. */
static void append_log(const struct http_response *r, struct bytes *out)
{
    struct slice encoded = http_field_list_find(r->fields, r->field_count, "x-amz-log-result");
    uint8_t text[LOG_RESULT_MAX];
    if (encoded.size == 0 || encoded.size > sizeof(text) || encoded.size % 4 != 0) {
        return;
    }
    int decoded = EVP_DecodeBlock(text, encoded.data, (int)encoded.size);
    size_t size = decoded < 0 ? 0 : (size_t)decoded;
    while (size > 0 && text[size - 1] <= ' ') {  // padding decodes to zeros
        size--;
    }
    size_t at = size > LOG_SHOWN_MAX ? size - LOG_SHOWN_MAX : 0;
    const uint8_t *line = at == 0 ? NULL : memchr(text + at, '\n', size - at);
    at = line == NULL ? at : (size_t)(line + 1 - text);
    if (size > at) {
        bytes_append_string(out, out->size > 0 ? "; log: " : "log: ");
        bytes_append(out, text + at, size - at);
    }
}

void lambda_response_describe(const struct http_response *r, struct bytes *out)
{
    json_t *object = r->body.size == 0 ? NULL : json_loadb((const char *)r->body.data, r->body.size, 0, NULL);
    append_error(r, object, out);
    json_decref(object);
    append_log(r, out);
}

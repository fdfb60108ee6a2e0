#include "bridge/endpoints/process/error_document.h"

#include <jansson.h>

enum { RAW_MAX_BYTES = 240 };

void error_document_describe(const char *type, struct slice document, struct bytes *out)
{
    json_t *object =
        document.size == 0 ? NULL : json_loadb((const char *)document.data, document.size, 0, NULL);
    const char *named = json_string_value(json_object_get(object, "errorType"));
    const char *message = json_string_value(json_object_get(object, "errorMessage"));
    named = named != NULL ? named : type;
    if (named != NULL) {
        bytes_append_string(out, named);
    }
    if (message == NULL && !json_is_object(object) && document.size > 0) {
        bytes_append_string(out, named != NULL ? ": " : "");
        bytes_append(out, document.data, document.size < RAW_MAX_BYTES ? document.size : RAW_MAX_BYTES);
    } else if (message != NULL && message[0] != '\0') {
        bytes_append_string(out, named != NULL ? ": " : "");
        bytes_append_string(out, message);
    }
    json_decref(object);
}

#include "core/http/http1_response.h"

#include "core/http/http_head.h"
#include "core/http/http_retry_after.h"

struct http_response http1_response_of(struct http1_parser *p, const struct http_request *request,
                                       char **ret_location)
{
    struct http1_fields *fields = &p->fields;
    struct http_response r = {
        .status = fields->status,
        .body = bytes_slice(&p->body),
        .is_cut = p->is_cut,
        .fields = http_field_list_end(&fields->list),
        .field_count = fields->list.count,
        .is_abort = fields->is_abort,
        .retry_after_us = -1,
    };
    if ((fields->status == 429 || fields->status == 503) && fields->retry_after[0] != '\0') {
        r.retry_after_us = http_retry_after_us(fields->retry_after);
    }
    *ret_location = NULL;
    if (fields->status >= 300 && fields->status < 400 && fields->location.size > 0) {
        *ret_location =
            http_head_resolve(request->head, request->target, (const char *)fields->location.data);
        r.location = *ret_location;
    }
    return r;
}

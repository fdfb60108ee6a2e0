// The headers of a response, kept for a caller that wants them. The buffers are used again.
#ifndef CORE_HTTP_HTTP_FIELD_LIST_H
#define CORE_HTTP_HTTP_FIELD_LIST_H

#include "core/http/http_request.h"

/** Zero-initialised may be cleared. */
struct http_field_list {
    bool is_wanted;            // else nothing is kept
    struct bytes text;         // names and values, one after the other
    struct http_field *items;  // data is NULL until http_field_list_end: the text may still move
    size_t count;
    size_t capacity;
};

/** Forgets all fields; keeps the buffers. */
void http_field_list_begin(struct http_field_list *l, bool is_wanted);

/** Copies a field unless none is wanted. */
void http_field_list_add(struct http_field_list *l, struct slice name, struct slice value);

/** The fields in the order of their arrival; valid until the next begin or add. */
const struct http_field *http_field_list_end(struct http_field_list *l);

/** The value of the first field of that name, in any case; data NULL: there is none. */
struct slice http_field_list_find(const struct http_field *fields, size_t count, const char *name);

void http_field_list_clear(struct http_field_list *l);

#endif

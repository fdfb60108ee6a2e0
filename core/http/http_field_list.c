#include "core/http/http_field_list.h"

#include <strings.h>

#include "core/base/memory.h"

void http_field_list_begin(struct http_field_list *l, bool is_wanted)
{
    l->is_wanted = is_wanted;
    l->count = 0;
    bytes_reset(&l->text);
}

void http_field_list_add(struct http_field_list *l, struct slice name, struct slice value)
{
    if (!l->is_wanted) {
        return;
    }
    if (l->count == l->capacity) {
        l->capacity = l->capacity == 0 ? 16 : l->capacity * 2;
        l->items = memory_resize(l->items, l->capacity * sizeof(*l->items));
    }
    l->items[l->count++] =
        (struct http_field){{.data = NULL, .size = name.size}, {.data = NULL, .size = value.size}};
    bytes_append_slice(&l->text, name);
    bytes_append_slice(&l->text, value);
}

const struct http_field *http_field_list_end(struct http_field_list *l)
{
    const uint8_t *at = l->text.data;
    for (size_t i = 0; i < l->count; i++) {
        l->items[i].name.data = at;
        l->items[i].value.data = at + l->items[i].name.size;
        at += l->items[i].name.size + l->items[i].value.size;
    }
    return l->items;
}

struct slice http_field_list_find(const struct http_field *fields, size_t count, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].name.size == size && strncasecmp((const char *)fields[i].name.data, name, size) == 0) {
            return fields[i].value;
        }
    }
    return (struct slice){NULL, 0};
}

void http_field_list_clear(struct http_field_list *l)
{
    bytes_clear(&l->text);
    free(l->items);
    *l = (struct http_field_list){0};
}

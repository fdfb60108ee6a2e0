#include "schemas/avro/value_type.h"

#include <stdlib.h>

#include "core/base/memory.h"

static void add_name(struct schema_names *n, const char *full_name, uint32_t owner)
{
    n->owners = memory_resize(n->owners, (n->defined.count + 1) * sizeof(*n->owners));
    n->owners[n->defined.count] = owner;
    text_list_add(&n->defined, full_name);
}

bool schema_names_add(struct schema_names *n, const char *full_name)
{
    if (text_list_has(&n->defined, full_name)) {
        return false;
    }
    add_name(n, full_name, 0);
    return true;
}

bool schema_names_choose(struct schema_names *n, const char *wanted, uint32_t owner, struct bytes *out)
{
    CLEANUP(bytes_clear) struct bytes name = {0};
    bytes_append_string(&name, wanted);
    for (int number = 2;; number++) {
        size_t i = 0;
        while (i < n->defined.count && strcmp(n->defined.items[i], bytes_text(&name)) != 0) {
            i++;
        }
        bool is_new = i == n->defined.count;
        if (is_new) {
            add_name(n, bytes_text(&name), owner);
        }
        if (n->owners[i] == owner) {
            bytes_append_slice(out, bytes_slice(&name));
            return is_new;
        }
        bytes_reset(&name);
        bytes_format(&name, "%s_%d", wanted, number);
    }
}

void schema_names_clear(struct schema_names *n)
{
    text_list_clear(&n->defined);
    free(n->owners);
    n->owners = NULL;
}

static struct text_list copy_list(const struct text_list *from)
{
    struct text_list list = {0};
    for (size_t i = 0; i < from->count; i++) {
        text_list_add(&list, from->items[i]);
    }
    return list;
}

struct value_type value_type_copy(const struct value_type *t)
{
    struct value_type copy = *t;
    copy.name = t->name == NULL ? NULL : memory_string(t->name);
    copy.labels = copy_list(&t->labels);
    copy.field_names = copy_list(&t->field_names);
    if (t->element != NULL) {
        copy.element = memory_new(sizeof(*copy.element));
        *copy.element = value_type_copy(t->element);
    }
    if (t->fields != NULL) {
        copy.fields = memory_zeroed(t->field_count, sizeof(*copy.fields));
        for (size_t i = 0; i < t->field_count; i++) {
            copy.fields[i] = value_type_copy(&t->fields[i]);
        }
    }
    return copy;
}

void value_type_clear(struct value_type *t)
{
    free(t->name);
    text_list_clear(&t->labels);
    text_list_clear(&t->field_names);
    if (t->element != NULL) {
        value_type_clear(t->element);
        free(t->element);
    }
    for (size_t i = 0; i < t->field_count; i++) {
        value_type_clear(&t->fields[i]);
    }
    free(t->fields);
    *t = (struct value_type){0};
}

bool value_type_has_binary(const struct value_type *t)
{
    if (t->ops == NULL || t->ops->append_binary == NULL ||
        (t->element != NULL && !value_type_has_binary(t->element))) {
        return false;
    }
    for (size_t i = 0; i < t->field_count; i++) {
        if (!value_type_has_binary(&t->fields[i])) {
            return false;
        }
    }
    return true;
}

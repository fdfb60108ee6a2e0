#include "schemas/avro/table_shape.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/text.h"

struct table_shape *table_shape_new(uint32_t oid, char identity, size_t count)
{
    struct table_shape *s = memory_zeroed(1, sizeof(*s) + count * sizeof(s->columns[0]));
    s->oid = oid;
    s->identity = identity;
    s->count = count;
    return s;
}

struct table_shape *table_shape_retain(struct table_shape *s)
{
    if (s != NULL) {
        s->uses++;
    }
    return s;
}

void table_shape_free(struct table_shape *s)
{
    if (s == NULL || s->uses-- > 0) {
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        free(s->columns[i].type);
        free(s->columns[i].expression);
        free(s->columns[i].default_text);
    }
    free(s);
}

bool table_shape_is_same(const struct table_shape *a, const struct table_shape *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    bool is_same = a->oid == b->oid && a->identity == b->identity && a->count == b->count;
    for (size_t i = 0; is_same && i < a->count; i++) {
        const struct column_shape *x = &a->columns[i];
        const struct column_shape *y = &b->columns[i];
        is_same = text_is_same(x->expression, y->expression) &&
                  text_is_same(x->default_text, y->default_text) && x->is_nullable == y->is_nullable &&
                  x->is_generated == y->is_generated;
    }
    return is_same;
}

#include "schemas/avro/table.h"

#include <stdlib.h>

void table_free(struct table *t)
{
    if (t == NULL || t->uses-- > 0) {
        return;
    }
    if (t->route != NULL && t->free_route != NULL) {
        t->free_route(t->route);
    }
    for (size_t i = 0; t->columns != NULL && i < t->column_count; i++) {
        free(t->columns[i].name);
        value_type_clear(&t->columns[i].type);
        bytes_clear(&t->columns[i].default_avro);
        bytes_clear(&t->columns[i].default_json);
    }
    free(t->columns);
    free(t->key_columns);
    free(t->prefix);
    free(t->schema);
    free(t->name);
    free(t->topic);
    free(t->key_schema);
    free(t->value_schema);
    free(t);
}

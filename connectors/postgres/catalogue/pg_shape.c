#include "connectors/postgres/catalogue/pg_shape.h"

#include "connectors/postgres/catalogue/pg_type_names.h"
#include "connectors/postgres/values/pg_mask.h"
#include "core/base/memory.h"

struct table_shape *pg_shape_make(const struct pgoutput_relation *message,
                                  const struct pg_catalogue *catalogue, const struct column *columns)
{
    struct table_shape *s =
        table_shape_new(message->oid, (char)message->replica_identity, message->column_count);
    for (size_t i = 0; i < s->count; i++) {
        const struct pgoutput_column *column = &message->columns[i];
        const struct pg_catalogue_column *fact = pg_catalogue_find(catalogue, column->name);
        pg_type_names_set(column->type_oid, column->type_modifier, catalogue->types, catalogue->type_count,
                          &s->columns[i]);
        s->columns[i].is_nullable = true;
        if (fact != NULL && fact->type_oid == column->type_oid) {
            s->columns[i].is_nullable = !fact->is_not_null;
            s->columns[i].is_generated = fact->is_generated;
            s->columns[i].default_text = fact->default_text == NULL || pg_mask_is_on(&columns[i].type)
                                             ? NULL
                                             : memory_string(fact->default_text);
        }
    }
    return s;
}

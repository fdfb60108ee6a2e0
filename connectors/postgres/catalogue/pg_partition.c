#include "connectors/postgres/catalogue/pg_partition.h"

#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"

static bool find_column(const struct pgoutput_relation *message, const char *name, size_t *ret)
{
    size_t i = 0;
    while (i < message->column_count && !slice_equal(message->columns[i].name, slice_of(name))) {
        i++;
    }
    *ret = i;
    return i < message->column_count;
}

static bool is_in_old_tuples(const struct pgoutput_relation *message, size_t column)
{
    bool has_index = message->replica_identity == 'd' || message->replica_identity == 'i';
    return !has_index || message->columns[column].is_identity;
}

static void set_columns(const struct pgoutput_relation *message, const struct text_list *chosen,
                        const char *full, struct table *t)
{
    t->partition_columns = memory_zeroed(chosen->count, sizeof(*t->partition_columns));
    for (size_t i = 0; i < chosen->count; i++) {
        const char *name = chosen->items[i];
        if (!find_column(message, name, &t->partition_columns[i])) {
            free(t->partition_problem);
            t->partition_problem = memory_format("partition_by: there is no column %s in %s", name, full);
            return;
        }
        if (t->partition_problem == NULL && !is_in_old_tuples(message, t->partition_columns[i])) {
            t->partition_problem = memory_format("partition_by: column %s of %s is not in the replica "
                                                 "identity, so the partition of a row's former values is "
                                                 "not known",
                                                 name, full);
        }
    }
    t->partition_count = chosen->count;
}

void pg_partition_set(const struct connector_config *config, const struct pgoutput_relation *message,
                      const struct pg_catalogue *catalogue, struct table *t)
{
    if (config->partition_by.count == 0) {
        return;
    }
    CLEANUP(memory_free_pointer) char *full = memory_format("%s.%s", t->schema, t->name);
    const struct text_list *chosen = connector_config_partition_by(config, full, &catalogue->ancestors);
    if (chosen != NULL && chosen->count > 0) {
        set_columns(message, chosen, full, t);
    }
}

bool pg_partition_is_same(const struct table *a, const struct table *b)
{
    bool is_same =
        a->partition_count == b->partition_count && text_is_same(a->partition_problem, b->partition_problem);
    for (size_t i = 0; i < a->partition_count && is_same; i++) {
        is_same = a->partition_columns[i] == b->partition_columns[i];
    }
    return is_same;
}

void pg_partition_log(const char *component, const struct table *t)
{
    if (t->partition_problem != NULL) {
        log_error(component, "partition_not_known", LOG_WITH(LOG_TEXT("table", t->name)),
                  "%s: the table waits at its first %s", t->partition_problem,
                  t->partition_count == 0 ? "row; correct partition_by in the connector's file"
                                          : "update or delete");
    }
}

#include "connectors/postgres/catalogue/pg_key.h"

#include "core/base/log.h"
#include "core/base/memory.h"

// The primary key's columns in its order, if the message has all of them.
static size_t list_primary_key(const struct pgoutput_relation *message, const struct pg_catalogue *catalogue,
                               size_t *ret_columns)
{
    size_t count = 0;
    for (size_t i = 0; i < catalogue->column_count; i++) {
        count += catalogue->columns[i].primary_position >= 0 ? 1 : 0;
    }
    size_t found = 0;
    for (size_t i = 0; i < message->column_count; i++) {
        const struct pg_catalogue_column *fact = pg_catalogue_find(catalogue, message->columns[i].name);
        if (fact != NULL && fact->primary_position >= 0 && (size_t)fact->primary_position < count) {
            ret_columns[fact->primary_position] = i;
            found++;
        }
    }
    return found == count ? count : 0;
}

static int identity_position_of(const struct pgoutput_relation *message, const struct pg_catalogue *catalogue,
                                size_t column)
{
    const struct pg_catalogue_column *fact = pg_catalogue_find(catalogue, message->columns[column].name);
    return fact == NULL ? 0 : fact->identity_position;
}

// The replica identity's columns, in the order of its index if the catalogue has it.
static size_t list_identity(const struct pgoutput_relation *message, const struct pg_catalogue *catalogue,
                            size_t *ret_columns)
{
    size_t count = 0;
    for (size_t i = 0; i < message->column_count; i++) {
        if (!message->columns[i].is_identity) {
            continue;
        }
        size_t at = count++;
        int position = identity_position_of(message, catalogue, i);
        for (; at > 0 && identity_position_of(message, catalogue, ret_columns[at - 1]) > position; at--) {
            ret_columns[at] = ret_columns[at - 1];
        }
        ret_columns[at] = i;
    }
    return count;
}

static bool is_in_identity(const struct pgoutput_relation *message, const size_t *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!message->columns[columns[i]].is_identity) {
            return false;
        }
    }
    return true;
}

static const struct text_list *chosen_key(const struct connector_config *config,
                                          const struct pgoutput_relation *message,
                                          const struct pg_catalogue *catalogue)
{
    if (config->keys.count == 0) {
        return NULL;
    }
    CLEANUP(memory_free_pointer)
    char *full = memory_format("%s.%s", pgoutput_schema_of(message), (const char *)message->name.data);
    return connector_config_key(config, full, &catalogue->ancestors);
}

static bool find_column(const struct pgoutput_relation *message, const char *name, size_t *ret)
{
    for (size_t i = 0; i < message->column_count; i++) {
        if (slice_equal(message->columns[i].name, slice_of(name))) {
            *ret = i;
            return true;
        }
    }
    return false;
}

// The columns of `keys`, unless old tuples would not have all of them: then the table keeps its key.
static void use_chosen_key(const char *component, const struct pgoutput_relation *message,
                           const struct text_list *chosen, struct table *t)
{
    CLEANUP(memory_free_pointer) size_t *columns = memory_zeroed(chosen->count + 1, sizeof(*columns));
    bool has_index = message->replica_identity == 'd' || message->replica_identity == 'i';
    for (size_t i = 0; i < chosen->count; i++) {
        bool is_found = find_column(message, chosen->items[i], &columns[i]);
        if (is_found && (!has_index || message->columns[columns[i]].is_identity)) {
            continue;
        }
        log_error(component, "key_not_used",
                  LOG_WITH(LOG_TEXT("table", t->name), LOG_TEXT("column", chosen->items[i])),
                  is_found ? "keys: column %s of %s.%s is not in the replica identity, so deletes don't have "
                             "it: the table keeps its key; run: ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY "
                             "FULL;"
                           : "keys: there is no column %s in %s.%s: the table keeps its key; correct keys in "
                             "the connector's file",
                  chosen->items[i], t->schema, t->name, t->schema, t->name);
        return;
    }
    memcpy(t->key_columns, columns, chosen->count * sizeof(*columns));
    t->key_count = chosen->count;
}

void pg_key_set(const struct connector_config *config, const char *component,
                const struct pgoutput_relation *message, const struct pg_catalogue *catalogue,
                struct table *t)
{
    t->key_columns = memory_zeroed(message->column_count, sizeof(*t->key_columns));
    t->key_count = list_primary_key(message, catalogue, t->key_columns);
    bool has_index = message->replica_identity == 'd' || message->replica_identity == 'i';
    if (has_index) {
        bool is_inside = is_in_identity(message, t->key_columns, t->key_count);
        CLEANUP(memory_free_pointer)
        size_t *identity = memory_zeroed(message->column_count, sizeof(*identity));
        size_t count = list_identity(message, catalogue, identity);
        bool is_same = message->replica_identity == 'i' || count == t->key_count;
        if (t->key_count == 0 || !is_inside || !is_same) {
            memcpy(t->key_columns, identity, count * sizeof(*identity));
            t->key_count = count;
        }
    }
    const struct text_list *chosen = chosen_key(config, message, catalogue);
    if (chosen != NULL) {
        use_chosen_key(component, message, chosen, t);
    }
    for (size_t i = 0; i < t->key_count; i++) {
        t->columns[t->key_columns[i]].is_key = true;
        t->columns[t->key_columns[i]].is_nullable = false;
        t->columns[t->key_columns[i]].takes_text = false;
        t->columns[t->key_columns[i]].has_text = false;
    }
}

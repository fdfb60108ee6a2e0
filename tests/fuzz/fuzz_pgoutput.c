// A Relation and what follows it: both decoded, and a row among them encoded by the table that the relation
// makes. Input: Int16 size of the Relation message, that message, the row message.
#include <stdint.h>
#include <stdlib.h>

#include "connectors/postgres/pg_change.h"

static char fuzz_name[] = "fuzz";
static char fuzz_all[] = "*";
static char *fuzz_include[] = {fuzz_all};
static struct connector_config fuzz_config = {
    .name = fuzz_name, .topic_prefix = fuzz_name, .tables.include = {fuzz_include, 1}};

static void fuzz_relate(struct pg_relations *relations, const struct pgoutput_message *message,
                        struct pg_relation **ret)
{
    struct pg_catalogue catalogue = {0};
    *ret = pg_relations_see(relations, &message->relation);
    pg_relations_update(relations, *ret, &message->relation, &catalogue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pgoutput_message message;
    struct fault f = {0};
    struct cursor c = cursor_over(slice_make(data, size));
    size_t first = cursor_u16(&c);
    struct slice relation_wire = cursor_take(&c, first);
    if (c.is_short) {
        return 0;
    }
    struct slice row_wire = slice_make(c.at, cursor_left(&c));
    if (!pgoutput_decode(relation_wire, &message, &f) || message.kind != PGOUTPUT_RELATION ||
        message.relation.column_count > 64) {
        (void)!pgoutput_decode(row_wire, &message, &f);
        return 0;
    }
    struct pg_relations *relations = pg_relations_new(&fuzz_config, "fuzz");
    struct pg_change changes = {0};
    struct pg_relation *relation;
    fuzz_relate(relations, &message, &relation);
    struct change change = {0};
    if (relation->is_wanted && pgoutput_decode(row_wire, &message, &f) &&
        (message.kind == PGOUTPUT_INSERT || message.kind == PGOUTPUT_UPDATE ||
         message.kind == PGOUTPUT_DELETE)) {
        (void)!pg_change_make(&changes, relations, relation, &message, &change, &f);
    }
    pg_change_clear(&changes);
    pg_relations_free(relations);
    return 0;
}

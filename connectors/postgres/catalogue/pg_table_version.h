// Makes the version of a table from its Relation message and the catalogue.
#ifndef CONNECTORS_POSTGRES_CATALOGUE_PG_TABLE_VERSION_H
#define CONNECTORS_POSTGRES_CATALOGUE_PG_TABLE_VERSION_H

#include "connectors/config/connector_config.h"
#include "connectors/postgres/catalogue/pg_catalogue.h"
#include "connectors/postgres/catalogue/pg_column_rules.h"
#include "schemas/avro/table.h"

/** Embedded; the first three members are the owner's. */
struct pg_table_versions {
    const struct connector_config *config;  // lent
    const char *component;                  // lent: for the log
    struct column_memory *memory;           // lent; NULL: none
    uint32_t *plain_types;                  // types without a rule that were logged
    size_t plain_count;
};

/** All lent. */
struct pg_table_version_source {
    const struct pgoutput_relation *message;  // without the columns that are left out
    const struct pg_catalogue *catalogue;
    const struct pg_column_rules *rules;
    const uint16_t *kept;          // positions of the message's columns in the rules; NULL: the same
    const struct table *previous;  // version; NULL: none
};

/** The caller frees it with table_free. */
struct table *pg_table_version_make(struct pg_table_versions *v, const struct pg_table_version_source *from);

/** Sets text_column, after types were altered. */
void pg_table_version_note_text(struct table *t);

/** Sets it and writes the schemas of a copy whose columns were altered. */
void pg_table_version_finish(struct table *t);

bool pg_table_version_is_same(const struct table *a, const struct table *b);

void pg_table_versions_clear(struct pg_table_versions *v);

#endif

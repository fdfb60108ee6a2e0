#include "connectors/postgres/catalogue/pg_stream_format.h"

#include "connectors/postgres/catalogue/pg_catalogue_private.h"
#include "core/base/memory.h"

enum { SCHEMA_PUBLICATIONS = 150000, USER_OID_MIN = 16384 };

// pg_publication_tables would lock each table from PostgreSQL 16 on. A table's partitions have its types.
static void append_tables(struct bytes *out, const char *publications, int server_version)
{
    bytes_format(out,
                 "SELECT r.prrelid FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid"
                 " WHERE p.pubname IN (%s) UNION SELECT c.oid FROM pg_publication p JOIN pg_class c ON"
                 " c.relkind IN ('r', 'p') AND c.oid >= %d WHERE p.puballtables AND p.pubname IN (%s)",
                 publications, USER_OID_MIN, publications);
    if (server_version >= SCHEMA_PUBLICATIONS) {
        bytes_format(
            out,
            " UNION SELECT c.oid FROM pg_publication p JOIN pg_publication_namespace n ON n.pnpubid ="
            " p.oid JOIN pg_class c ON c.relnamespace = n.pnnspid AND c.relkind IN ('r', 'p')"
            " WHERE p.pubname IN (%s)",
            publications);
    }
}

void pg_stream_format_query(struct bytes *out, const char *publications, int server_version)
{
    bytes_append_string(out, "WITH RECURSIVE r(" PG_CATALOGUE_TYPE_COLUMNS ") AS (" PG_CATALOGUE_TYPE
                             " WHERE t.oid IN (SELECT a.atttypid FROM pg_attribute a WHERE a.attnum > 0"
                             " AND a.attrelid IN (");
    append_tables(out, publications, server_version);
    bytes_append_string(out, "))" PG_CATALOGUE_TYPES_BELOW);
}

char *pg_stream_format_text_type(const PGresult *types)
{
    size_t count;
    struct pg_type *list = pg_catalogue_read_types(types, &count);
    char *name = NULL;
    for (size_t i = 0; i < count && name == NULL; i++) {
        CLEANUP(value_type_clear) struct value_type t;
        const char *plain;
        pg_types_resolve(list[i].oid, -1, list, count, &t, &plain);
        if (!value_type_is_readable(&t)) {
            name = memory_string(list[i].name);
        }
    }
    pg_type_list_free(list, count);
    return name;
}

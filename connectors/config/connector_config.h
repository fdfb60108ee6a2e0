// One connector's file, DIR/connectors/NAME.yaml, as a struct.
#ifndef CONNECTORS_CONFIG_CONNECTOR_CONFIG_H
#define CONNECTORS_CONFIG_CONNECTOR_CONFIG_H

#include "connectors/config/table_choice.h"
#include "connectors/config/type_modes.h"
#include "core/config/settings.h"

enum connector_snapshot { CONNECTOR_SNAPSHOT_INITIAL, CONNECTOR_SNAPSHOT_NEVER };
enum connector_origin { CONNECTOR_ORIGIN_ANY, CONNECTOR_ORIGIN_NONE };
enum connector_outbox_update { CONNECTOR_OUTBOX_WARN, CONNECTOR_OUTBOX_STOP };
enum connector_binary { CONNECTOR_BINARY_AUTO, CONNECTOR_BINARY_OFF };
enum connector_bad_row { CONNECTOR_BAD_ROW_STOP, CONNECTOR_BAD_ROW_DEAD_LETTER };

enum connector_incompatible { CONNECTOR_INCOMPATIBLE_STOP, CONNECTOR_INCOMPATIBLE_FORK };

struct connector_config {
    char *name;  // the file's name without .yaml
    struct {
        char *dsn;       // libpq connection string or URI
        char *password;  // NULL: from the DSN or ~/.pgpass, or not needed
    } postgres;
    char *topic_prefix;
    struct {
        struct text_list include;  // globs over "schema.table"; default public.*
        struct text_list exclude;
        struct text_list publish_inserts_only;  // globs over keyless tables
    } tables;
    struct {
        char *name;         // default millrace_<name>, '-' as '_'
        char *publication;  // the same default
        bool create;        // default true: create slot and publications if they are missing
    } slot;
    struct {
        struct text_list include;  // globs over "schema.table.column"
        struct text_list exclude;
        struct text_pairs mask;      // glob, the text instead of the value
        struct text_pairs truncate;  // glob, number of characters
        struct {
            struct text_list columns;
            enum connector_hash algorithm;
            char *salt;  // NULL only without columns
        } hash;
    } columns;
    struct text_pairs rows;  // glob over "schema.table", condition
    uint32_t operations;     // of enum connector_operation
    struct {
        struct config_tree tree;
        struct connector_key *items;
        size_t count;
    } keys;
    struct {
        struct config_tree tree;
        struct connector_key *items;
        size_t count;
    } partition_by;
    struct {
        struct config_tree tree;
        struct connector_route *items;
        size_t count;
    } routes;
    struct {
        char *table;  // "schema.table"; NULL: no outbox
        char *id;     // columns
        char *key;
        char *route_by;
        char *payload;
        char *topic;      // with {aggregatetype}
        char *timestamp;  // columns; NULL: none
        char *partition;
        struct text_pairs headers;   // column, header
        struct text_pairs envelope;  // column, member
        bool tombstone_on_empty;
        enum connector_outbox_update on_update;
        bool delete_after_capture;
    } outbox;
    enum connector_snapshot snapshot;
    enum connector_bad_row on_bad_row;
    enum connector_incompatible on_incompatible;
    bool tombstones;  // default true: a delete is followed by its key and null
    bool truncate;    // publish TRUNCATE
    enum connector_origin origin;
    struct {
        struct text_list include;  // globs over prefixes; empty: no message is published
        struct text_list exclude;
    } messages;
    struct {
        bool topic;  // BEGIN and END, and the block `transaction` in each event
        char *name;  // NULL: <prefix>.transaction
    } transactions;
    struct {
        bool topic;  // a record for each change of a table's definition
    } schema_changes;
    struct {
        int64_t interval_us;  // 0: no heartbeats
        char *topic;          // NULL: __debezium-heartbeat.<prefix>
        char *action_query;   // NULL: none
    } heartbeat;
    struct type_modes modes;
    bool null_as_default;  // a NULL in a column with a default is published as the default, as Debezium does
    enum connector_binary binary_stream;
    enum toast_mode toast;
    struct {
        int64_t partitions;   // 0: the broker's default
        int64_t replication;  // 0: the broker's default
        struct text_pairs config;
        struct {
            struct config_tree tree;
            struct connector_topic_group *items;
            size_t count;
        } groups;
    } topics;
    struct {
        char *column;  // that has the trace of a row's last change; NULL: none
    } tracing;
};

/** The table of connectors/NAME.yaml; reads into a struct connector_config. */
extern const struct config_kind connector_config_kind;

/** Whether the connection strings of both name the same database. */
bool connector_config_same_database(const struct connector_config *a, const struct connector_config *b);

/** The default name of a connector's slot and publication; the caller frees it. */
char *connector_config_slot(const char *connector);

/** Whether the table has this column in its records; `ancestors`: the partitioned tables above it. */
bool connector_config_has_column(const struct connector_config *c, const char *table,
                                 const struct text_list *ancestors, const char *column);
/** Whether columns.exclude names it. */
bool connector_config_excludes_column(const struct connector_config *c, const char *table,
                                      const struct text_list *ancestors, const char *column);
/** The condition of the table's rows; NULL: all of them. `table` is "schema.table". Borrowed. */
const char *connector_config_row_filter(const struct connector_config *c, const char *table);

/** The columns of the table's key; NULL: its primary key. Borrowed. */
const struct text_list *connector_config_key(const struct connector_config *c, const char *table,
                                             const struct text_list *ancestors);

/** The columns that choose the partition of the table's records; NULL: the key does. Borrowed. */
const struct text_list *connector_config_partition_by(const struct connector_config *c, const char *table,
                                                      const struct text_list *ancestors);

/** The name of columns.hash.algorithm. */
const char *connector_config_digest(const struct connector_config *c);

/** Accepts NULL. */
void connector_config_clear(struct connector_config *c);

#endif

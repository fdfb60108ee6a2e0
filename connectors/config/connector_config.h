// One connector's file, DIR/connectors/NAME.yaml, as a struct.
#ifndef CONNECTORS_CONFIG_CONNECTOR_CONFIG_H
#define CONNECTORS_CONFIG_CONNECTOR_CONFIG_H

#include "core/config/settings.h"

enum connector_snapshot { CONNECTOR_SNAPSHOT_INITIAL, CONNECTOR_SNAPSHOT_NEVER };
enum connector_bad_row { CONNECTOR_BAD_ROW_STOP, CONNECTOR_BAD_ROW_DEAD_LETTER };

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
        struct text_list
            publish_inserts_only;  // globs: tables without replica identity whose inserts are published
    } tables;
    struct {
        char *name;         // default millrace_<name>, '-' as '_'
        char *publication;  // the same default
        bool create;        // default true: create slot and publications if they are missing
    } slot;
    enum connector_snapshot snapshot;
    enum connector_bad_row on_bad_row;
    struct {
        int64_t partitions;   // 0: the broker's default
        int64_t replication;  // 0: the broker's default
        struct text_pairs config;
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

/** Accepts NULL. */
void connector_config_clear(struct connector_config *c);

#endif

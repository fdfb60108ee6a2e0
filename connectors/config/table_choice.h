// What a connector's file says of tables that a glob matches.
#ifndef CONNECTORS_CONFIG_TABLE_CHOICE_H
#define CONNECTORS_CONFIG_TABLE_CHOICE_H

#include "core/base/text.h"

enum connector_operation {
    CONNECTOR_CREATE = 1,
    CONNECTOR_UPDATE = 2,
    CONNECTOR_DELETE = 4,
    CONNECTOR_ALL = 7
};
enum connector_hash { CONNECTOR_SHA256, CONNECTOR_SHA512, CONNECTOR_SHA1, CONNECTOR_MD5 };

/** The columns of the keys of a table's records. */
struct connector_key {
    char *table;  // glob over "schema.table"
    struct text_list columns;
};

/** The topic of the tables that a glob matches; both NULL if the file's entry is wrong. */
struct connector_route {
    char *match;
    char *topic;  // with {prefix}, {schema}, {table}
};

/** The settings of the topics that a glob matches; `match` is NULL if the file's entry is wrong. */
struct connector_topic_group {
    char *match;  // glob over names of topics
    int64_t partitions;
    int64_t replication;
    struct text_pairs config;  // those of all topics, too
};

#endif

// The name of a table's topic.
#ifndef CONNECTORS_TABLE_TOPIC_H
#define CONNECTORS_TABLE_TOPIC_H

/** `<prefix>.<schema>.<table>`, as Debezium names it; the caller frees it. */
char *table_topic_name(const char *prefix, const char *schema, const char *table);

#endif

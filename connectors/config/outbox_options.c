#include "connectors/config/outbox_options.h"

#include "core/config/config_value.h"

static bool check_table(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    const char *dot = strchr(value, '.');
    if (dot == NULL || dot == value || dot[1] == '\0' || strpbrk(value, "*?[") != NULL) {
        return fault_set(f, FAULT_CONFIG, "write SCHEMA.TABLE, as in public.outbox");
    }
    return true;
}

static bool check_topic(const struct config_file *file, const char *value, struct fault *f)
{
    static const char reference[] = "{aggregatetype}";
    const char *at = strstr(value, reference);
    CLEANUP(bytes_clear) struct bytes plain = {0};
    bytes_append_slice(&plain, slice_make(value, at == NULL ? strlen(value) : (size_t)(at - value)));
    bytes_append_string(&plain, at == NULL ? "" : "x");
    bytes_append_string(&plain, at == NULL ? "" : at + sizeof(reference) - 1);
    return config_value_check_topic(file, bytes_text(&plain), f);
}

static bool is_never_secret(const char *key)
{
    (void)key;
    return false;
}

static const struct config_rules table_rules = {.check = check_table};
static const struct config_rules topic_rules = {.check = check_topic};
static const struct config_rules header_rules = {.is_secret = is_never_secret};
static const struct config_choice on_updates[] = {
    {"warn", CONNECTOR_OUTBOX_WARN}, {"stop", CONNECTOR_OUTBOX_STOP}, {NULL, 0}};

const struct config_option outbox_options[] = {
    {.key = "table",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct connector_config, outbox.table),
     .rules = &table_rules,
     .doc = "The table, SCHEMA.TABLE; `tables` must include it. It has no topic of its own."},
    {.key = "id",
     .type = CONFIG_TEXT,
     .initial = "id",
     .offset = offsetof(struct connector_config, outbox.id),
     .doc = "Column of the event's id: header `id`."},
    {.key = "key",
     .type = CONFIG_TEXT,
     .initial = "aggregateid",
     .offset = offsetof(struct connector_config, outbox.key),
     .doc = "Column of the record's key."},
    {.key = "route_by",
     .type = CONFIG_TEXT,
     .initial = "aggregatetype",
     .offset = offsetof(struct connector_config, outbox.route_by),
     .doc = "Column that chooses the topic."},
    {.key = "topic",
     .type = CONFIG_TEXT,
     .initial = "outbox.event.{aggregatetype}",
     .offset = offsetof(struct connector_config, outbox.topic),
     .rules = &topic_rules,
     .doc = "The topic; `{aggregatetype}` is the value of the column that `route_by` names."},
    {.key = "payload",
     .type = CONFIG_TEXT,
     .initial = "payload",
     .offset = offsetof(struct connector_config, outbox.payload),
     .doc = "Column of the record's value: text and json as they are, bytea as bytes."},
    {.key = "timestamp",
     .type = CONFIG_TEXT,
     .otherwise = "when it is sent",
     .offset = offsetof(struct connector_config, outbox.timestamp),
     .doc = "Column of the record's timestamp: a timestamp or timestamptz; NULL: when it is sent."},
    {.key = "partition",
     .type = CONFIG_TEXT,
     .otherwise = "that of the key",
     .offset = offsetof(struct connector_config, outbox.partition),
     .doc = "Column of the number of the record's partition; NULL: that of the key."},
    {.key = "headers",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct connector_config, outbox.headers),
     .rules = &header_rules,
     .doc = "More columns and the headers that they become: `{type: eventType}`."},
    {.key = "envelope",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct connector_config, outbox.envelope),
     .rules = &header_rules,
     .doc = "More columns and the members that they become of a JSON object, which has the payload as "
            "`payload`: `{type: eventType}`."},
    {.key = "tombstone_on_empty",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct connector_config, outbox.tombstone_on_empty),
     .doc = "An empty or blank payload becomes a record without a value."},
    {.key = "on_update",
     .type = CONFIG_CHOICE,
     .choices = on_updates,
     .initial = "warn",
     .offset = offsetof(struct connector_config, outbox.on_update),
     .doc = "An UPDATE of the table is no event: warn about it and go on, or stop."},
    {.key = "delete_after_capture",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct connector_config, outbox.delete_after_capture),
     .doc = "Delete rows whose events Kafka has acknowledged. The role needs SELECT and DELETE."},
    {.key = NULL},
};

void outbox_options_finish(const struct config_file *file, struct connector_config *c)
{
    if (c->outbox.table == NULL) {
        return;
    }
    if (!text_list_name_match(&c->tables.include, c->outbox.table) ||
        text_list_name_match(&c->tables.exclude, c->outbox.table)) {
        config_complain(file, "outbox.table", "table: tables does not include %s", c->outbox.table);
    }
    if ((c->operations & CONNECTOR_CREATE) == 0) {
        config_complain(file, "outbox.table",
                        "table: its rows are no events without create among operations");
    }
    if (!c->outbox.delete_after_capture) {
        return;
    }
    if (c->snapshot == CONNECTOR_SNAPSHOT_NEVER) {
        config_complain(file, "outbox.delete_after_capture",
                        "delete_after_capture: needs snapshot: initial; with never it would delete rows that "
                        "were never published");
    }
    if (c->origin == CONNECTOR_ORIGIN_NONE) {
        config_complain(file, "outbox.delete_after_capture",
                        "delete_after_capture: needs origin: any; with none it would delete rows of other "
                        "servers, which were never published");
    }
}

#include "connectors/outbox.h"

#include <ctype.h>
#include <stdlib.h>

#include "connectors/bad_row.h"
#include "connectors/change_record.h"
#include "connectors/config/connector_topics.h"
#include "connectors/kafka/record_headers.h"
#include "connectors/outbox_time.h"
#include "connectors/table_topic.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "schemas/avro/avro_read.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/json/json_check.h"
#include "schemas/json/json_encode.h"

/** One column's value in the row that is planned. */
struct outbox_value {
    const struct avro_type *type;  // without the union; kind NULL: null
    struct slice avro;
};

struct outbox {
    const struct connector_config *config;
    const char *component;
    struct topic_routes *routes;
    struct topic_check *check;
    char *own_topic;      // of the table
    struct table *table;  // the version of `row` and `values`; retained
    struct avro_type *row;
    struct outbox_value *values;  // by column
    struct bytes text;            // scratch
    struct bytes topic;
    uint64_t counted_lsn;  // of the newest row for which partitions were counted anew
    uint64_t counted_index;
    bool has_warned;
};

struct outbox *outbox_new(const struct connector_config *config, const char *component,
                          struct topic_routes *routes, struct topic_check *check)
{
    if (config->outbox.table == NULL) {
        return NULL;
    }
    struct outbox *o = memory_zeroed(1, sizeof(*o));
    o->config = config;
    o->component = component;
    o->routes = routes;
    o->check = check;
    CLEANUP(memory_free_pointer) char *schema = memory_string(config->outbox.table);
    char *dot = strchr(schema, '.');
    *dot = '\0';
    o->own_topic = table_topic_of(config, schema, dot + 1);
    return o;
}

static void forget_version(struct outbox *o)
{
    avro_type_free(TAKE(o->row));
    free(TAKE(o->values));
    table_free(TAKE(o->table));
}

void outbox_free(struct outbox *o)
{
    if (o == NULL) {
        return;
    }
    forget_version(o);
    bytes_clear(&o->text);
    bytes_clear(&o->topic);
    free(o->own_topic);
    free(o);
}

bool outbox_has(const struct outbox *o, const struct table *table)
{
    if (o == NULL || table->schema == NULL) {
        return false;
    }
    size_t length = strlen(table->schema);
    const char *full = o->config->outbox.table;
    return strncmp(full, table->schema, length) == 0 && full[length] == '.' &&
           strcmp(full + length + 1, table->name) == 0;
}

bool outbox_is_topic(const struct outbox *o, const char *topic)
{
    return o != NULL && strcmp(o->own_topic, topic) == 0;
}

static bool use_version(struct outbox *o, struct table *table, struct fault *f)
{
    if (o->table == table) {
        return true;
    }
    forget_version(o);
    CLEANUP(bytes_clear) struct bytes schema = {0};
    avro_schema_value(&schema, table);
    if (!avro_type_parse(bytes_slice(&schema), &o->row, f)) {
        return fault_context(f, "schema of %s", table->name);
    }
    o->values = memory_zeroed(table->column_count + 1, sizeof(*o->values));
    table_retain(table);
    o->table = table;
    return true;
}

static bool read_row(struct outbox *o, struct slice row, struct fault *f)
{
    struct cursor c = cursor_over(row);
    for (size_t i = 0; i < o->row->count && !c.is_short; i++) {
        struct outbox_value *value = &o->values[i];
        value->type = avro_read_branch(&c, o->row->fields[i].type);
        const uint8_t *start = c.at;
        avro_read_skip(&c, value->type);
        value->avro = slice_make(start, (size_t)(c.at - start));
    }
    return cursor_finish(&c, "outbox row", f);
}

// NULL: FAULT_CONFIG.
static const struct outbox_value *value_of(const struct outbox *o, const char *column, struct fault *f)
{
    for (size_t i = 0; i < o->table->column_count; i++) {
        if (strcmp(o->table->columns[i].name, column) == 0) {
            return &o->values[i];
        }
    }
    (void)fault_set(f, FAULT_CONFIG, "outbox: %s.%s has no column %s", o->table->schema, o->table->name,
                    column);
    return NULL;
}

static bool is_null(const struct outbox_value *value)
{
    return value->type->kind == AVRO_KIND_NULL;
}

static bool is_raw(const struct outbox_value *value)
{
    return value->type->kind == AVRO_KIND_STRING ||
           (value->type->kind == AVRO_KIND_BYTES && value->type->meaning == AVRO_MEANING_NONE);
}

// Texts and bytes as they are, other values as JSON.
static bool append_value(const struct outbox_value *value, struct bytes *out, struct fault *f)
{
    const struct json_options stored = {.as_stored = true};
    if (is_null(value)) {
        return true;
    }
    if (is_raw(value)) {
        struct cursor c = cursor_over(value->avro);
        bytes_append_slice(out, avro_read_bytes(&c));
        return true;
    }
    return json_encode_datum(value->type, value->avro, &stored, out, f);
}

static bool is_blank(struct slice text)
{
    size_t i = 0;
    while (i < text.size && isspace(text.data[i])) {
        i++;
    }
    return i == text.size;
}

// `text` gets the value; a null or blank one is a fault.
static bool need_text(struct outbox *o, const char *column, struct fault *f)
{
    const struct outbox_value *value = value_of(o, column, f);
    bytes_reset(&o->text);
    if (value == NULL || !append_value(value, &o->text, f)) {
        return false;
    }
    if (is_blank(bytes_slice(&o->text))) {
        return fault_set(f, FAULT_CONFIG, "outbox: a row of %s.%s has no %s", o->table->schema,
                         o->table->name, column);
    }
    return true;
}

// The row chooses the topic, which must not be one of ours, or one with other records.
static bool check_topic(const struct outbox *o, const char *topic, struct fault *f)
{
    if (!connector_topics_permits(o->config, CONNECTOR_EVENTS, topic, f)) {
        return fault_context(f, "outbox: %s of a row of %s", o->config->outbox.route_by,
                             o->config->outbox.table);
    }
    return !topic_routes_has_rows(o->routes, topic) ||
           fault_set(f, FAULT_CONFIG,
                     "outbox: %s of a row of %s: topic %s is that of a table, and a topic has records of one "
                     "kind",
                     o->config->outbox.route_by, o->config->outbox.table, topic);
}

static struct topic_route *find_route(struct outbox *o, struct fault *f)
{
    static const char reference[] = "{aggregatetype}";
    if (!need_text(o, o->config->outbox.route_by, f)) {
        return NULL;
    }
    const char *form = o->config->outbox.topic;
    const char *at = strstr(form, reference);
    bytes_reset(&o->topic);
    bytes_append_slice(&o->topic, slice_make(form, at == NULL ? strlen(form) : (size_t)(at - form)));
    for (size_t i = 0; at != NULL && i < o->text.size; i++) {
        uint8_t c = o->text.data[i];
        bool is_allowed = c < 0x80 && (isalnum(c) || strchr("._-", c) != NULL);
        bytes_append_byte(&o->topic, is_allowed ? c : '_');
    }
    bytes_append_string(&o->topic, at == NULL ? "" : at + sizeof(reference) - 1);
    if (!check_topic(o, bytes_text(&o->topic), f)) {
        return NULL;
    }
    return topic_routes_find_schemaless(o->routes, bytes_text(&o->topic), NULL);
}

// Functions take a value as JSON by this header.
static bool is_json(const struct record_plan *plan, const struct record_plan_item *item)
{
    return item->value.size != RECORD_NULL && item->value.size > 0 &&
           json_check_value(slice_make(plan->bytes.data + item->value.at, item->value.size));
}

static bool put_headers(struct outbox *o, struct record_plan *plan, struct record_plan_item *item,
                        struct fault *f)
{
    size_t begin = record_plan_begin(plan);
    if (!need_text(o, o->config->outbox.id, f)) {
        return false;
    }
    record_headers_add(&plan->bytes, "id", bytes_slice(&o->text));
    const struct text_pairs *headers = &o->config->outbox.headers;
    for (size_t i = 0; i < headers->count; i++) {
        const struct outbox_value *value = value_of(o, headers->items[i].key, f);
        bytes_reset(&o->text);
        if (value == NULL || !append_value(value, &o->text, f)) {
            return false;
        }
        record_headers_add(&plan->bytes, headers->items[i].value,
                           is_null(value) ? (struct slice){NULL, 0} : bytes_slice(&o->text));
    }
    if (is_json(plan, item)) {
        record_headers_add(&plan->bytes, "content-type", slice_of("application/json"));
    }
    item->headers = record_plan_end(plan, begin);
    return true;
}

static bool put_key(struct outbox *o, struct record_plan *plan, struct record_plan_item *item,
                    struct fault *f)
{
    const struct outbox_value *value = value_of(o, o->config->outbox.key, f);
    size_t begin = record_plan_begin(plan);
    if (value == NULL || !append_value(value, &plan->bytes, f)) {
        return false;
    }
    if (!is_null(value)) {
        item->key = record_plan_end(plan, begin);
    }
    return true;
}

static bool put_timestamp(const struct outbox *o, struct record_plan_item *item, struct fault *f)
{
    const char *column = o->config->outbox.timestamp;
    const struct outbox_value *value = column == NULL ? NULL : value_of(o, column, f);
    if (value == NULL || is_null(value)) {
        return column == NULL || value != NULL;
    }
    item->timestamp_ms = outbox_time_ms(value->type, value->avro);
    return item->timestamp_ms >= 0 ||
           fault_set(f, FAULT_CONFIG,
                     "outbox: %s of a row of %s.%s is no time since 1970, as a record's timestamp is", column,
                     o->table->schema, o->table->name);
}

static bool put_partition(const struct outbox *o, struct record_plan_item *item, struct fault *f)
{
    const char *column = o->config->outbox.partition;
    const struct outbox_value *value = column == NULL ? NULL : value_of(o, column, f);
    if (value == NULL || is_null(value)) {
        return column == NULL || value != NULL;
    }
    struct cursor c = cursor_over(value->avro);
    bool is_number = (value->type->kind == AVRO_KIND_INT || value->type->kind == AVRO_KIND_LONG) &&
                     value->type->meaning == AVRO_MEANING_NONE;
    int64_t partition = is_number ? avro_read_long(&c) : -1;
    item->partition = partition < 0 || partition > INT32_MAX ? -1 : (int32_t)partition;
    return item->partition >= 0 ||
           fault_set(f, FAULT_CONFIG, "outbox: %s of a row of %s.%s is no number of a partition", column,
                     o->table->schema, o->table->name);
}

// Partitions may have been added since they were counted last, some seconds ago.
static bool has_fresh_count(struct outbox *o, const struct change *change, struct kafka_sink_topic *topic)
{
    if (o->counted_lsn == change->commit_lsn && o->counted_index == change->index) {
        return true;
    }
    o->counted_lsn = change->commit_lsn;
    o->counted_index = change->index;
    kafka_sink_count_anew(topic);
    return false;
}

// The client would refuse a partition that the topic does not have, and the session would begin anew for
// ever.
static enum outbox_step check_partition(struct outbox *o, const struct change *change,
                                        const struct record_plan_item *item, struct fault *f)
{
    if (item->partition < 0) {
        return OUTBOX_PLANNED;
    }
    int32_t count = kafka_sink_partitions(item->route->topic);
    if (count == 0 || (item->partition >= count && !has_fresh_count(o, change, item->route->topic))) {
        return OUTBOX_LATER;
    }
    if (item->partition < count) {
        return OUTBOX_PLANNED;
    }
    (void)fault_set(
        f, FAULT_CONFIG,
        "outbox: %s of a row of %s is %d, but topic %s has %d partitions, of which the first is 0; "
        "add partitions to it",
        o->config->outbox.partition, o->config->outbox.table, (int)item->partition, item->route->name,
        (int)count);
    return OUTBOX_BAD_ROW;
}

// The broker would refuse the batch with the record, which would end the connector.
static enum outbox_step check_time(struct outbox *o, const struct record_plan_item *item, struct fault *f)
{
    if (item->timestamp_ms == 0) {
        return OUTBOX_PLANNED;
    }
    const struct topic_limits *limits = topic_check_limits(o->check, item->route->name);
    if (limits == NULL) {
        return OUTBOX_LATER;
    }
    int64_t now_ms = clock_wall_us() / CLOCK_US_PER_MS;
    bool is_late = item->timestamp_ms > now_ms && item->timestamp_ms - now_ms > limits->after_ms;
    if (!is_late && (item->timestamp_ms > now_ms || now_ms - item->timestamp_ms <= limits->before_ms)) {
        return OUTBOX_PLANNED;
    }
    (void)fault_set(f, FAULT_CONFIG,
                    "outbox: %s of a row of %s is further from now than topic %s allows; raise its "
                    "message.timestamp.%s.max.ms",
                    o->config->outbox.timestamp, o->config->outbox.table, item->route->name,
                    is_late ? "after" : "before");
    return OUTBOX_BAD_ROW;
}

// Whether the topic takes the record. One that can't be made yet holds up the outbox alone.
static enum outbox_step check_item(struct outbox *o, const struct change *change,
                                   const struct record_plan_item *item, struct fault *f)
{
    const struct topic_route *route = item->route;
    bool is_plain = item->partition < 0 && item->timestamp_ms == 0;
    if (is_plain || route->status == TOPIC_ROUTE_FAILED ||
        (route->status == TOPIC_ROUTE_WAITING && route->outage != NULL)) {
        return OUTBOX_PLANNED;
    }
    if (route->status == TOPIC_ROUTE_WAITING) {
        return OUTBOX_LATER;
    }
    enum outbox_step step = check_partition(o, change, item, f);
    return step == OUTBOX_PLANNED ? check_time(o, item, f) : step;
}

// {"payload":…,"member":…}: json columns as they are, other texts as strings.
static bool put_envelope(const struct outbox *o, const struct outbox_value *payload, struct bytes *out,
                         struct fault *f)
{
    const struct json_options plain = {0};
    const struct text_pairs *members = &o->config->outbox.envelope;
    bytes_append_string(out, "{\"payload\":");
    if (!json_encode_datum(payload->type, payload->avro, &plain, out, f)) {
        return false;
    }
    for (size_t i = 0; i < members->count; i++) {
        const struct outbox_value *value = value_of(o, members->items[i].key, f);
        if (value == NULL) {
            return false;
        }
        bytes_append_byte(out, ',');
        text_append_json(out, slice_of(members->items[i].value));
        bytes_append_byte(out, ':');
        if (!json_encode_datum(value->type, value->avro, &plain, out, f)) {
            return false;
        }
    }
    bytes_append_byte(out, '}');
    return true;
}

static bool put_value(struct outbox *o, struct record_plan *plan, struct record_plan_item *item,
                      struct fault *f)
{
    const struct outbox_value *payload = value_of(o, o->config->outbox.payload, f);
    size_t begin = record_plan_begin(plan);
    bytes_reset(&o->text);
    if (payload == NULL || !append_value(payload, &o->text, f)) {
        return false;
    }
    bool is_empty = is_null(payload) || is_blank(bytes_slice(&o->text));
    if (is_empty && (o->config->outbox.tombstone_on_empty ||
                     (is_null(payload) && o->config->outbox.envelope.count == 0))) {
        return true;
    }
    if (o->config->outbox.envelope.count == 0) {
        bytes_append_slice(&plan->bytes, bytes_slice(&o->text));
    } else if (!put_envelope(o, payload, &plan->bytes, f)) {
        return false;
    }
    item->value = record_plan_end(plan, begin);
    return true;
}

static enum outbox_step note_update(struct outbox *o, struct fault *f)
{
    if (o->config->outbox.on_update == CONNECTOR_OUTBOX_STOP) {
        (void)fault_set(f, FAULT_CONFIG,
                        "outbox: a row of %s was updated, which is no event; only insert into it, or set "
                        "outbox.on_update: warn",
                        o->config->outbox.table);
        return OUTBOX_FAULT;
    }
    if (!o->has_warned) {
        log_warn(
            o->component, "outbox_updated", LOG_WITH(LOG_TEXT("table", o->config->outbox.table)),
            "a row of the outbox %s was updated: that is no event and is ignored, as all further updates",
            o->config->outbox.table);
    }
    o->has_warned = true;
    return OUTBOX_NOTHING;
}

enum outbox_step outbox_plan(struct outbox *o, const struct change *change, struct record_plan *plan,
                             struct fault *f)
{
    if (change->op == CHANGE_DELETE || change->op == CHANGE_TRUNCATE) {
        return OUTBOX_NOTHING;
    }
    if (change->op == CHANGE_UPDATE) {
        return note_update(o, f);
    }
    if (change->after.data == NULL) {
        (void)fault_set(f, FAULT_CONFIG, "outbox: a row of %s can't be read: %s", o->config->outbox.table,
                        change->bad_reason);
        return OUTBOX_BAD_ROW;
    }
    struct topic_route *route = NULL;
    if (!use_version(o, change->table, f) || !read_row(o, change->after, f) ||
        (route = find_route(o, f)) == NULL) {
        return OUTBOX_BAD_ROW;
    }
    struct record_plan_item *item = record_plan_add(plan, RECORD_VALUE, route);
    item->position_size = (uint8_t)change_record_position(item->position, change->commit_lsn, change->index);
    item->trace = change->trace;
    if (!put_key(o, plan, item, f) || !put_value(o, plan, item, f) || !put_headers(o, plan, item, f) ||
        !put_timestamp(o, item, f) || !put_partition(o, item, f)) {
        record_plan_reset(plan);
        return OUTBOX_BAD_ROW;
    }
    return check_item(o, change, item, f);
}

bool outbox_row_json(struct outbox *o, const struct change *change, size_t max, struct bytes *out,
                     struct fault *f)
{
    if (change->after.data == NULL) {
        bytes_append_slice(out, change->bad_json);
        return true;
    }
    const struct json_options options = {.as_stored = true};
    CLEANUP(bytes_clear) struct bytes small = {0};
    return use_version(o, change->table, f) &&
           bad_row_shrink(change->table, change->after, max / (4 * (change->table->column_count + 1)), &small,
                          f) &&
           json_encode_datum(o->row, bytes_slice(&small), &options, out, f);
}

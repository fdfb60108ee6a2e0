#include "connectors/config/selection_options.h"

#include <stdlib.h>
#include <strings.h>

#include "connectors/config/name_glob.h"
#include "connectors/config/topic_reference.h"
#include "core/base/memory.h"
#include "core/base/name_regex.h"
#include "core/config/config_value.h"

static bool check_column_glob(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    return name_glob_check(value, 2, "SCHEMA.TABLE.COLUMN, as in public.customers.email", f);
}

static enum config_verdict check_row_filter(const char *key, const char *value, struct fault *f)
{
    if (!name_glob_check(key, 1, "SCHEMA.TABLE, as in public.orders", f)) {
        return CONFIG_BAD_KEY;
    }
    if (value != NULL && value[strspn(value, " \t\r\n")] == '\0') {
        (void)fault_set(f, FAULT_CONFIG, "write the condition of a WHERE, as in status <> 'draft'");
        return CONFIG_BAD_VALUE;
    }
    const char *begin = value == NULL ? "" : value + strspn(value, " \t\r\n");
    if (strncasecmp(begin, "where", 5) == 0 && begin[5] != '\0' && strchr(" (\t\n", begin[5]) != NULL) {
        (void)fault_set(f, FAULT_CONFIG, "write the condition alone, without WHERE, as in status <> 'draft'");
        return CONFIG_BAD_VALUE;
    }
    return CONFIG_GOOD;
}

static bool is_never_secret(const char *key)
{
    (void)key;
    return false;
}

static const struct config_rules column_rules = {.check = check_column_glob};
static const struct config_rules row_rules = {.check_pair = check_row_filter, .is_secret = is_never_secret};
static const struct config_choice operations[] = {
    {"create", CONNECTOR_CREATE}, {"update", CONNECTOR_UPDATE}, {"delete", CONNECTOR_DELETE}, {NULL, 0}};

static enum config_verdict check_mask(const char *key, const char *value, struct fault *f)
{
    static const struct config_file none = {0};
    (void)value;
    return check_column_glob(&none, key, f) ? CONFIG_GOOD : CONFIG_BAD_KEY;
}

static enum config_verdict check_truncate(const char *key, const char *value, struct fault *f)
{
    int64_t limit = 0;
    if (check_mask(key, value, f) != CONFIG_GOOD) {
        return CONFIG_BAD_KEY;
    }
    if (value != NULL && (!config_value_integer(value, &limit, f) || limit < 1)) {
        (void)fault_set(f, FAULT_CONFIG, "must be a number of characters, at least 1");
        return CONFIG_BAD_VALUE;
    }
    return CONFIG_GOOD;
}

static const struct config_rules mask_rules = {.check_pair = check_mask, .is_secret = is_never_secret};
static const struct config_rules truncate_rules = {.check_pair = check_truncate,
                                                   .is_secret = is_never_secret};
static const struct config_choice hashes[] = {{"sha256", CONNECTOR_SHA256},
                                              {"sha512", CONNECTOR_SHA512},
                                              {"sha1", CONNECTOR_SHA1},
                                              {"md5", CONNECTOR_MD5},
                                              {NULL, 0}};

static const struct config_option hash_options[] = {
    {.key = "columns",
     .type = CONFIG_LIST,
     .is_required = true,
     .min = 1,
     .offset = offsetof(struct connector_config, columns.hash.columns),
     .rules = &column_rules,
     .doc = "Globs over SCHEMA.TABLE.COLUMN."},
    {.key = "algorithm",
     .type = CONFIG_CHOICE,
     .choices = hashes,
     .initial = "sha256",
     .offset = offsetof(struct connector_config, columns.hash.algorithm),
     .doc = "The hash."},
    {.key = "salt",
     .type = CONFIG_SECRET,
     .is_required = true,
     .offset = offsetof(struct connector_config, columns.hash.salt),
     .doc = "Its bytes are hashed before the value's."},
    {.key = NULL},
};

static const struct config_option column_options[] = {
    {.key = "include",
     .type = CONFIG_LIST,
     .offset = offsetof(struct connector_config, columns.include),
     .rules = &column_rules,
     .otherwise = "all",
     .doc = "Columns to capture: globs over SCHEMA.TABLE.COLUMN, or a regular expression written `/…/`. The "
            "publication lists them, so that the others don't leave the database (PostgreSQL 15; not with "
            "REPLICA IDENTITY FULL). Columns of primary key and replica identity are always captured."},
    {.key = "exclude",
     .type = CONFIG_LIST,
     .offset = offsetof(struct connector_config, columns.exclude),
     .rules = &column_rules,
     .doc = "Columns to leave out of the records. Those of primary key and replica identity can't be."},
    {.key = "mask",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct connector_config, columns.mask),
     .rules = &mask_rules,
     .doc = "Columns whose values are replaced by a text: `{public.people.phone: \"***\"}`."},
    {.key = "truncate",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct connector_config, columns.truncate),
     .rules = &truncate_rules,
     .doc = "Columns of whose values only the first characters are published: `{public.people.note: 20}`."},
    {.key = "hash",
     .type = CONFIG_SECTION,
     .section = hash_options,
     .doc = "Columns whose values are replaced by the hex digits of a salted hash, as Debezium's "
            "column.mask.hash.v2."},
    {.key = NULL},
};

const struct config_option selection_options[] = {
    {.key = "columns",
     .type = CONFIG_SECTION,
     .section = column_options,
     .doc = "Which columns ([connectors.md](connectors.md#columns))."},
    {.key = "rows",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct connector_config, rows),
     .rules = &row_rules,
     .doc = "Which rows: the condition of a WHERE for a glob over SCHEMA.TABLE, as in `public.orders: status "
            "<> 'draft'`. The publication has it (PostgreSQL 15), and the snapshot "
            "([connectors.md](connectors.md#rows))."},
    {.key = "operations",
     .type = CONFIG_FLAGS,
     .choices = operations,
     .initial = "create update delete",
     .min = 1,
     .offset = offsetof(struct connector_config, operations),
     .doc = "Which changes of rows. A change of a row's key is an update, though it becomes a delete and a "
            "create."},
    {.key = "keys",
     .type = CONFIG_TREE,
     .offset = offsetof(struct connector_config, keys.tree),
     .doc = "The columns of the records' keys, for a glob over SCHEMA.TABLE, in place of the primary key: "
            "`public.orders: [customer_id]`. The replica identity must have them "
            "([connectors.md](connectors.md#keys))."},
    {.key = "partition_by",
     .type = CONFIG_TREE,
     .offset = offsetof(struct connector_config, partition_by.tree),
     .doc = "The columns that choose the partition of a table's records in place of the key, for a glob over "
            "SCHEMA.TABLE: `public.orders: [customer_id]`. The replica identity must have them "
            "([connectors.md](connectors.md#partitions))."},
    {.key = "routes",
     .type = CONFIG_TREE,
     .offset = offsetof(struct connector_config, routes.tree),
     .doc =
         "Topics of other names: a list of `{match: GLOB, topic: NAME}`; the first whose glob matches "
         "SCHEMA.TABLE counts. The name may have `{prefix}`, `{schema}` and `{table}`, and `{1}` to `{9}`, "
         "what the groups of a regular expression match "
         "([connectors.md](connectors.md#topics))."},
    {.key = NULL},
};

// --- trees ---

static struct yaml_node *tree_of(const struct config_file *file, const char *key)
{
    struct yaml_node *node = yaml_get(file->root, key);
    return node == NULL || node->kind == YAML_NULL ? NULL : node;
}

static bool is_table_glob(const struct config_file *file, struct yaml_node *node)
{
    struct fault f;
    if (node->kind != YAML_TEXT) {
        config_complain_at(file, node, "must be a glob over SCHEMA.TABLE, as in public.orders");
        return false;
    }
    if (!name_glob_check(node->text, 1, "SCHEMA.TABLE, as in public.orders", &f)) {
        config_complain_at(file, node, "%s", f.text);
        return false;
    }
    return true;
}

static void read_key(const struct config_file *file, struct yaml_node *table, struct yaml_node *columns,
                     struct connector_key *ret)
{
    ret->table = memory_string(table->text);
    if (!is_table_glob(file, table)) {
        return;
    }
    if (columns->kind != YAML_LIST || columns->count == 0) {
        config_complain_at(file, columns, "%s: write a list of columns, as in [customer_id]", table->text);
        return;
    }
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->items[i]->kind != YAML_TEXT) {
            config_complain_at(file, columns->items[i], "must be the name of a column");
        } else if (text_list_has(&ret->columns, columns->items[i]->text)) {
            config_complain_at(file, columns->items[i], "is listed already");
        } else {
            text_list_add(&ret->columns, columns->items[i]->text);
        }
    }
}

static void read_keys(const struct config_file *file, const char *option, struct connector_key **ret,
                      size_t *ret_count)
{
    struct yaml_node *keys = tree_of(file, option);
    if (keys != NULL && keys->kind != YAML_MAP) {
        config_complain_at(file, keys, "%s: write a map, as in {public.orders: [customer_id]}", option);
        return;
    }
    *ret_count = keys == NULL ? 0 : keys->count;
    *ret = memory_zeroed(*ret_count + 1, sizeof(**ret));
    for (size_t i = 0; i < *ret_count; i++) {
        read_key(file, keys->keys[i], keys->items[i], &(*ret)[i]);
    }
}

// The topic's name with its references replaced by names that are allowed everywhere. @return the highest {1}
// to {9}
static size_t replace_references(const char *topic, struct bytes *out)
{
    size_t highest = 0;
    while (*topic != '\0') {
        enum topic_reference reference;
        size_t taken = topic_reference_read(topic, &reference);
        if (taken > 0 && reference >= TOPIC_REFERENCE_GROUP) {
            size_t group = (size_t)reference - TOPIC_REFERENCE_GROUP + 1;
            highest = group > highest ? group : highest;
        }
        bytes_append_byte(out, taken > 0 ? 'x' : (uint8_t)*topic);
        topic += taken > 0 ? taken : 1;
    }
    return highest;
}

static bool check_topic(const struct config_file *file, const char *match, const char *topic, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes plain = {0};
    size_t highest = replace_references(topic, &plain);
    size_t groups = name_regex_is(match) ? name_regex_group_count(match) : 0;
    if (strchr(topic, '$') != NULL) {
        return fault_set(f, FAULT_CONFIG, "a group of the match is written {1}, not $1");
    }
    if (highest > groups) {
        return fault_set(
            f, FAULT_CONFIG,
            "{%zu}: the match has %zu groups; write it as /(…)/, with a group (…) for each number", highest,
            groups);
    }
    return config_value_check_topic(file, bytes_text(&plain), f);
}

static void read_route(const struct config_file *file, struct yaml_node *node, struct connector_route *ret)
{
    struct fault f;
    struct yaml_node *match = yaml_get(node, "match");
    struct yaml_node *topic = yaml_get(node, "topic");
    if (node->kind != YAML_MAP || match == NULL || topic == NULL || node->count != 2) {
        config_complain_at(file, node,
                           "write {match: GLOB, topic: NAME}, as in {match: public.orders_*, topic: "
                           "\"{prefix}.orders\"}");
        return;
    }
    if (!is_table_glob(file, match)) {
        return;
    }
    if (topic->kind != YAML_TEXT || topic->text[0] == '\0') {
        config_complain_at(file, topic, "topic: must be a name; it may have {prefix}, {schema} and {table}");
    } else if (!check_topic(file, match->text, topic->text, &f)) {
        config_complain_at(file, topic, "topic: %s; it may have {prefix}, {schema} and {table}", f.text);
    } else {
        ret->match = memory_string(match->text);
        ret->topic = memory_string(topic->text);
    }
}

static void read_routes(const struct config_file *file, struct connector_config *c)
{
    struct yaml_node *routes = tree_of(file, "routes");
    if (routes != NULL && routes->kind != YAML_LIST) {
        config_complain_at(file, routes, "routes: write a list of {match: GLOB, topic: NAME}");
        return;
    }
    c->routes.count = routes == NULL ? 0 : routes->count;
    c->routes.items = memory_zeroed(c->routes.count + 1, sizeof(*c->routes.items));
    for (size_t i = 0; i < c->routes.count; i++) {
        read_route(file, routes->items[i], &c->routes.items[i]);
    }
}

void selection_options_finish(const struct config_file *file, struct connector_config *c)
{
    read_keys(file, "keys", &c->keys.items, &c->keys.count);
    read_keys(file, "partition_by", &c->partition_by.items, &c->partition_by.count);
    read_routes(file, c);
}

#include "connectors/connector_config.h"

#include <ctype.h>
#include <libpq-fe.h>

#include "core/base/memory.h"
#include "core/config/config_value.h"
#include "core/config/kafka_properties.h"

enum { CONNECTOR_IDENTIFIER_MAX = 63 };  // PostgreSQL's NAMEDATALEN - 1

static void free_dsn(PQconninfoOption **parts)
{
    PQconninfoFree(*parts);
}

static const char *dsn_part(const PQconninfoOption *parts, const char *keyword)
{
    for (; parts != NULL && parts->keyword != NULL; parts++) {
        if (strcmp(parts->keyword, keyword) == 0) {
            return parts->val;
        }
    }
    return NULL;
}

// password and sslpassword: libpq marks what must not be shown.
static bool is_secret(const PQconninfoOption *part)
{
    return part->dispchar != NULL && part->dispchar[0] == '*';
}

static bool dsn_fault(const char *dsn, char *message, struct fault *f)
{
    // libpq quotes the part that it can't parse, which may be the password.
    bool is_quotable = strcasestr(dsn, "password") == NULL && strchr(dsn, '@') == NULL;
    (void)fault_set(f, FAULT_CONFIG, "%s",
                    message == NULL || !is_quotable ? "libpq can't read this connection string" : message);
    PQfreemem(message);
    return false;
}

static bool check_dsn(const struct config_file *file, const char *dsn, struct fault *f)
{
    char *message = NULL;
    CLEANUP(free_dsn) PQconninfoOption *parts = PQconninfoParse(dsn, &message);
    if (parts == NULL) {
        return dsn_fault(dsn, message, f);
    }
    if (dsn_part(parts, "replication") != NULL) {
        return fault_set(f, FAULT_CONFIG, "replication is set by millrace; take it out");
    }
    for (const PQconninfoOption *part = parts; part->keyword != NULL; part++) {
        if (part->val != NULL && is_secret(part) && !file->is_private) {
            return fault_set(
                f, FAULT_CONFIG,
                "has a %s, in a file that others may read: write the key password beside dsn, as "
                "{file: PATH} or {env: NAME}, or chmod 600",
                part->keyword);
        }
    }
    return true;
}

static void redact_dsn(const char *dsn, struct bytes *out)
{
    CLEANUP(free_dsn) PQconninfoOption *parts = PQconninfoParse(dsn, NULL);
    bool is_first = true;
    for (const PQconninfoOption *part = parts; part != NULL && part->keyword != NULL; part++) {
        if (part->val == NULL) {
            continue;
        }
        const char *value = is_secret(part) ? "***" : part->val;
        bytes_format(out, "%s%s='", is_first ? "" : " ", part->keyword);
        for (; *value != '\0'; value++) {
            if (*value == '\'' || *value == '\\') {
                bytes_append_byte(out, '\\');
            }
            bytes_append_byte(out, (uint8_t)*value);
        }
        bytes_append_byte(out, '\'');
        is_first = false;
    }
}

static bool check_table_glob(const struct config_file *file, const char *value, struct fault *f)
{
    if (!config_value_check_glob(file, value, f)) {
        return false;
    }
    if (value[0] != '/' && strchr(value, '.') == NULL && strchr(value, '*') == NULL) {
        CLEANUP(bytes_clear) struct bytes quoted = {0};
        config_value_quote(value, &quoted);
        return fault_set(f, FAULT_CONFIG, "%s matches no table; write SCHEMA.TABLE, as in public.orders",
                         bytes_text(&quoted));
    }
    return true;
}

static bool check_slot(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    size_t length = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (value[length] != '\0' || length > CONNECTOR_IDENTIFIER_MAX) {
        return fault_set(f, FAULT_CONFIG, "a slot name must have 1 to 63 characters of a-z, 0-9 and _");
    }
    return true;
}

static bool check_publication(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    for (const char *c = value; *c != '\0'; c++) {
        if (iscntrl((unsigned char)*c)) {
            return fault_set(f, FAULT_CONFIG, "a publication name must not have control characters");
        }
    }
    if (strlen(value) > CONNECTOR_IDENTIFIER_MAX) {
        return fault_set(f, FAULT_CONFIG, "a publication name must have at most 63 bytes");
    }
    return true;
}

static enum config_verdict check_topic_pair(const char *key, const char *value, struct fault *f)
{
    bool is_key_bad = false;
    if (kafka_properties_check_topic(key, value, &is_key_bad, f)) {
        return CONFIG_GOOD;
    }
    return is_key_bad ? CONFIG_BAD_KEY : CONFIG_BAD_VALUE;
}

static const struct config_rules dsn_rules = {.check = check_dsn, .redact = redact_dsn};
static const struct config_rules prefix_rules = {.check = config_value_check_topic};
static const struct config_rules glob_rules = {.check = check_table_glob};
static const struct config_rules slot_rules = {.check = check_slot};
static const struct config_rules publication_rules = {.check = check_publication};
static const struct config_rules topic_rules = {
    .check_pair = check_topic_pair,
};

static const struct config_option postgres_options[] = {
    {.key = "dsn",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct connector_config, postgres.dsn),
     .rules = &dsn_rules,
     .doc = "Connection string of the database, as libpq takes it: `host=db dbname=shop user=millrace` or "
            "`postgresql://millrace@db/shop`. A role with REPLICATION."},
    {.key = "password",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct connector_config, postgres.password),
     .doc = "Its password, unless ~/.pgpass or the server's rules make it unnecessary."},
    {.key = NULL},
};

static const struct config_option tables_options[] = {
    {.key = "include",
     .type = CONFIG_LIST,
     .initial = "public.*",
     .min = 1,
     .offset = offsetof(struct connector_config, tables.include),
     .rules = &glob_rules,
     .doc = "Tables to capture: globs over SCHEMA.TABLE, or a regular expression written `/…/`. Tables that "
            "appear later and match are read and captured too. A partitioned table stands for its "
            "partitions, present and "
            "to come; each has the topic of its own name."},
    {.key = "exclude",
     .type = CONFIG_LIST,
     .offset = offsetof(struct connector_config, tables.exclude),
     .rules = &glob_rules,
     .doc = "Of these, the tables to leave out; a partitioned table with all its partitions."},
    {.key = "publish_inserts_only",
     .type = CONFIG_LIST,
     .offset = offsetof(struct connector_config, tables.publish_inserts_only),
     .rules = &glob_rules,
     .doc = "Tables without primary key or replica identity whose inserts are captured; their updates and "
            "deletes can't be. A partitioned table stands for its partitions."},
    {.key = NULL},
};

static const struct config_option slot_options[] = {
    {.key = "name",
     .type = CONFIG_TEXT,
     .otherwise = "millrace_NAME",
     .offset = offsetof(struct connector_config, slot.name),
     .rules = &slot_rules,
     .doc = "The replication slot."},
    {.key = "publication",
     .type = CONFIG_TEXT,
     .otherwise = "millrace_NAME",
     .offset = offsetof(struct connector_config, slot.publication),
     .rules = &publication_rules,
     .doc = "The publication."},
    {.key = "create",
     .type = CONFIG_BOOL,
     .initial = "true",
     .offset = offsetof(struct connector_config, slot.create),
     .doc = "Make slot and publication when they are missing, and keep the publication's tables up to date; "
            "else say which SQL to run. A slot made by hand needs snapshot: never."},
    {.key = NULL},
};

static const struct config_option topics_options[] = {
    {.key = "partitions",
     .type = CONFIG_INTEGER,
     .otherwise = "the broker's",
     .min = 1,
     .max = 100000,
     .offset = offsetof(struct connector_config, topics.partitions),
     .doc = "Partitions of a table's topic."},
    {.key = "replication",
     .type = CONFIG_INTEGER,
     .otherwise = "the broker's",
     .min = 1,
     .max = 1000,
     .offset = offsetof(struct connector_config, topics.replication),
     .doc = "Replicas of each partition."},
    {.key = "config",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct connector_config, topics.config),
     .rules = &topic_rules,
     .doc = "Kafka's topic properties."},
    {.key = NULL},
};

static const struct config_option trace_options[] = {
    {.key = "column",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct connector_config, tracing.column),
     .doc = "Name of a text column whose value is the traceparent of the row's last change, or has a line "
            "`traceparent=…`, as Debezium's `tracingspancontext`. Tables without it have none; a message in "
            "the transaction takes precedence."},
    {.key = NULL},
};

static const struct config_choice snapshots[] = {
    {"initial", CONNECTOR_SNAPSHOT_INITIAL}, {"never", CONNECTOR_SNAPSHOT_NEVER}, {NULL, 0}};
static const struct config_choice bad_rows[] = {
    {"stop", CONNECTOR_BAD_ROW_STOP}, {"dead_letter", CONNECTOR_BAD_ROW_DEAD_LETTER}, {NULL, 0}};
static const struct config_choice types[] = {{"debezium", 0}, {NULL, 0}};
static const struct config_choice deliveries[] = {{"at_least_once", 0}, {NULL, 0}};

static const struct config_option file_options[] = {
    {.key = "postgres",
     .type = CONFIG_SECTION,
     .is_required = true,
     .section = postgres_options,
     .doc = "The database."},
    {.key = "topic_prefix",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct connector_config, topic_prefix),
     .rules = &prefix_rules,
     .doc = "First part of every topic's name: PREFIX.SCHEMA.TABLE."},
    {.key = "tables", .type = CONFIG_SECTION, .section = tables_options, .doc = "Which tables."},
    {.key = "slot",
     .type = CONFIG_SECTION,
     .section = slot_options,
     .doc = "What the connector keeps in PostgreSQL. NAME is the file's name with _ for -."},
    {.key = "snapshot",
     .type = CONFIG_CHOICE,
     .choices = snapshots,
     .initial = "initial",
     .offset = offsetof(struct connector_config, snapshot),
     .doc =
         "Publish the rows that are there at the first start, or only what changes from then on. With "
         "initial, a slot that exists before the first start is refused. Tables that appear later are read "
         "either way."},
    {.key = "on_bad_row",
     .type = CONFIG_CHOICE,
     .choices = bad_rows,
     .initial = "stop",
     .offset = offsetof(struct connector_config, on_bad_row),
     .doc =
         "What to do with a row that Kafka can't take (too large) or that can't be encoded in Avro (numeric "
         "NaN in a NOT NULL column): stop its table there, or put it aside and go on."},
    {.key = "types",
     .type = CONFIG_CHOICE,
     .choices = types,
     .initial = "debezium",
     .offset = CONFIG_NO_TARGET,
     .doc = "How column types become Avro: as Debezium does it."},
    {.key = "delivery",
     .type = CONFIG_CHOICE,
     .choices = deliveries,
     .initial = "at_least_once",
     .offset = CONFIG_NO_TARGET,
     .doc = "What Kafka gets: every change, some twice after a crash, with the same id."},
    {.key = "topics",
     .type = CONFIG_SECTION,
     .section = topics_options,
     .doc = "For topics that the connector creates; those that are there stay as they are."},
    {.key = "tracing",
     .type = CONFIG_SECTION,
     .section = trace_options,
     .doc = "Where the trace of a change is, besides its transaction (docs/tracing.md)."},
    {.key = NULL},
};

char *connector_config_slot(const char *connector)
{
    char *name = memory_format("millrace_%s", connector);
    for (char *c = name; *c != '\0'; c++) {
        if (*c == '-') {
            *c = '_';
        }
    }
    return name;
}

static void default_name(const struct config_file *file, char **target)
{
    if (*target == NULL) {
        *target = connector_config_slot(file->name);
    }
}

static void check_lengths(const struct config_file *file, const struct connector_config *c)
{
    static const char inserts[] = "_inserts";  // ends the name of the second publication
    size_t room = CONNECTOR_IDENTIFIER_MAX - (sizeof(inserts) - 1);
    if (strlen(c->slot.name) > CONNECTOR_IDENTIFIER_MAX && config_is_sound(file, "slot.name")) {
        config_complain(file, "slot",
                        "slot: %s is longer than the 63 bytes of a PostgreSQL name; set slot.name",
                        c->slot.name);
    }
    if (strlen(c->slot.publication) > CONNECTOR_IDENTIFIER_MAX && config_is_sound(file, "slot.publication")) {
        config_complain(file, "slot",
                        "slot: %s is longer than the 63 bytes of a PostgreSQL name; set slot.publication",
                        c->slot.publication);
    } else if (strlen(c->slot.publication) > room && c->tables.publish_inserts_only.count > 0) {
        config_complain(
            file, "slot.publication",
            "publication: with publish_inserts_only it must have at most %zu bytes, to leave room for %s",
            room, inserts);
    }
}

static void finish(const struct config_file *file, void *config)
{
    struct connector_config *c = config;
    c->name = memory_string(file->name);
    default_name(file, &c->slot.name);
    default_name(file, &c->slot.publication);
    check_lengths(file, c);
    if (c->postgres.dsn == NULL || c->postgres.password == NULL) {
        return;
    }
    CLEANUP(free_dsn) PQconninfoOption *parts = PQconninfoParse(c->postgres.dsn, NULL);
    if (dsn_part(parts, "password") != NULL) {
        config_complain(file, "postgres.password", "password: dsn has one too; keep one of them");
    }
}

bool connector_config_same_database(const struct connector_config *a, const struct connector_config *b)
{
    static const char *const parts[] = {"service", "host", "hostaddr", "port", "dbname"};
    if (a->postgres.dsn == NULL || b->postgres.dsn == NULL) {
        return false;
    }
    CLEANUP(free_dsn) PQconninfoOption *left = PQconninfoParse(a->postgres.dsn, NULL);
    CLEANUP(free_dsn) PQconninfoOption *right = PQconninfoParse(b->postgres.dsn, NULL);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *one = dsn_part(left, parts[i]);
        const char *other = dsn_part(right, parts[i]);
        if ((one == NULL) != (other == NULL) || (one != NULL && strcmp(one, other) != 0)) {
            return false;
        }
    }
    return true;
}

void connector_config_clear(struct connector_config *c)
{
    if (c == NULL) {
        return;
    }
    free(c->name);
    memory_free_secret(c->postgres.dsn);
    memory_free_secret(c->postgres.password);
    free(c->topic_prefix);
    text_list_clear(&c->tables.include);
    text_list_clear(&c->tables.exclude);
    text_list_clear(&c->tables.publish_inserts_only);
    free(c->slot.name);
    free(c->slot.publication);
    text_pairs_clear(&c->topics.config);
    free(c->tracing.column);
    *c = (struct connector_config){0};
}

const struct config_kind connector_config_kind = {
    .name = "connector",
    .place = "connectors/NAME.yaml",
    .doc = "One database whose changes go to Kafka. The file's name is the connector's.",
    .example = "postgres:\n"
               "  dsn: host=db dbname=shop user=millrace\n"
               "  password: {env: SHOP_PASSWORD}\n"
               "topic_prefix: shop\n"
               "tables: {include: [public.*], exclude: [public.audit_*]}\n"
               "snapshot: initial\n"
               "topics: {partitions: 6, replication: 3, config: {retention.ms: 604800000}}\n",
    .options = file_options,
    .size = sizeof(struct connector_config),
    .finish = finish,
};

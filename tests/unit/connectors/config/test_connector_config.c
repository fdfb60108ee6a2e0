// connectors/config/connector_config: connectors/NAME.yaml.
#include "tests/unit/config_case.h"

#include "connectors/config/connector_config.h"

static const char golden[] =
    "postgres: {dsn: \"host=db dbname=shop user=millrace\", password: {env: MILLRACE_TEST_SECRET}}\n"
    "topic_prefix: shop\n"
    "tables: {include: [public.*, '/^x\\.y$/'], exclude: [public.audit_*], publish_inserts_only: "
    "[public.log]}\n"
    "slot: {name: s, publication: P, create: false}\n"
    "snapshot: never\n"
    "on_bad_row: dead_letter\n"
    "types: debezium\n"
    "delivery: at_least_once\n"
    "columns: {include: [public.*.*], exclude: [public.orders.card]}\n"
    "rows: {public.orders: \"status <> 'draft'\"}\n"
    "operations: [create, delete]\n"
    "keys: {public.vis*: [customer_id, id]}\n"
    "routes: [{match: public.log_*, topic: '{prefix}.logs'}]\n"
    "topics: {partitions: 6, replication: 3, config: {retention.ms: -1}, groups: [{match: shop.*.log, "
    "config: {cleanup.policy: compact}}, {match: '*', partitions: 1}]}\n";

static void clear_config(void *config)
{
    connector_config_clear(config);
}

static void check_complaints(const char *text, const char *expected)
{
    struct config_case c = {0};
    struct connector_config config;
    config_case_read(&c, &connector_config_kind, slice_of(text), &config);
    assert_string_equal(bytes_text(&c.text), expected);
    connector_config_clear(&config);
    config_case_clear(&c);
}

static void every_key_is_read(void **state)
{
    (void)state;
    (void)setenv("MILLRACE_TEST_SECRET", "hunter2", 1);
    struct config_case c = {0};
    struct connector_config config;
    config_case_read(&c, &connector_config_kind, slice_of(golden), &config);
    assert_string_equal(bytes_text(&c.text), "");
    assert_string_equal(config.name, "order-email");
    assert_string_equal(config.postgres.password, "hunter2");
    assert_string_equal(config.topic_prefix, "shop");
    assert_int_equal(config.tables.include.count, 2);
    assert_true(text_list_glob_match(&config.tables.include, "x.y"));
    assert_string_equal(config.tables.publish_inserts_only.items[0], "public.log");
    assert_string_equal(config.slot.name, "s");
    assert_string_equal(config.slot.publication, "P");
    assert_false(config.slot.create);
    assert_int_equal(config.snapshot, CONNECTOR_SNAPSHOT_NEVER);
    assert_int_equal(config.on_bad_row, CONNECTOR_BAD_ROW_DEAD_LETTER);
    const struct text_list none = {0};
    assert_true(connector_config_has_column(&config, "public.orders", &none, "id"));
    assert_false(connector_config_has_column(&config, "public.orders", &none, "card"));
    assert_string_equal(connector_config_row_filter(&config, "public.orders"), "status <> 'draft'");
    assert_null(connector_config_row_filter(&config, "public.order"));
    assert_int_equal(config.operations, CONNECTOR_CREATE | CONNECTOR_DELETE);
    assert_string_equal(connector_config_key(&config, "public.visits", &none)->items[1], "id");
    assert_null(connector_config_key(&config, "public.orders", &none));
    assert_string_equal(config.routes.items[0].topic, "{prefix}.logs");
    assert_int_equal(config.topics.partitions, 6);
    assert_string_equal(text_pairs_get(&config.topics.config, "retention.ms"), "-1");
    assert_int_equal(config.topics.groups.count, 2);
    assert_string_equal(config.topics.groups.items[0].match, "shop.*.log");
    assert_int_equal(config.topics.groups.items[0].partitions, 6);
    assert_string_equal(text_pairs_get(&config.topics.groups.items[0].config, "retention.ms"), "-1");
    assert_string_equal(text_pairs_get(&config.topics.groups.items[0].config, "cleanup.policy"), "compact");
    assert_int_equal(config.topics.groups.items[1].partitions, 1);
    connector_config_clear(&config);
    config_case_clear(&c);
}

static void defaults_come_from_the_files_name(void **state)
{
    (void)state;
    struct config_case c = {0};
    struct connector_config config;
    config_case_read(&c, &connector_config_kind, slice_of("postgres: {dsn: host=db}\ntopic_prefix: shop\n"),
                     &config);
    assert_string_equal(bytes_text(&c.text), "");
    assert_string_equal(config.slot.name, "millrace_order_email");
    assert_string_equal(config.slot.publication, "millrace_order_email");
    assert_true(config.slot.create);
    assert_int_equal(config.tables.include.count, 1);
    assert_string_equal(config.tables.include.items[0], "public.*");
    assert_int_equal(config.tables.exclude.count, 0);
    assert_int_equal(config.snapshot, CONNECTOR_SNAPSHOT_INITIAL);
    assert_int_equal(config.on_bad_row, CONNECTOR_BAD_ROW_STOP);
    assert_int_equal(config.topics.partitions, 0);
    connector_config_clear(&config);
    config_case_clear(&c);
}

static void settings_of_debezium_are_answered(void **state)
{
    (void)state;
#define FILE_WITH(line) "topic_prefix: a\npostgres: {dsn: host=h}\n" line "\n"
    check_complaints(
        FILE_WITH("slot.drop.on.stop: true"),
        "f.yaml:3:1: error: unknown key \"slot.drop.on.stop\", a setting of Debezium: none: what "
        "changes until the next start would be lost; drop the slot by SQL when you part with it\n");
    check_complaints(FILE_WITH("debezium.source.table.exclude.list: x"),
                     "f.yaml:3:1: error: unknown key \"debezium.source.table.exclude.list\", a setting of "
                     "Debezium: tables.exclude\n");
    check_complaints(FILE_WITH("slot: {slot.name: x}"),
                     "f.yaml:3:8: error: unknown key \"slot.name\", a setting of Debezium: slot.name\n");
    check_complaints(FILE_WITH("transforms.outbox.route.by.field: x"),
                     "f.yaml:3:1: error: unknown key \"transforms.outbox.route.by.field\", a setting of "
                     "Debezium: outbox.route_by\n");
    check_complaints(FILE_WITH("column.mask.with.12.chars: public.a.b"),
                     "f.yaml:3:1: error: unknown key \"column.mask.with.12.chars\", a setting of Debezium: "
                     "columns.mask: a map of columns and texts; for 5 characters {public.people.phone: "
                     "\"*****\"}\n");
    check_complaints(FILE_WITH("snapshot: no_data"),
                     "f.yaml:3:11: error: snapshot: \"no_data\" is a value of Debezium; write never\n");
    check_complaints(FILE_WITH("snapshot: initial_only"),
                     "f.yaml:3:11: error: snapshot: \"initial_only\" of Debezium has no counterpart; write "
                     "initial or never\n");
    check_complaints(FILE_WITH("tabels: {}"),
                     "f.yaml:3:1: error: unknown key \"tabels\"; did you mean \"tables\"?\n");
#undef FILE_WITH
}

static void libpq_judges_the_connection_string_and_no_password_is_shown(void **state)
{
    (void)state;
    check_complaints("topic_prefix: a\npostgres: {dsn: 'hots=db'}\n",
                     "f.yaml:2:17: error: dsn: invalid connection option \"hots\"\n");
    check_complaints("topic_prefix: a\npostgres: {dsn: 'postgresql://u:hunter2@h/d?x=1'}\n",
                     "f.yaml:2:17: error: dsn: libpq can't read this connection string\n");
    check_complaints("topic_prefix: a\npostgres: {dsn: 'host=h password=hunter2 x'}\n",
                     "f.yaml:2:17: error: dsn: libpq can't read this connection string\n");
    check_complaints(
        "topic_prefix: a\npostgres: {dsn: 'postgresql://u:hunter2@h/d'}\n",
        "f.yaml:2:17: error: dsn: has a password, in a file that others may read: write the key password "
        "beside dsn, as {file: PATH} or {env: NAME}, or chmod 600\n");
    check_complaints("topic_prefix: a\npostgres: {dsn: 'host=h replication=database'}\n",
                     "f.yaml:2:17: error: dsn: replication is set by millrace; take it out\n");
}

static void a_password_in_the_dsn_of_a_private_file_is_shown_as_stars(void **state)
{
    (void)state;
    struct config_case c = {.file = {.is_private = true}};
    struct connector_config config;
    config_case_read(&c, &connector_config_kind,
                     slice_of("topic_prefix: a\npostgres: {dsn: 'postgresql://u:hunter2@h/d'}\n"), &config);
    assert_string_equal(bytes_text(&c.text), "");
    struct bytes shown = {0};
    config_show(&connector_config_kind, &config, &shown);
    assert_null(strstr(bytes_text(&shown), "hunter2"));
    assert_non_null(strstr(bytes_text(&shown), "password='***'"));
    bytes_clear(&shown);
    connector_config_clear(&config);
    config_case_clear(&c);
}

static void what_does_not_work_yet_is_refused(void **state)
{
    (void)state;
    check_complaints(
        "postgres: {dsn: host=db}\ntopic_prefix: sh op\ntypes: avro\ndelivery: exactly_once\n"
        "tabels: {}\nslot: {name: Bad}\ntables: {include: [orders]}\ntopics: {config: {Retention: 1}}\n",
        "f.yaml:2:15: error: topic_prefix: \"sh op\" is no topic name: only letters, digits, '.', '_' "
        "and '-' are\n"
        "f.yaml:3:8: error: types: \"avro\" is not valid; write debezium or native\n"
        "f.yaml:4:11: error: delivery: \"exactly_once\" is not valid; write at_least_once\n"
        "f.yaml:5:1: error: unknown key \"tabels\"; did you mean \"tables\"?\n"
        "f.yaml:6:14: error: name: a slot name must have 1 to 63 characters of a-z, 0-9 and _\n"
        "f.yaml:7:20: error: include: \"orders\" matches nothing; write SCHEMA.TABLE, as in "
        "public.orders\n"
        "f.yaml:8:19: error: topics have no property \"Retention\"; did you mean \"retention.ms\"?\n");
}

static void a_topic_has_records_of_one_kind_and_is_not_reserved(void **state)
{
    (void)state;
#define RESERVED                                                                                             \
    "is reserved: names that begin with millrace. are millrace's own, those that begin with __ Kafka's; "    \
    "choose another one, as in shop.orders\n"
    check_complaints("postgres: {dsn: host=db}\ntopic_prefix: millrace\n",
                     "f.yaml:2:15: error: topic_prefix: millrace " RESERVED);
    check_complaints("postgres: {dsn: host=db}\ntopic_prefix: __x\n",
                     "f.yaml:2:15: error: topic_prefix: __x " RESERVED);
    check_complaints(
        "postgres: {dsn: host=db}\ntopic_prefix: shop\n"
        "heartbeat: {interval: 1s, topic: millrace.state}\n"
        "outbox: {table: public.o, topic: 'millrace.{aggregatetype}'}\n"
        "routes: [{match: public.a, topic: '__{table}'}, {match: public.b, topic: millrace.schemas}]\n",
        "f.yaml:3:34: error: topic: topic millrace.state " RESERVED
        "f.yaml:4:34: error: topic: topic millrace.{aggregatetype} " RESERVED
        "f.yaml:5:35: error: topic __{table} " RESERVED
        "f.yaml:5:74: error: topic millrace.schemas " RESERVED);
    check_complaints(
        "postgres: {dsn: host=db}\ntopic_prefix: shop\n"
        "heartbeat: {interval: 1s, topic: shop.transaction}\ntransactions: {topic: true}\n"
        "schema_changes: {topic: true}\nmessages: {include: ['*']}\n"
        "outbox: {table: public.o, topic: shop}\n"
        "routes: [{match: public.a, topic: '{prefix}.message'}]\n",
        "f.yaml:3:34: error: topic: topic shop.transaction is that of transactions "
        "(transactions.topic), and a topic has records of one kind; choose another one\n"
        "f.yaml:7:34: error: topic: topic shop is that of schema changes (schema_changes.topic), "
        "and a topic has records of one kind; choose another one\n"
        "f.yaml:8:35: error: topic shop.message is that of logical messages (messages.include), "
        "and a topic has records of one kind; choose another one\n");
    // What is not wanted takes no name, and the heartbeats' default is Debezium's.
    check_complaints("postgres: {dsn: host=db}\ntopic_prefix: shop\n"
                     "heartbeat: {interval: 1s, topic: __debezium-heartbeat.shop}\n"
                     "routes: [{match: public.a, topic: '{prefix}.message'}]\n",
                     "");
}

static void groups_of_topics_are_checked_at_their_places(void **state)
{
    (void)state;
    check_complaints(
        "postgres: {dsn: host=db}\ntopic_prefix: shop\n"
        "topics: {groups: [{match: 'sh op', partitions: 0}, {partitions: 1},\n"
        "  {match: shop.*, config: {retention.mss: 1, segment.ms: 1h}, replicas: 3}]}\n",
        "f.yaml:3:27: error: match: \"sh op\" is no topic name: only letters, digits, '.', '_' and '-' are\n"
        "f.yaml:3:48: error: partitions: must be a number from 1 to 100000\n"
        "f.yaml:3:52: error: write {match: GLOB, partitions: N, replication: N, config: {NAME: VALUE}}, as "
        "in {match: shop.public.orders, partitions: 12}\n"
        "f.yaml:4:28: error: topics have no property \"retention.mss\"; did you mean \"retention.ms\"?\n"
        "f.yaml:4:58: error: \"1h\" must be a whole number, as brokers take it: 604800000, not 7d\n"
        "f.yaml:4:63: error: write {match: GLOB, partitions: N, replication: N, config: {NAME: VALUE}}, as "
        "in {match: shop.public.orders, partitions: 12}\n");
    check_complaints("postgres: {dsn: host=db}\ntopic_prefix: shop\ntopics: {groups: {match: a}}\n",
                     "f.yaml:3:18: error: groups: write a list of {match: GLOB, …}\n");
}

static void what_could_only_fail_later_is_refused(void **state)
{
    (void)state;
    check_complaints("postgres: {dsn: host=db}\ntopic_prefix: shop\n"
                     "tables: {include: [public.a, public.b], exclude: ['public.a*']}\n"
                     "rows: {public.b: 'WHERE a > 1', public.c: 'whereabouts > 1'}\n"
                     "topics: {replication: 3, config: {min.insync.replicas: 4, cleanup.policy: compakt}}\n",
                     "f.yaml:3:20: error: include: tables.exclude leaves public.a out; take it out of one of "
                     "them\n"
                     "f.yaml:4:18: error: \"public.b\": write the condition alone, without WHERE, as in "
                     "status <> 'draft'\n"
                     "f.yaml:5:34: error: min.insync.replicas: 4 is more than the replication, 3\n"
                     "f.yaml:5:75: error: \"cleanup.policy\": \"compakt\" must be compact, delete or "
                     "\"compact,delete\"\n");
    check_complaints(
        "postgres: {dsn: 'host=db sslmode=verify-full sslrootcert=/no/ca.pem'}\ntopic_prefix: shop\n",
        "f.yaml:1:17: error: dsn: sslrootcert can't be read: /no/ca.pem: No such file or "
        "directory\n");
}

static void globs_that_match_something_else_than_meant_are_refused(void **state)
{
    (void)state;
    check_complaints(
        "postgres: {dsn: host=db}\ntopic_prefix: shop\n"
        "tables: {include: [public.orders_.*, 'public.a,public.b', shop.public.orders, '/public\\.x.*/'],\n"
        "  exclude: [public.*.*, 'public.x[.]*', 'a.b*.c']}\n"
        "columns: {mask: {public.people.phone.*: '***'}, exclude: ['*.*.ssn', shop.public.a.b]}\n"
        "rows: {public.o.*: a > 1}\n"
        "routes: [{match: public.l.*, topic: x}, {match: '/public\\.(a)_(?:b)/', topic: 'x{2}'},\n"
        "  {match: public.y, topic: 'x$1'}]\n"
        "messages: {include: [(audit|x), 'a,b', millrace.x, 'a.*']}\n",
        "f.yaml:3:20: error: include: \"public.orders_.*\" matches only names that have a dot in them; write "
        "public.orders_*, or a regular expression between slashes; a dot of a name as [.]\n"
        "f.yaml:3:38: error: include: \"public.a,public.b\" has a comma: write each entry as an item of its "
        "own, as in [a, b]; a comma of a name as [,]\n"
        "f.yaml:3:59: error: include: \"shop.public.orders\" begins with the topic prefix, which names of "
        "the database don't have; write public.orders\n"
        "f.yaml:4:13: error: exclude: \"public.*.*\" matches only names that have a dot in them; write "
        "public.*, or a regular expression between slashes; a dot of a name as [.]\n"
        "f.yaml:4:41: error: exclude: \"a.b*.c\" matches only names that have a dot in them; write a regular "
        "expression between slashes; a dot of a name as [.]\n"
        "f.yaml:5:18: error: mask: \"public.people.phone.*\" matches only names that have a dot in them; "
        "write public.people.phone*, or a regular expression between slashes; a dot of a name as [.]\n"
        "f.yaml:5:70: error: exclude: \"shop.public.a.b\" begins with the topic prefix, which names of the "
        "database don't have; write public.a.b\n"
        "f.yaml:6:8: error: rows: \"public.o.*\" matches only names that have a dot in them; write "
        "public.o*, or a regular expression between slashes; a dot of a name as [.]\n"
        "f.yaml:7:18: error: routes: \"public.l.*\" matches only names that have a dot in them; write "
        "public.l*, or a regular expression between slashes; a dot of a name as [.]\n"
        "f.yaml:7:79: error: topic: {2}: the match has 1 groups; write it as /(…)/, with a group (…) for "
        "each number; it may have {prefix}, {schema} and {table}\n"
        "f.yaml:8:28: error: topic: a group of the match is written {1}, not $1; it may have {prefix}, "
        "{schema} and {table}\n"
        "f.yaml:9:22: error: include: \"(audit|x)\" is a glob, and looks like a regular expression; write "
        "that between slashes, or a glob, as in audit*\n"
        "f.yaml:9:33: error: include: \"a,b\" has a comma: write each entry as an item of its own, as in [a, "
        "b]; a comma of a name as [,]\n"
        "f.yaml:9:40: error: include: \"millrace.x\" matches only messages that are never published; take it "
        "out\n");
}

static void selections_are_checked_at_their_places(void **state)
{
    (void)state;
    check_complaints(
        "postgres: {dsn: host=db}\ntopic_prefix: shop\n"
        "columns: {exclude: [email, public.people.email]}\n"
        "rows: {orders: a > 1, public.orders: ''}\n"
        "operations: []\n"
        "keys: {public.orders: id, public.visits: [[a]], public.a: [id, id]}\n"
        "routes: [{match: public.a}, {match: public.a, topic: 'a b'}, {match: public.a, topic: "
        "'{schema}.x'}]\n",
        "f.yaml:3:21: error: exclude: \"email\" matches nothing; write SCHEMA.TABLE.COLUMN, as in "
        "public.customers.email\n"
        "f.yaml:4:8: error: \"orders\" matches nothing; write SCHEMA.TABLE, as in public.orders\n"
        "f.yaml:4:38: error: \"public.orders\": write the condition of a WHERE, as in status <> 'draft'\n"
        "f.yaml:5:13: error: operations: the list is empty\n"
        "f.yaml:6:23: error: public.orders: write a list of columns, as in [customer_id]\n"
        "f.yaml:6:43: error: must be the name of a column\n"
        "f.yaml:6:64: error: is listed already\n"
        "f.yaml:7:10: error: write {match: GLOB, topic: NAME}, as in {match: public.orders_*, topic: "
        "\"{prefix}.orders\"}\n"
        "f.yaml:7:54: error: topic: \"a b\" is no topic name: only letters, digits, '.', '_' and '-' are; it "
        "may "
        "have {prefix}, {schema} and {table}\n");
}

static void globs_and_regular_expressions_are_told_apart(void **state)
{
    (void)state;
    check_complaints(
        "postgres: {dsn: host=db}\ntopic_prefix: shop\n"
        "tables: {include: [public\\.orders, '(a|b).c', '/orders_[0-9]/'], exclude: ['/orders/']}\n"
        "columns: {mask: {/ssn/: x, '*.*.ssn': x, /.*ssn/: x, '[(|]*': y}}\n",
        "f.yaml:3:20: error: include: \"public\\\\.orders\" is a glob, and looks like a regular expression; "
        "write that between slashes\n"
        "f.yaml:3:36: error: include: \"(a|b).c\" is a glob, and looks like a regular expression; write that "
        "between slashes\n"
        "f.yaml:3:76: error: exclude: \"/orders/\" matches nothing: a regular expression must match the "
        "whole "
        "of SCHEMA.TABLE, as in public.orders\n"
        "f.yaml:4:18: error: \"/ssn/\" matches nothing: a regular expression must match the whole of "
        "SCHEMA.TABLE.COLUMN, as in public.customers.email\n");
}

static void keys_without_effect_are_refused(void **state)
{
    (void)state;
    check_complaints("postgres: {dsn: host=db}\ntopic_prefix: shop\n"
                     "messages: {exclude: [app.*]}\n"
                     "heartbeat: {action_query: select 1}\n"
                     "routes: [{match: public.a, topic: ''}]\n"
                     "tables: {include: ['/public\\.a_\\R+/']}\n",
                     "f.yaml:3:21: error: exclude: no messages are published without include; write include: "
                     "['*'] for all "
                     "others\n"
                     "f.yaml:4:27: error: action_query: is run with heartbeats; set interval, too\n"
                     "f.yaml:5:35: error: topic: must be a name; it may have {prefix}, {schema} and {table}\n"
                     "f.yaml:6:20: error: include: \"/public\\\\.a_\\\\R+/\" has \\R, which POSIX regular "
                     "expressions lack\n");
    check_complaints("postgres: {dsn: host=db}\ntopic_prefix: shop\nheartbeat: {topic: beats}\n",
                     "f.yaml:3:20: error: topic: gets no heartbeats without interval; set it, too\n");
    check_complaints(
        "postgres: {dsn: host=db}\ntopic_prefix: shop\nheartbeat: {topic: beats, interval: 0s}\n", "");
}

static void complete_values_need_every_change_that_sets_them(void **state)
{
    (void)state;
    check_complaints(
        "postgres: {dsn: host=db}\ntopic_prefix: shop\noperations: [update]\norigin: none\n"
        "rows: {public.a: id > 1}\ntoast: complete\n",
        "f.yaml:6:8: error: toast: complete needs the values that creates and updates send; add both to "
        "operations\n"
        "f.yaml:6:8: error: toast: complete with rows needs deletes, which say that a row does not match any "
        "more; add delete to operations\n"
        "f.yaml:6:8: error: toast: complete needs the changes of all origins; take origin: any, or another "
        "toast\n");
}

static void an_outbox_is_a_table_that_is_captured(void **state)
{
    (void)state;
    check_complaints(
        "postgres: {dsn: host=db}\ntopic_prefix: shop\nsnapshot: never\n"
        "outbox: {table: events.outbox, topic: '{aggregatetype}.a b', delete_after_capture: true}\n",
        "f.yaml:4:17: error: table: tables does not include events.outbox\n"
        "f.yaml:4:39: error: topic: \"x.a b\" is no topic name: only letters, digits, '.', '_' and '-' are\n"
        "f.yaml:4:84: error: delete_after_capture: needs snapshot: initial; with never it would delete rows "
        "that were never published\n");
    check_complaints("postgres: {dsn: host=db}\ntopic_prefix: shop\noutbox: {table: outbox}\n",
                     "f.yaml:3:17: error: table: write SCHEMA.TABLE, as in public.outbox\n");
    check_complaints("postgres: {dsn: host=db}\ntopic_prefix: shop\noutbox: {table: public.}\n",
                     "f.yaml:3:17: error: table: write SCHEMA.TABLE, as in public.outbox\n");
    check_complaints("postgres: {dsn: host=db}\ntopic_prefix: shop\norigin: none\noperations: [delete]\n"
                     "outbox: {table: public.outbox, delete_after_capture: true}\n",
                     "f.yaml:5:17: error: table: its rows are no events without create among operations\n"
                     "f.yaml:5:54: error: delete_after_capture: needs origin: any; with none it would delete "
                     "rows of other "
                     "servers, which were never published\n");
}

static void topic_properties_are_the_brokers_and_so_are_their_values(void **state)
{
    (void)state;
    check_complaints(
        "postgres: {dsn: host=db dbname=a}\n"
        "topic_prefix: shop\n"
        "topics: {config: {retention.ms: 7d, retenion.bytes: 1, preallocate: yes, segment.bytes: 100}}\n",
        "f.yaml:3:33: error: \"retention.ms\": \"7d\" must be a whole number, as brokers take it: 604800000, "
        "not 7d\n"
        "f.yaml:3:37: error: topics have no property \"retenion.bytes\"; did you mean \"retention.bytes\"?\n"
        "f.yaml:3:69: error: \"preallocate\": \"yes\" must be true or false\n");
}

static void a_name_too_long_for_a_slot_asks_for_another(void **state)
{
    (void)state;
    struct config_case c = {.file = {.name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}};
    struct connector_config config;
    config_case_read(&c, &connector_config_kind, slice_of("postgres: {dsn: host=db}\ntopic_prefix: a\n"),
                     &config);
    assert_non_null(strstr(bytes_text(&c.text), "set slot.name\n"));
    assert_non_null(strstr(bytes_text(&c.text), "set slot.publication\n"));
    connector_config_clear(&config);
    config_case_clear(&c);
    check_complaints(
        "postgres: {dsn: host=db}\ntopic_prefix: a\ntables: {publish_inserts_only: [public.log]}\n"
        "slot: {publication: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n",
        "f.yaml:4:21: error: publication: with publish_inserts_only it must have at most 55 bytes, to leave "
        "room for _inserts\n");
}

static void databases_are_compared_by_their_connection(void **state)
{
    (void)state;
    char shop[] = "host=db dbname=shop user=a";
    char same[] = "postgresql://b@db/shop";
    char books[] = "host=db dbname=books";
    struct connector_config a = {.postgres.dsn = shop};
    struct connector_config b = {.postgres.dsn = same};
    struct connector_config other = {.postgres.dsn = books};
    assert_true(connector_config_same_database(&a, &b));
    assert_false(connector_config_same_database(&a, &other));
}

static void every_truncation_is_read_or_refused(void **state)
{
    (void)state;
    struct connector_config config;
    config_case_truncate(&connector_config_kind, golden, &config, clear_config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(defaults_come_from_the_files_name),
        cmocka_unit_test(libpq_judges_the_connection_string_and_no_password_is_shown),
        cmocka_unit_test(a_password_in_the_dsn_of_a_private_file_is_shown_as_stars),
        cmocka_unit_test(what_does_not_work_yet_is_refused),
        cmocka_unit_test(a_topic_has_records_of_one_kind_and_is_not_reserved),
        cmocka_unit_test(groups_of_topics_are_checked_at_their_places),
        cmocka_unit_test(what_could_only_fail_later_is_refused),
        cmocka_unit_test(globs_that_match_something_else_than_meant_are_refused),
        cmocka_unit_test(selections_are_checked_at_their_places),
        cmocka_unit_test(globs_and_regular_expressions_are_told_apart),
        cmocka_unit_test(keys_without_effect_are_refused),
        cmocka_unit_test(complete_values_need_every_change_that_sets_them),
        cmocka_unit_test(an_outbox_is_a_table_that_is_captured),
        cmocka_unit_test(topic_properties_are_the_brokers_and_so_are_their_values),
        cmocka_unit_test(settings_of_debezium_are_answered),
        cmocka_unit_test(a_name_too_long_for_a_slot_asks_for_another),
        cmocka_unit_test(databases_are_compared_by_their_connection),
        cmocka_unit_test(every_truncation_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

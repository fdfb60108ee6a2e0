#include "connectors/config/types_options.h"

#include "core/config/config_file.h"

static const struct config_choice types[] = {
    {"debezium", TYPE_MODE_DEBEZIUM}, {"native", TYPE_MODE_NATIVE}, {NULL, 0}};
static const struct config_choice decimals[] = {{"precise", TYPE_MODE_DECIMAL_PRECISE},
                                                {"double", TYPE_MODE_DECIMAL_DOUBLE},
                                                {"string", TYPE_MODE_DECIMAL_STRING},
                                                {NULL, 0}};
static const struct config_choice temporals[] = {{"debezium", TYPE_MODE_TEMPORAL_DEBEZIUM},
                                                 {"connect", TYPE_MODE_TEMPORAL_CONNECT},
                                                 {"iso", TYPE_MODE_TEMPORAL_ISO},
                                                 {NULL, 0}};
static const struct config_choice binaries[] = {{"bytes", TYPE_MODE_BINARY_BYTES},
                                                {"base64", TYPE_MODE_BINARY_BASE64},
                                                {"hex", TYPE_MODE_BINARY_HEX},
                                                {NULL, 0}};
static const struct config_choice unknowns[] = {
    {"include", TYPE_MODE_UNKNOWN_INCLUDE}, {"skip", TYPE_MODE_UNKNOWN_SKIP}, {NULL, 0}};
static const struct config_choice intervals[] = {
    {"numeric", TYPE_MODE_INTERVAL_NUMERIC}, {"string", TYPE_MODE_INTERVAL_STRING}, {NULL, 0}};
static const struct config_choice toasts[] = {{"debezium", TOAST_MODE_DEBEZIUM},
                                              {"typed", TOAST_MODE_TYPED},
                                              {"complete", TOAST_MODE_COMPLETE},
                                              {NULL, 0}};

static const struct config_choice hstores[] = {
    {"json", TYPE_MODE_HSTORE_JSON}, {"map", TYPE_MODE_HSTORE_MAP}, {NULL, 0}};
static const struct config_choice streams[] = {
    {"auto", CONNECTOR_BINARY_AUTO}, {"off", CONNECTOR_BINARY_OFF}, {NULL, 0}};

const struct config_option types_options[] = {
    {.key = "hstore",
     .type = CONFIG_CHOICE,
     .choices = hstores,
     .initial = "json",
     .offset = offsetof(struct connector_config, modes.hstore),
     .doc = "hstore: a string of JSON, or a map of nullable strings."},
    {.key = "types",
     .type = CONFIG_CHOICE,
     .choices = types,
     .initial = "debezium",
     .offset = offsetof(struct connector_config, modes.types),
     .doc =
         "How column types become Avro. debezium: as Debezium does it. native: Avro's logical types without "
         "Kafka Connect's annotations, with no value rounded, moved to another zone or replaced by null: a "
         "value that its Avro type can't hold is a string in a branch of its own."},
    {.key = "decimal",
     .type = CONFIG_CHOICE,
     .choices = decimals,
     .initial = "precise",
     .offset = offsetof(struct connector_config, modes.decimal),
     .doc =
         "numeric and money: precise decimals, which have no NaN and no infinities; the nearest double; or "
         "a string, with all that numeric has."},
    {.key = "temporal",
     .type = CONFIG_CHOICE,
     .choices = temporals,
     .initial = "debezium",
     .offset = offsetof(struct connector_config, modes.temporal),
     .doc =
         "date, time and timestamp: Debezium's types (with types: native, Avro's), Kafka Connect's types in "
         "whole milliseconds, or ISO 8601 strings."},
    {.key = "binary",
     .type = CONFIG_CHOICE,
     .choices = binaries,
     .initial = "bytes",
     .offset = offsetof(struct connector_config, modes.binary),
     .doc = "bytea: bytes, or a string of base64 or of hexadecimal digits."},
    {.key = "interval",
     .type = CONFIG_CHOICE,
     .choices = intervals,
     .initial = "numeric",
     .offset = offsetof(struct connector_config, modes.interval),
     .doc = "interval: microseconds, a month being 30.4375 days, or an ISO 8601 string, P1Y2M3DT4H5M6.789S, "
            "which loses nothing and is what types: native takes in either case."},
    {.key = "unknown_types",
     .type = CONFIG_CHOICE,
     .choices = unknowns,
     .initial = "include",
     .offset = offsetof(struct connector_config, modes.unknown),
     .doc =
         "Columns of types that Debezium has no form for, as composite types and multiranges: publish their "
         "text, or leave them out as Debezium does. Columns of the key are never left out."},
    {.key = "null_as_default",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct connector_config, null_as_default),
     .doc =
         "Publish a NULL in a column that has a default as that default, as Debezium's converters do unless "
         "ignore.default.for.nullables is set. A consumer can't tell it from a real value."},
    {.key = "binary_stream",
     .type = CONFIG_CHOICE,
     .choices = streams,
     .initial = "auto",
     .offset = offsetof(struct connector_config, binary_stream),
     .doc =
         "Let the server send values in binary form, which takes less processor time there and here. With "
         "auto, it sends text while a captured table has a type that is read in text form only; the records "
         "are the same in both forms."},
    {.key = "toast",
     .type = CONFIG_CHOICE,
     .choices = toasts,
     .initial = "debezium",
     .offset = offsetof(struct connector_config, toast),
     .doc = "A large value that an update does not change is not sent by PostgreSQL. debezium: Debezium's "
            "placeholder stands for it, or null where the type has none. typed: the record "
            "millrace.Unchanged, a further branch of the column's union. complete: the value itself, which "
            "the connector keeps on its disk ([connectors.md](connectors.md#unchanged-large-values))."},
    {.key = NULL},
};

void types_options_finish(const struct config_file *file, struct connector_config *c)
{
    enum { NEEDED = CONNECTOR_CREATE | CONNECTOR_UPDATE };
    if (c->toast != TOAST_MODE_COMPLETE) {
        return;
    }
    if ((c->operations & NEEDED) != NEEDED) {
        config_complain(file, "toast",
                        "toast: complete needs the values that creates and updates send; add both to "
                        "operations");
    }
    if (c->rows.count > 0 && (c->operations & CONNECTOR_DELETE) == 0) {
        config_complain(file, "toast",
                        "toast: complete with rows needs deletes, which say that a row does not match any "
                        "more; add delete to operations");
    }
    if (c->origin != CONNECTOR_ORIGIN_ANY) {
        config_complain(file, "toast",
                        "toast: complete needs the changes of all origins; take origin: any, or another "
                        "toast");
    }
}

// The attributes' order is that of confluentinc/schema-registry, AvroData.fromConnectSchema:
//
//   type [scale precision] connect.version connect.parameters connect.default connect.name connect.type
//   logicalType
#include "schemas/avro/type_schema.h"

static void append_json(struct bytes *out, const char *label, struct slice json)
{
    if (json.size > 0) {
        bytes_append_string(out, label);
        bytes_append_slice(out, json);
    }
}

static void append_text(struct bytes *out, const char *label, const char *text)
{
    if (text != NULL) {
        bytes_format(out, ",\"%s\":\"%s\"", label, text);
    }
}

void type_schema_append(struct bytes *out, const struct type_schema *s)
{
    bool is_bare = s->name == NULL && s->connect_type == NULL && s->logical == NULL && s->sizes.size == 0 &&
                   s->parameters.size == 0 && s->default_json.size == 0;
    if (is_bare) {
        bytes_format(out, "\"%s\"", s->type);
        return;
    }
    bytes_format(out, "{\"type\":\"%s\"", s->type);
    append_json(out, ",", s->sizes);
    if (s->name != NULL) {
        bytes_append_string(out, ",\"connect.version\":1");
    }
    append_json(out, ",\"connect.parameters\":", s->parameters);
    append_json(out, ",\"connect.default\":", s->default_json);
    append_text(out, "connect.name", s->name);
    append_text(out, "connect.type", s->connect_type);
    append_text(out, "logicalType", s->logical);
    bytes_append_byte(out, '}');
}

bool type_schema_is_string(const struct value_type *t)
{
    CLEANUP(bytes_clear) struct bytes schema = {0};
    CLEANUP(schema_names_clear) struct schema_names names = {0};
    t->ops->append_schema(&schema, t, (struct slice){NULL, 0}, &names);
    const char *text = bytes_text(&schema);
    const char *object = "{\"type\":\"string\"";
    return strcmp(text, "\"string\"") == 0 || strncmp(text, object, strlen(object)) == 0;
}

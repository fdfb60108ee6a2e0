// JSON Schema (draft 7, which editors' YAML servers read) of the configuration files.
#include "core/base/text.h"
#include "core/config/config.h"
#include "core/config/config_value.h"

static void write_text(const char *name, const char *text, struct bytes *out)
{
    bytes_format(out, "\"%s\":", name);
    text_append_json(out, slice_of(text));
}

static const char config_schema_secret[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"minProperties\":1,\"maxProperties\":1,"
    "\"properties\":{\"file\":{\"type\":\"string\"},\"env\":{\"type\":\"string\"}}}";

static void write_words(const struct config_choice *choices, struct bytes *out)
{
    bytes_append_string(out, "\"enum\":[");
    for (size_t i = 0; choices[i].word != NULL; i++) {
        bytes_append_string(out, i == 0 ? "" : ",");
        text_append_json(out, slice_of(choices[i].word));
    }
    bytes_append_byte(out, ']');
}

static void write_integer(const struct config_option *option, struct bytes *out)
{
    bytes_append_string(out, "\"type\":\"integer\"");
    if (option->max != 0) {
        bytes_format(out, ",\"minimum\":%lld,\"maximum\":%lld", (long long)option->min,
                     (long long)option->max);
    }
}

static void write_initial(const struct config_option *option, struct bytes *out)
{
    if (option->initial == NULL) {
        return;
    }
    bytes_append_string(out, ",\"default\":");
    bool is_bare = option->type == CONFIG_INTEGER || (option->type == CONFIG_BOOL && option->choices == NULL);
    if (is_bare) {
        bytes_append_string(out, option->initial);
        return;
    }
    if (option->type != CONFIG_LIST && option->type != CONFIG_FLAGS) {
        text_append_json(out, slice_of(option->initial));
        return;
    }
    bytes_append_byte(out, '[');
    for (const char *at = option->initial; *at != '\0';) {
        size_t length = strcspn(at, " ");
        bytes_append_string(out, at == option->initial ? "" : ",");
        text_append_json(out, slice_make(at, length));
        at += length + strspn(at + length, " ");
    }
    bytes_append_byte(out, ']');
}

static void write_object(const struct config_option *options, bool is_needed, struct bytes *out);

static void write_type(const struct config_option *option, struct bytes *out)
{
    switch (option->type) {
    case CONFIG_TEXT:
    case CONFIG_FILE:
        bytes_append_string(out, "\"type\":\"string\",\"minLength\":1");
        break;
    case CONFIG_ADDRESS:
        bytes_append_string(out, "\"type\":\"string\",\"pattern\":\".:[0-9]+$");
        bytes_format(out, option->word == NULL ? "\"" : "|^%s$\"", option->word);
        break;
    case CONFIG_SECRET:
        bytes_format(out, "\"anyOf\":[{\"type\":\"string\"},%s]", config_schema_secret);
        break;
    case CONFIG_BOOL:
        if (option->choices == NULL) {
            bytes_append_string(out, "\"type\":\"boolean\"");
            break;
        }
        write_words(option->choices, out);
        break;
    case CONFIG_INTEGER:
        write_integer(option, out);
        break;
    case CONFIG_DURATION:
        bytes_append_string(out, "\"type\":\"string\",\"pattern\":\"^[0-9]+(ms|s|m|h|d)$\"");
        break;
    case CONFIG_SIZE:
        bytes_append_string(out, "\"anyOf\":[{\"type\":\"integer\"},"
                                 "{\"type\":\"string\",\"pattern\":\"^[0-9]+(B|KiB|MiB|GiB)?$\"}]");
        break;
    case CONFIG_CHOICE:
        write_words(option->choices, out);
        break;
    case CONFIG_FLAGS:
        bytes_format(out, "\"type\":\"array\",\"minItems\":%lld,\"items\":{", (long long)option->min);
        write_words(option->choices, out);
        bytes_append_byte(out, '}');
        break;
    case CONFIG_LIST:
        bytes_format(out, "\"type\":\"array\",\"minItems\":%lld,\"items\":{\"type\":\"string\"}",
                     (long long)option->min);
        break;
    case CONFIG_PAIRS:
        bytes_format(out,
                     "\"type\":[\"object\",\"null\"],\"additionalProperties\":{\"anyOf\":[{\"type\":"
                     "[\"string\",\"number\",\"boolean\",\"null\"]},%s]}",
                     config_schema_secret);
        break;
    case CONFIG_TREE:
        bytes_append_string(out, "\"type\":[\"object\",\"array\",\"null\"]");
        break;
    case CONFIG_SECTION:
        write_object(option->section, true, out);
        break;
    }
}

static void write_option(const struct config_option *option, struct bytes *out)
{
    text_append_json(out, slice_of(option->key));
    bytes_append_string(out, ":{");
    write_text("description", option->doc, out);
    bytes_append_byte(out, ',');
    if (option->word != NULL) {
        bytes_append_string(out, "\"anyOf\":[{\"const\":");
        text_append_json(out, slice_of(option->word));
        bytes_append_string(out, "},{");
        write_type(option, out);
        bytes_append_string(out, "}]");
    } else {
        write_type(option, out);
    }
    write_initial(option, out);
    bytes_append_byte(out, '}');
}

static void write_object(const struct config_option *options, bool is_needed, struct bytes *out)
{
    bytes_append_string(out, is_needed ? "\"type\":[\"object\",\"null\"]" : "\"type\":\"object\"");
    bytes_append_string(out, ",\"additionalProperties\":false,\"properties\":{");
    const char *between = "";
    struct config_walk walk = {.next = options};
    for (const struct config_option *option; (option = config_walk_next(&walk)) != NULL;) {
        bytes_append_string(out, between);
        write_option(option, out);
        between = ",";
    }
    bytes_append_byte(out, '}');
    const char *before = ",\"required\":[";
    walk = (struct config_walk){.next = options};
    for (const struct config_option *option; (option = config_walk_next(&walk)) != NULL;) {
        if (option->is_required) {
            bytes_append_string(out, before);
            text_append_json(out, slice_of(option->key));
            before = ",";
        }
    }
    bytes_append_string(out, before[0] == ',' && before[1] == '\0' ? "]" : "");
}

static void write_body(const struct config_kind *kind, struct bytes *out)
{
    write_text("title", kind->place, out);
    bytes_append_byte(out, ',');
    write_text("description", kind->doc, out);
    bytes_append_byte(out, ',');
    write_object(kind->options, false, out);
}

void config_schema(const struct config_kind *kind, struct bytes *out)
{
    bytes_append_string(out, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",");
    write_body(kind, out);
    bytes_append_string(out, "}\n");
}

void config_schemas(const struct config_kind *const *kinds, struct bytes *out)
{
    bytes_append_string(out, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"definitions\":{");
    for (size_t i = 0; kinds[i] != NULL; i++) {
        bytes_format(out, "%s\"%s\":{", i == 0 ? "" : ",", kinds[i]->name);
        write_body(kinds[i], out);
        bytes_append_byte(out, '}');
    }
    bytes_append_string(out, "},\"anyOf\":[");
    for (size_t i = 0; kinds[i] != NULL; i++) {
        bytes_format(out, "%s{\"$ref\":\"#/definitions/%s\"}", i == 0 ? "" : ",", kinds[i]->name);
    }
    bytes_append_string(out, "]}\n");
}

// docs/config.md: every option with its type, default and meaning, as the tables that read them say.
#include "core/config/config.h"
#include "core/config/config_value.h"

static void config_reference_words(const struct config_choice *choices, struct bytes *out)
{
    for (size_t i = 0; choices[i].word != NULL; i++) {
        bytes_format(out, "%s`%s`", i == 0 ? "" : ", ", choices[i].word);
    }
}

static void config_reference_limits(const struct config_option *option, struct bytes *out)
{
    if (option->max == 0) {
        return;
    }
    bytes_append_string(out, ", ");
    if (option->type == CONFIG_DURATION) {
        config_value_write_duration(option->min, out);
        bytes_append_string(out, " to ");
        config_value_write_duration(option->max, out);
    } else if (option->type == CONFIG_SIZE) {
        config_value_write_size(option->min, out);
        bytes_append_string(out, " to ");
        config_value_write_size(option->max, out);
    } else {
        bytes_format(out, "%lld to %lld", (long long)option->min, (long long)option->max);
    }
}

static void config_reference_type(const struct config_option *option, struct bytes *out)
{
    switch (option->type) {
    case CONFIG_TEXT:
        bytes_append_string(out, "text");
        break;
    case CONFIG_SECRET:
        bytes_append_string(out, "secret");
        break;
    case CONFIG_BOOL:
        if (option->choices == NULL) {
            bytes_append_string(out, "`true`, `false`");
            break;
        }
        config_reference_words(option->choices, out);
        break;
    case CONFIG_INTEGER:
        bytes_append_string(out, "number");
        config_reference_limits(option, out);
        break;
    case CONFIG_DURATION:
        bytes_append_string(out, "duration");
        config_reference_limits(option, out);
        break;
    case CONFIG_SIZE:
        bytes_append_string(out, "size");
        config_reference_limits(option, out);
        break;
    case CONFIG_CHOICE:
        config_reference_words(option->choices, out);
        break;
    case CONFIG_FLAGS:
        bytes_append_string(out, "list of ");
        config_reference_words(option->choices, out);
        break;
    case CONFIG_LIST:
        bytes_append_string(out, "list");
        break;
    case CONFIG_PAIRS:
        bytes_append_string(out, "map");
        break;
    case CONFIG_ADDRESS:
        bytes_append_string(out, "host:port");
        break;
    case CONFIG_SECTION:
        bytes_append_string(out, "section");
        break;
    }
    if (option->word != NULL) {
        bytes_format(out, " or `%s`", option->word);
    }
}

static void config_reference_initial(const struct config_option *option, struct bytes *out)
{
    if (option->is_required) {
        bytes_append_string(out, "**required**");
    } else if (option->initial != NULL) {
        bool is_list = option->type == CONFIG_LIST || option->type == CONFIG_FLAGS;
        bytes_append_string(out, is_list ? "`[" : "`");
        for (const char *c = option->initial; *c != '\0'; c++) {
            bytes_append_string(out, *c == ' ' ? "," : "");
            bytes_append_byte(out, (uint8_t)*c);
        }
        bytes_append_string(out, is_list ? "]`" : "`");
    } else if (option->otherwise != NULL) {
        bytes_append_string(out, option->otherwise);
    } else if (option->word != NULL) {
        bytes_format(out, "`%s`", option->word);
    }
}

static void config_reference_options(const struct config_option *options, const char *around,
                                     struct bytes *out)
{
    for (; options->key != NULL; options++) {
        CLEANUP(memory_free_pointer) char *path = memory_format("%s%s", around, options->key);
        bytes_format(out, "| `%s` | ", path);
        config_reference_type(options, out);
        bytes_append_string(out, " | ");
        config_reference_initial(options, out);
        bytes_format(out, " | %s |\n", options->doc);
        if (options->type == CONFIG_SECTION) {
            CLEANUP(memory_free_pointer) char *inner = memory_format("%s.", path);
            config_reference_options(options->section, inner, out);
        }
    }
}

static void config_reference_kind(const struct config_kind *kind, struct bytes *out)
{
    bytes_format(out, "\n## %s\n\n%s\n\n```yaml\n%s```\n\n", kind->place, kind->doc, kind->example);
    bytes_append_string(out, "| key | value | default | meaning |\n|---|---|---|---|\n");
    config_reference_options(kind->options, "", out);
}

void config_reference(const struct config_kind *const *kinds, struct bytes *out)
{
    bytes_append_string(
        out,
        "# Configuration\n\n"
        "Written by `millrace config reference` from the tables that read the files; don't edit it by "
        "hand.\n\n"
        "The configuration is a folder: the one after `-c`, else `$MILLRACE_CONFIG`, else `./millrace`, "
        "else\n"
        "`/etc/millrace`. `millrace check` reads all of it and shows every complaint with its place;\n"
        "`millrace config show` prints the effective values; `millrace config schema` prints a JSON Schema "
        "for editors\n"
        "(`schema millrace`, `schema connector`, `schema function` for one kind of file).\n\n"
        "- Names of connectors and functions are their files' names: `[a-z0-9][a-z0-9-]{0,62}`. Files that "
        "don't end\n"
        "  in `.yaml`, and hidden ones, are left alone.\n"
        "- A key that is not listed here is an error. `null` and an empty section are the same as no key.\n"
        "- Durations: `500ms` `30s` `5m` `1h` `7d`. Sizes: `1000` `100B` `512KiB` `6MiB` `1GiB`.\n"
        "- A secret is `{file: PATH}` (from the folder of the file it stands in; a line end at its end is "
        "dropped),\n"
        "  `{env: NAME}`, or plain text in a file that only its owner may read (mode 0600). Secrets are "
        "never printed.\n"
        "- A dot in a key below is a step into a section: `log.level` is `log: {level: info}`.\n");
    for (; *kinds != NULL; kinds++) {
        config_reference_kind(*kinds, out);
    }
}

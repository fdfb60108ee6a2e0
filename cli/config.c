// millrace config: the options' reference, their JSON Schema, and the effective values.
#include <stdio.h>

#include "cli/cli.h"
#include "cli/config_dir.h"
#include "cli/options.h"
#include "core/config/config_foreign.h"
#include "core/config/settings_kind.h"

static const char config_usage[] =
    "usage: millrace config reference                               the options, as Markdown\n"
    "       millrace config debezium                                what answers Debezium's settings\n"
    "       millrace config schema [millrace|connector|function]    JSON Schema, for editors\n"
    "       millrace config show [-c DIR]                           the effective values, secrets as ***\n";

static const struct config_kind *const config_kinds[] = {&settings_kind, &connector_config_kind,
                                                         &function_config_kind, NULL};

static int print_text(const struct bytes *text)
{
    bool is_written = fwrite(text->data, 1, text->size, stdout) == text->size;
    return is_written && fflush(stdout) == 0 ? CLI_DONE : CLI_FAILED;
}

static int misused(const char *why, const char *word)
{
    return options_refuse("config", config_usage, why, word);
}

static int print_reference(void)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    config_reference(config_kinds, &text);
    return print_text(&text);
}

static int print_debezium(void)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    config_foreign_reference(connector_config_kind.foreigner, &text);
    return print_text(&text);
}

static int print_schema(const char *name)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    if (name == NULL) {
        config_schemas(config_kinds, &text);
        return print_text(&text);
    }
    for (const struct config_kind *const *kind = config_kinds; *kind != NULL; kind++) {
        if (strcmp((*kind)->name, name) == 0) {
            config_schema(*kind, &text);
            return print_text(&text);
        }
    }
    return misused("unknown kind of file", name);
}

static void show_file(const char *dir, const struct config_kind *kind, const char *name, const void *config,
                      struct bytes *out)
{
    const char *star = strstr(kind->place, "NAME");
    int before = star == NULL ? (int)strlen(kind->place) : (int)(star - kind->place);
    bytes_format(out, "%s# %s/%.*s%s%s\n", out->size == 0 ? "" : "---\n", dir, before, kind->place,
                 star == NULL ? "" : name, star == NULL ? "" : ".yaml");
    config_show(kind, config, out);
}

static int print_effective(const char *dir)
{
    CLEANUP(config_set_clear) struct config_set set = {0};
    if (!config_dir_load(dir, &set)) {
        (void)fputs(bytes_text(&set.complaints), stderr);
        return CLI_CONFIG;
    }
    CLEANUP(bytes_clear) struct bytes text = {0};
    show_file(dir, &settings_kind, NULL, set.settings, &text);
    for (size_t i = 0; i < set.connector_count; i++) {
        show_file(dir, &connector_config_kind, set.connectors[i]->name, set.connectors[i], &text);
    }
    for (size_t i = 0; i < set.function_count; i++) {
        show_file(dir, &function_config_kind, set.functions[i]->name, set.functions[i], &text);
    }
    return print_text(&text);
}

int config_command(int argc, char **argv)
{
    static const struct options options = {"config", config_usage, OPTIONS_CONFIG_ONLY, NULL, NULL};
    const char *dir = NULL;
    int code;
    if (!options_read(argc, argv, &options, &dir, &code)) {
        return code;
    }
    const char *what = optind < argc ? argv[optind] : "";
    const char *argument = optind + 1 < argc ? argv[optind + 1] : NULL;
    if (optind + 2 < argc || (argument != NULL && strcmp(what, "schema") != 0)) {
        return misused("unexpected argument", argv[argc - 1]);
    }
    if (strcmp(what, "reference") == 0) {
        return print_reference();
    }
    if (strcmp(what, "debezium") == 0) {
        return print_debezium();
    }
    if (strcmp(what, "schema") == 0) {
        return print_schema(argument);
    }
    if (strcmp(what, "show") == 0) {
        return print_effective(config_dir_choose(dir));
    }
    if (*what == '\0') {
        (void)fputs(config_usage, stderr);
        return CLI_USAGE;
    }
    return misused("unexpected argument", what);
}

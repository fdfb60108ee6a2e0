// millrace check: validates the configuration files; connects to nothing.
#include <stdio.h>

#include "cli/check_more.h"
#include "cli/cli.h"
#include "cli/config_dir.h"
#include "cli/options.h"
#include "core/base/memory.h"

static const char check_usage[] =
    "usage: millrace check [-c DIR]\n"
    "\n"
    "Reads every file of the configuration folder and shows errors and warnings with their places.\n"
    "Exits with 0 without errors, with 78 when something must be changed.\n";

static int check_dir(const char *dir)
{
    CLEANUP(config_set_clear) struct config_set set = {0};
    bool is_good = config_dir_load(dir, &set);
    struct fault f;
    if (is_good && !check_more_kafka(set.settings, &f)) {
        CLEANUP(memory_free_pointer) char *path = memory_format("%s/millrace.yaml", dir);
        config_set_reject_kafka(&set, path, f.text);
        is_good = false;
    }
    CLEANUP(bytes_clear) struct bytes warnings = {0};
    check_more_warn(dir, &set);
    complaints_write(&set.warnings, "warning", &warnings);
    (void)fputs(bytes_text(&set.complaints), stdout);
    (void)fputs(bytes_text(&warnings), stdout);
    CLEANUP(bytes_clear) struct bytes summary = {0};
    config_set_summary(&set, &summary);
    (void)fputs(bytes_text(&summary), stdout);
    return is_good ? CLI_DONE : CLI_CONFIG;
}

int check_command(int argc, char **argv)
{
    static const struct options options = {"check", check_usage, OPTIONS_CONFIG_ONLY, NULL, NULL};
    const char *dir = NULL;
    int code;
    if (!options_read(argc, argv, &options, &dir, &code)) {
        return code;
    }
    if (optind < argc) {
        return options_refuse("check", check_usage, "name the folder with -c; unexpected argument",
                              argv[optind]);
    }
    return check_dir(config_dir_choose(dir));
}

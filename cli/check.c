// millrace check: validates the configuration files; connects to nothing.
#include <getopt.h>
#include <stdio.h>

#include "cli/check_more.h"
#include "cli/cli.h"
#include "cli/config_dir.h"
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
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *dir = NULL;
    optind = 0;  // main may have parsed options already
    for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        if (option == 'h') {
            (void)fputs(check_usage, stdout);
            return CLI_DONE;
        }
        if (option != 'c') {
            (void)fputs(check_usage, stderr);
            return CLI_USAGE;
        }
        dir = optarg;
    }
    if (optind < argc) {
        (void)fprintf(stderr, "millrace check: unexpected argument \"%s\"; name the folder with -c\n%s",
                      argv[optind], check_usage);
        return CLI_USAGE;
    }
    return check_dir(config_dir_choose(dir));
}

#include "connectors/config/table_options.h"

#include "connectors/config/name_glob.h"

static bool check_table_glob(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    return name_glob_check(value, 1, "SCHEMA.TABLE, as in public.orders", f);
}

static const struct config_rules glob_rules = {.check = check_table_glob};

const struct config_option table_options[] = {
    {.key = "include",
     .type = CONFIG_LIST,
     .initial = "public.*",
     .min = 1,
     .offset = offsetof(struct connector_config, tables.include),
     .rules = &glob_rules,
     .doc = "Tables to capture: globs over SCHEMA.TABLE, or regular expressions written `/…/`, which match "
            "whole names "
            "in any case of letters. Tables that "
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

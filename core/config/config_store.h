// Stores the values of one file from its YAML tree into its struct.
#ifndef CORE_CONFIG_CONFIG_STORE_H
#define CORE_CONFIG_CONFIG_STORE_H

#include "core/config/config.h"

struct config_store {
    const struct config_file *file;
    char *config;                              // the struct
    const struct config_foreigner *foreigner;  // of the kind; NULL: none
};

/** Checks the node (not null) and stores its value; if it is wrong, complains and stores the default. */
void config_store_value(const struct config_store *r, const struct config_option *option,
                        struct yaml_node *node);

/** Stores the option's default. */
void config_store_initial(const struct config_store *r, const struct config_option *option);

#endif

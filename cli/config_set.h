// What was read from a configuration folder: the valid files, the rejected ones with their complaints.
#ifndef CLI_CONFIG_SET_H
#define CLI_CONFIG_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "bridge/config/function_config.h"
#include "connectors/config/connector_config.h"
#include "core/base/bytes.h"
#include "core/config/complaints.h"
#include "core/config/settings_kind.h"

/** A file or folder that can't be used. */
struct config_rejected {
    const struct config_kind *kind;  // of the file; settings_kind for millrace.yaml and for folders
    char *name;                      // of the connector or function
    char *text;                      // its complaints, one line each
    int64_t since_wall_us;           // when it was read
};

/** Zero-initialised is empty. */
struct config_rejections {
    struct config_rejected *items;
    size_t count;
};

/** The environment variables that a file names, used or not. */
struct config_variables {
    const struct config_kind *kind;  // settings_kind for millrace.yaml
    char *name;                      // of the connector or function
    struct text_list names;
};

enum config_folder { CONFIG_FOLDER_CONNECTORS = 1, CONFIG_FOLDER_FUNCTIONS = 2 };

/** Zero-initialised is empty. Has the valid files; the others are in `rejected`. */
struct config_set {
    int kafka_line;  // of the section kafka in millrace.yaml; 0: there is none
    int kafka_column;
    int brokers_line;  // of bootstrap.servers there, or of the section
    int brokers_column;
    struct settings *settings;             // set even when millrace.yaml is rejected, then mostly defaults
    struct connector_config **connectors;  // in the order of their names
    size_t connector_count;
    struct function_config **functions;  // in the order of their names
    size_t function_count;
    struct config_rejections rejected;
    struct config_variables *variables;  // one for each file that names some, rejected ones too
    size_t variables_count;
    unsigned folders;  // bits of enum config_folder: folders that exist
    size_t error_count;
    size_t file_count;        // files read
    struct bytes complaints;  // one line each, FILE:LINE:COLUMN: error: …; empty without errors
    struct complaints warnings;
};

/** Bits of enum config_folder: folders that have a valid file. */
unsigned config_set_used_folders(const struct config_set *set);

/** Adds a rejected file or folder and its complaints. */
void config_set_reject(struct config_set *set, const struct config_kind *kind, const char *name,
                       struct complaints *complaints);

/** As config_set_reject, for a folder with one complaint. */
void config_set_reject_folder(struct config_set *set, const char *path, const char *text);

/** Rejects millrace.yaml at `path` for what its section kafka says. */
void config_set_reject_kafka(struct config_set *set, const char *path, const char *text);

/** The rejected file of this kind and name (NULL for any); NULL when there is none. */
const struct config_rejected *config_rejections_find(const struct config_rejections *list,
                                                     const struct config_kind *kind, const char *name);

/** Moves the list to `ret`, whose old content is released. */
void config_rejections_move(struct config_rejections *ret, struct config_rejections *from);
void config_rejections_clear(struct config_rejections *list);

/** Appends "2 errors, 1 warning in 3 files"; without warnings "2 errors in 3 files". */
void config_set_summary(const struct config_set *set, struct bytes *out);

/** The valid function of this name; NULL when there is none. */
struct function_config *config_set_function(const struct config_set *set, const char *name);

/** As config_set_function; without it says on stderr what is wrong with its file, or which functions there
 * are. */
const struct function_config *config_set_need_function(const struct config_set *set, const char *command,
                                                       const char *dir, const char *name);

/** Moves the functions out of the set, for bridge_apply, which takes them over; the caller frees the array.
 */
struct function_config **config_set_take_functions(struct config_set *set, size_t *ret_count);

/** Releases all but the settings, whose secrets alone the supervisor needs. */
void config_set_keep_settings(struct config_set *set);

/** Accepts NULL and half-loaded sets. */
void config_set_clear(struct config_set *set);

#endif

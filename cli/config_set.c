#include "cli/config_set.h"

#include <stdio.h>

#include "core/base/clock.h"
#include "core/config/settings_kind.h"

unsigned config_set_used_folders(const struct config_set *set)
{
    return (set->connector_count > 0 ? CONFIG_FOLDER_CONNECTORS : 0) |
           (set->function_count > 0 ? CONFIG_FOLDER_FUNCTIONS : 0);
}

struct function_config *config_set_function(const struct config_set *set, const char *name)
{
    for (size_t i = 0; i < set->function_count; i++) {
        if (strcmp(set->functions[i]->name, name) == 0) {
            return set->functions[i];
        }
    }
    return NULL;
}

void config_set_reject(struct config_set *set, const struct config_kind *kind, const char *name,
                       struct complaints *complaints)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    complaints_write(complaints, "error", &text);
    set->error_count += complaints->count;
    bytes_append(&set->complaints, text.data, text.size);
    struct config_rejections *list = &set->rejected;
    list->items = memory_resize(list->items, (list->count + 1) * sizeof(*list->items));
    list->items[list->count++] = (struct config_rejected){
        .kind = kind,
        .name = memory_string(name),
        .text = memory_string(bytes_text(&text)),
        .since_wall_us = clock_wall_us(),
    };
}

void config_set_reject_folder(struct config_set *set, const char *path, const char *text)
{
    CLEANUP(complaints_clear) struct complaints complaints = {0};
    complaints_add(&complaints, path, 0, 0, "%s", text);
    config_set_reject(set, &settings_kind, path, &complaints);
}

void config_set_reject_kafka(struct config_set *set, const char *path, const char *text)
{
    CLEANUP(complaints_clear) struct complaints complaints = {0};
    complaints_add(&complaints, path, set->kafka_line, set->kafka_column, "%s", text);
    config_set_reject(set, &settings_kind, "millrace", &complaints);
}

const struct config_rejected *config_rejections_find(const struct config_rejections *list,
                                                     const struct config_kind *kind, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind == kind && (name == NULL || strcmp(list->items[i].name, name) == 0)) {
            return &list->items[i];
        }
    }
    return NULL;
}

void config_rejections_clear(struct config_rejections *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].text);
    }
    free(list->items);
    *list = (struct config_rejections){0};
}

void config_rejections_move(struct config_rejections *ret, struct config_rejections *from)
{
    config_rejections_clear(ret);
    *ret = *from;
    *from = (struct config_rejections){0};
}

void config_set_summary(const struct config_set *set, struct bytes *out)
{
    size_t warnings = set->warnings.count;
    bytes_format(out, "%zu error%s", set->error_count, set->error_count == 1 ? "" : "s");
    if (warnings > 0) {
        bytes_format(out, ", %zu warning%s", warnings, warnings == 1 ? "" : "s");
    }
    bytes_format(out, " in %zu file%s\n", set->file_count, set->file_count == 1 ? "" : "s");
}

struct function_config **config_set_take_functions(struct config_set *set, size_t *ret_count)
{
    *ret_count = set->function_count;
    set->function_count = 0;
    return TAKE(set->functions);
}

void config_set_clear(struct config_set *set)
{
    if (set == NULL) {
        return;
    }
    settings_clear(set->settings);
    free(set->settings);
    for (size_t i = 0; i < set->connector_count; i++) {
        connector_config_clear(set->connectors[i]);
        free(set->connectors[i]);
    }
    free(set->connectors);
    for (size_t i = 0; i < set->function_count; i++) {
        function_config_clear(set->functions[i]);
        free(set->functions[i]);
    }
    free(set->functions);
    config_rejections_clear(&set->rejected);
    for (size_t i = 0; i < set->variables_count; i++) {
        free(set->variables[i].name);
        text_list_clear(&set->variables[i].names);
    }
    free(set->variables);
    bytes_clear(&set->complaints);
    complaints_clear(&set->warnings);
    *set = (struct config_set){0};
}

void config_set_keep_settings(struct config_set *set)
{
    struct settings *settings = TAKE(set->settings);
    config_set_clear(set);
    set->settings = settings;
}

const struct function_config *config_set_need_function(const struct config_set *set, const char *command,
                                                       const char *dir, const char *name)
{
    const struct function_config *found = config_set_function(set, name);
    const struct config_rejected *rejected =
        config_rejections_find(&set->rejected, &function_config_kind, name);
    if (found != NULL) {
        return found;
    }
    if (rejected != NULL) {
        (void)fputs(rejected->text, stderr);
        return NULL;
    }
    CLEANUP(bytes_clear) struct bytes known = {0};
    for (size_t i = 0; i < set->function_count; i++) {
        bytes_format(&known, "%s%s", i == 0 ? "" : ", ", set->functions[i]->name);
    }
    (void)fprintf(stderr, "millrace %s: there is no function \"%s\" in %s/functions; it has: %s\n", command,
                  name, dir, set->function_count == 0 ? "none" : bytes_text(&known));
    return NULL;
}

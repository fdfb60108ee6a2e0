#include "cli/config_dir.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "cli/config_cleartext.h"
#include "cli/config_compare.h"
#include "cli/config_profile.h"
#include "connectors/config/connector_topics.h"
#include "core/base/clock.h"
#include "core/config/config_value.h"
#include "core/config/settings_kind.h"

const char *config_dir_choose(const char *option)
{
    const char *variable = getenv("MILLRACE_CONFIG");
    struct stat status;
    if (option != NULL) {
        return option;
    }
    if (variable != NULL && *variable != '\0') {
        return variable;
    }
    if (stat("./millrace", &status) == 0 && S_ISDIR(status.st_mode)) {
        return "./millrace";
    }
    return "/etc/millrace";
}

// A folder of one kind of file, and how to handle that kind.
struct config_folder_type {
    const char *folder;
    const struct config_kind *kind;
    enum config_folder bit;
    void (*clear)(void *config);
};

static void clear_connector(void *config)
{
    connector_config_clear(config);
}

static void clear_function(void *config)
{
    function_config_clear(config);
}

static const struct config_folder_type CONNECTORS = {"connectors", &connector_config_kind,
                                                     CONFIG_FOLDER_CONNECTORS, clear_connector};
static const struct config_folder_type FUNCTIONS = {"functions", &function_config_kind,
                                                    CONFIG_FOLDER_FUNCTIONS, clear_function};

// One file, or a folder that can't be read. Its YAML tree is kept until all connectors have been compared.
struct config_entry {
    const struct config_folder_type *type;  // NULL: millrace.yaml, or the configuration folder itself
    struct config_file file;
    struct complaints complaints;
    struct text_list variables;  // names in {env: NAME}
    void *config;                // NULL: the file was not read
};

// A configuration folder that is being loaded.
struct config_dir {
    const char *path;
    const struct config_scope *scope;
    struct config_set *set;
    struct config_entry **entries;
    size_t entry_count;
};

/** Takes over both strings. */
static struct config_entry *add_entry(struct config_dir *d, const struct config_folder_type *type, char *path,
                                      char *name)
{
    struct config_entry *e = memory_zeroed(1, sizeof(*e));
    e->type = type;
    e->file = (struct config_file){
        .path = path, .name = name, .complaints = &e->complaints, .variables = &e->variables};
    d->entries = memory_resize(d->entries, (d->entry_count + 1) * sizeof(struct config_entry *));
    d->entries[d->entry_count++] = e;
    return e;
}

static void read_file(struct config_dir *d, struct config_entry *e, const struct config_kind *kind)
{
    e->config = memory_zeroed(1, kind->size);
    (void)config_read_file(kind, &e->file, e->config);
    d->set->file_count++;
}

static char *join_path(const char *dir, const char *name)
{
    size_t length = strlen(dir);
    return memory_format("%s%s%s", dir, length > 0 && dir[length - 1] == '/' ? "" : "/", name);
}

static void read_settings(struct config_dir *d)
{
    struct config_entry *e =
        add_entry(d, NULL, join_path(d->path, "millrace.yaml"), memory_string("millrace"));
    struct stat status;
    if (stat(e->file.path, &status) != 0 && errno == ENOENT) {
        complaints_add(
            &e->complaints, e->file.path, 0, 0,
            "the file does not exist; create it with at least: kafka: {bootstrap.servers: \"HOST:9092\"}");
    } else {
        read_file(d, e, &settings_kind);
        d->set->settings = e->config;
        const struct yaml_node *kafka = yaml_get(e->file.root, "kafka");
        d->set->kafka_line = kafka == NULL ? 0 : kafka->line;
        d->set->kafka_column = kafka == NULL ? 0 : kafka->column;
        const struct yaml_node *brokers = kafka == NULL ? NULL : yaml_get(kafka, "bootstrap.servers");
        d->set->brokers_line = brokers == NULL ? d->set->kafka_line : brokers->line;
        d->set->brokers_column = brokers == NULL ? d->set->kafka_column : brokers->column;
    }
}

// Hidden entries are folders of Kubernetes' mounts and editors' lock files.
static int is_config_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 4 &&
           (strcmp(entry->d_name + length - 4, ".yml") == 0 ||
            (length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0));
}

static bool check_name(struct config_entry *e, const char *file_name)
{
    const char *dot = strrchr(file_name, '.');
    if (strcmp(dot, ".yml") == 0) {
        complaints_add(&e->complaints, e->file.path, 0, 0,
                       "only files that end in .yaml are read: rename it to %.*s.yaml",
                       (int)(dot - file_name), file_name);
        return false;
    }
    if (!config_value_is_name(e->file.name)) {
        complaints_add(
            &e->complaints, e->file.path, 0, 0,
            "the file's name must be 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit, and .yaml");
        return false;
    }
    return true;
}

static void read_entry(struct config_dir *d, const struct config_folder_type *type, const char *folder,
                       const char *file_name)
{
    size_t length = (size_t)(strrchr(file_name, '.') - file_name);
    CLEANUP(memory_free_pointer) char *name = slice_to_string(slice_make(file_name, length));
    bool is_connector = type == &CONNECTORS;
    if (is_connector && d->scope->connector != NULL && strcmp(d->scope->connector, name) != 0) {
        return;
    }
    struct config_entry *e = add_entry(d, type, join_path(folder, file_name), TAKE(name));
    if (check_name(e, file_name)) {
        read_file(d, e, type->kind);
    } else {
        d->set->file_count++;
    }
}

static void read_folder(struct config_dir *d, const struct config_folder_type *type)
{
    if ((d->scope->folders & type->bit) == 0) {
        return;
    }
    CLEANUP(memory_free_pointer) char *folder = join_path(d->path, type->folder);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_config_file, alphasort);
    if (count >= 0) {
        d->set->folders |= type->bit;
    } else if (errno != ENOENT) {
        int code = errno;
        struct config_entry *e = add_entry(d, NULL, TAKE(folder), memory_string(type->folder));
        complaints_add(&e->complaints, e->file.path, 0, 0, "can't be read: %s", strerror(code));
    }
    for (int i = 0; i < count; i++) {
        read_entry(d, type, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static bool is_read_connector(const struct config_entry *e)
{
    return e->type == &CONNECTORS && e->config != NULL;
}

static void compare_all_connectors(struct config_dir *d)
{
    for (size_t later = 1; later < d->entry_count; later++) {
        for (size_t earlier = 0; earlier < later; earlier++) {
            if (is_read_connector(d->entries[earlier]) && is_read_connector(d->entries[later])) {
                const struct config_entry *a = d->entries[earlier];
                const struct config_entry *b = d->entries[later];
                config_compare_connectors(a->file.path, a->config, &b->file, b->config);
            }
        }
    }
}

/** Adds the topics of all connectors; false when they are unknown: a file is wrong, or there is none. */
static bool list_topics(const struct config_dir *d, struct text_list *ret)
{
    bool is_complete = true;
    bool has_any = false;
    for (size_t i = 0; i < d->entry_count; i++) {
        const struct config_entry *e = d->entries[i];
        const struct connector_config *connector = is_read_connector(e) ? e->config : NULL;
        if (connector != NULL && connector->topic_prefix != NULL) {
            connector_topics_globs(connector, ret);
            has_any = true;
        } else if (e->type == &CONNECTORS) {
            is_complete = false;
        }
    }
    return is_complete && has_any;
}

static void list_replies(const struct config_dir *d, struct text_list *ret)
{
    for (size_t i = 0; i < d->entry_count; i++) {
        const struct config_entry *e = d->entries[i];
        const struct function_config *function = e->type == &FUNCTIONS ? e->config : NULL;
        if (function != NULL && function->reply.topic != NULL) {
            text_list_add(ret, function->reply.topic);
        }
    }
}

static void compare_topics(struct config_dir *d)
{
    CLEANUP(text_list_clear) struct text_list writers = {0};
    bool is_known = list_topics(d, &writers);  // without connectors here they run elsewhere
    list_replies(d, &writers);
    for (size_t i = 0; i < d->entry_count; i++) {
        const struct config_entry *e = d->entries[i];
        if (e->type != &FUNCTIONS || e->config == NULL) {
            continue;
        }
        config_compare_replies(&e->file, e->config, &d->set->warnings);
        config_compare_certificate(&e->file, e->config, &d->set->warnings);
        config_profile_check(&e->file, e->config, &d->set->warnings);
        if (is_known) {
            config_compare_topics(&e->file, &writers, &d->set->warnings);
        }
    }
}

static void compare_settings(struct config_dir *d)
{
    for (size_t i = 0; i < d->entry_count && d->set->settings != NULL; i++) {
        const struct config_entry *e = d->entries[i];
        if (e->type == &FUNCTIONS && e->config != NULL) {
            config_compare_limit(&e->file, e->config, d->set->settings);
            config_compare_policy(&e->file, e->config, d->set->settings);
        }
    }
}

static void warn_of_cleartext(struct config_dir *d)
{
    for (size_t i = 0; i < d->entry_count; i++) {
        const struct config_entry *e = d->entries[i];
        if (e->type == &FUNCTIONS && e->config != NULL) {
            config_cleartext_function(&e->file, e->config, &d->set->warnings);
        } else if (e->type == NULL && d->set->settings != NULL) {
            config_cleartext_settings(&e->file, d->set->settings, &d->set->warnings);
        }
    }
}

static void reject_entry(struct config_set *set, struct config_entry *e)
{
    config_set_reject(set, e->type == NULL ? &settings_kind : e->type->kind, e->file.name, &e->complaints);
    if (e->type != NULL && e->config != NULL) {
        e->type->clear(e->config);
        free(e->config);
    }
}

static void accept_entry(struct config_set *set, struct config_entry *e)
{
    if (e->type == &CONNECTORS) {
        size_t size = (set->connector_count + 1) * sizeof(struct connector_config *);
        set->connectors = memory_resize(set->connectors, size);
        set->connectors[set->connector_count++] = e->config;
    } else if (e->type == &FUNCTIONS) {
        size_t size = (set->function_count + 1) * sizeof(struct function_config *);
        set->functions = memory_resize(set->functions, size);
        set->functions[set->function_count++] = e->config;
    }
}

static void keep_variables(struct config_set *set, struct config_entry *e)
{
    if (e->variables.count == 0) {
        return;
    }
    size_t size = (set->variables_count + 1) * sizeof(*set->variables);
    set->variables = memory_resize(set->variables, size);
    set->variables[set->variables_count++] = (struct config_variables){
        .kind = e->type == NULL ? &settings_kind : e->type->kind,
        .name = memory_string(e->file.name),
        .names = e->variables,
    };
}

static void finish_load(struct config_dir *d)
{
    for (size_t i = 0; i < d->entry_count; i++) {
        struct config_entry *e = d->entries[i];
        keep_variables(d->set, e);
        if (e->complaints.count > 0) {
            reject_entry(d->set, e);
        } else {
            accept_entry(d->set, e);
        }
        complaints_clear(&e->complaints);
        yaml_node_free(e->file.root);
        free((void *)(uintptr_t)e->file.path);
        free((void *)(uintptr_t)e->file.name);
        free(e);
    }
    free(d->entries);
}

bool config_dir_load_scope(const char *dir, const struct config_scope *scope, struct config_set *ret)
{
    *ret = (struct config_set){0};
    struct config_dir d = {.path = dir, .scope = scope, .set = ret};
    struct stat status;
    bool is_there = stat(dir, &status) == 0;
    int code = errno;
    if (is_there && S_ISDIR(status.st_mode)) {
        read_folder(&d, &CONNECTORS);
        read_folder(&d, &FUNCTIONS);
        read_settings(&d);
        compare_all_connectors(&d);
        compare_topics(&d);
        compare_settings(&d);
        warn_of_cleartext(&d);
    } else {
        struct config_entry *e = add_entry(&d, NULL, memory_string(dir), memory_string("millrace"));
        if (is_there) {
            complaints_add(&e->complaints, dir, 0, 0,
                           "not a folder; -c takes the folder that contains millrace.yaml");
        } else {
            complaints_add(&e->complaints, dir, 0, 0,
                           "%s; create this folder with millrace.yaml in it, or name another one with -c DIR",
                           code == ENOENT ? "the folder does not exist" : strerror(code));
        }
    }
    finish_load(&d);
    return ret->error_count == 0;
}

bool config_dir_load(const char *dir, struct config_set *ret)
{
    const struct config_scope all = {CONFIG_FOLDER_CONNECTORS | CONFIG_FOLDER_FUNCTIONS, NULL};
    return config_dir_load_scope(dir, &all, ret);
}

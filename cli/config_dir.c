#include "cli/config_dir.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "core/config/config_value.h"

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

const char *config_dir_default(void)
{
    return config_dir_choose(NULL);
}

// One folder under load: the trees of the connectors' files are kept until files have been compared.
struct config_dir {
    const char *path;
    struct config_set *set;
    struct complaints complaints;
    struct config_file *connector_files;  // as many as set->connectors
};

static void *config_dir_read(struct config_dir *d, const struct config_kind *kind, struct config_file *file)
{
    void *config = memory_zeroed(1, kind->size);
    file->complaints = &d->complaints;
    (void)config_read_file(kind, file, config);
    d->set->file_count++;
    return config;
}

static void config_dir_file_clear(struct config_file *file)
{
    yaml_node_free(file->root);
    free((void *)(uintptr_t)file->path);
    free((void *)(uintptr_t)file->name);
}

static char *config_dir_join(const char *dir, const char *name)
{
    size_t length = strlen(dir);
    return memory_format("%s%s%s", dir, length > 0 && dir[length - 1] == '/' ? "" : "/", name);
}

static void config_dir_read_settings(struct config_dir *d)
{
    struct config_file file = {.path = config_dir_join(d->path, "millrace.yaml"),
                               .name = memory_string("millrace")};
    struct stat status;
    if (stat(file.path, &status) != 0 && errno == ENOENT) {
        complaints_add(
            &d->complaints, file.path, 0, 0,
            "there is no such file; create it with at least: kafka: {bootstrap.servers: \"HOST:9092\"}");
    } else {
        d->set->settings = config_dir_read(d, &settings_kind, &file);
    }
    config_dir_file_clear(&file);
}

// Hidden files are Kubernetes' own folders and editors' locks.
static int config_dir_is_ours(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 4 &&
           (strcmp(entry->d_name + length - 4, ".yml") == 0 ||
            (length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0));
}

static bool config_dir_check_name(struct config_dir *d, const char *path, const char *file_name)
{
    const char *dot = strrchr(file_name, '.');
    if (strcmp(dot, ".yml") == 0) {
        complaints_add(&d->complaints, path, 0, 0,
                       "only files that end in .yaml are read: rename it to %.*s.yaml",
                       (int)(dot - file_name), file_name);
        return false;
    }
    CLEANUP(memory_free_pointer)
    char *name = slice_to_string(slice_make(file_name, (size_t)(dot - file_name)));
    if (!config_value_is_name(name)) {
        complaints_add(
            &d->complaints, path, 0, 0,
            "the file's name must be 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit, and .yaml");
        return false;
    }
    return true;
}

static void config_dir_add_connector(struct config_dir *d, struct config_file *file)
{
    struct config_set *set = d->set;
    size_t count = set->connector_count + 1;
    set->connectors = memory_resize(set->connectors, count * sizeof(struct connector_config *));
    d->connector_files = memory_resize(d->connector_files, count * sizeof(*d->connector_files));
    set->connectors[set->connector_count] = config_dir_read(d, &connector_config_kind, file);
    d->connector_files[set->connector_count] = *file;
    set->connector_count = count;
}

static void config_dir_add_function(struct config_dir *d, struct config_file *file)
{
    struct config_set *set = d->set;
    set->functions =
        memory_resize(set->functions, (set->function_count + 1) * sizeof(struct function_config *));
    set->functions[set->function_count++] = config_dir_read(d, &function_config_kind, file);
    config_dir_file_clear(file);
}

static void config_dir_add_file(struct config_dir *d, const char *folder, const char *file_name,
                                void (*add)(struct config_dir *d, struct config_file *file))
{
    CLEANUP(memory_free_pointer) char *path = config_dir_join(folder, file_name);
    if (!config_dir_check_name(d, path, file_name)) {
        d->set->file_count++;
        return;
    }
    size_t length = strlen(file_name) - strlen(".yaml");
    struct config_file file = {.path = TAKE(path), .name = slice_to_string(slice_make(file_name, length))};
    add(d, &file);
}

static void config_dir_read_folder(struct config_dir *d, const char *name,
                                   void (*add)(struct config_dir *d, struct config_file *file))
{
    CLEANUP(memory_free_pointer) char *folder = config_dir_join(d->path, name);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, config_dir_is_ours, alphasort);
    if (count < 0 && errno != ENOENT) {
        complaints_add(&d->complaints, folder, 0, 0, "can't be read: %s", strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        config_dir_add_file(d, folder, entries[i]->d_name, add);
        free(entries[i]);
    }
    free(entries);
}

static void config_dir_compare(struct config_dir *d, size_t earlier, size_t later)
{
    const struct connector_config *a = d->set->connectors[earlier];
    const struct connector_config *b = d->set->connectors[later];
    const struct config_file *file = &d->connector_files[later];
    const char *other = d->connector_files[earlier].path;
    if (a->topic_prefix != NULL && b->topic_prefix != NULL && strcmp(a->topic_prefix, b->topic_prefix) == 0) {
        config_complain(file, "topic_prefix", "topic_prefix: %s has the same; their topics would be mixed",
                        other);
    }
    if (!connector_config_same_database(a, b) || a->slot.name == NULL || b->slot.name == NULL) {
        return;
    }
    if (strcmp(a->slot.name, b->slot.name) == 0) {
        config_complain(file, "slot.name", "name: %s uses the same slot of the same database", other);
    }
    if (strcmp(a->slot.publication, b->slot.publication) == 0) {
        config_complain(file, "slot.publication",
                        "publication: %s uses the same publication of the same database", other);
    }
}

static void config_dir_read_all(struct config_dir *d)
{
    config_dir_read_settings(d);
    config_dir_read_folder(d, "connectors", config_dir_add_connector);
    config_dir_read_folder(d, "functions", config_dir_add_function);
    for (size_t later = 1; later < d->set->connector_count; later++) {
        for (size_t earlier = 0; earlier < later; earlier++) {
            config_dir_compare(d, earlier, later);
        }
    }
    for (size_t i = 0; i < d->set->connector_count; i++) {
        config_dir_file_clear(&d->connector_files[i]);
    }
    free(d->connector_files);
}

bool config_dir_load(const char *dir, struct config_set *ret)
{
    *ret = (struct config_set){0};
    struct config_dir d = {.path = dir, .set = ret};
    struct stat status;
    if (stat(dir, &status) != 0) {
        complaints_add(&d.complaints, dir, 0, 0,
                       "%s; create this folder with millrace.yaml in it, or name another one with -c DIR",
                       errno == ENOENT ? "there is no such folder" : strerror(errno));
    } else if (!S_ISDIR(status.st_mode)) {
        complaints_add(&d.complaints, dir, 0, 0,
                       "not a folder; -c takes the folder that has millrace.yaml in it");
    } else {
        config_dir_read_all(&d);
    }
    ret->error_count = d.complaints.count;
    complaints_write(&d.complaints, &ret->complaints);
    complaints_clear(&d.complaints);
    return ret->error_count == 0;
}

void config_dir_summary(const struct config_set *set, struct bytes *out)
{
    bytes_format(out, "%zu error%s in %zu file%s\n", set->error_count, set->error_count == 1 ? "" : "s",
                 set->file_count, set->file_count == 1 ? "" : "s");
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
    bytes_clear(&set->complaints);
    *set = (struct config_set){0};
}

#include "cli/try/try_handler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/try/handler_source.h"
#include "cli/try/runtime_client.h"
#include "cli/try/shell_word.h"
#include "cli/try/try_process.h"
#include "core/base/memory.h"
#include "core/config/config_file.h"

enum { SOURCE_BYTES_MAX = 16 << 20 };

/** What --handler says, with the file found. */
struct file {
    char *shown;   // as the user gave it, without the name
    char *path;    // absolute
    char *folder;  // of it
    char *name;    // of the function; NULL: not given
};

static void clear_file(struct file *at)
{
    free(at->shown);
    free(at->path);
    free(at->folder);
    free(at->name);
}

static bool is_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

/** Splits FILE:NAME; a file with a colon in its name may be given, too. */
static bool read_file(const char *text, struct file *at, struct fault *f)
{
    const char *colon = strrchr(text, ':');
    bool has_name = colon != NULL && strchr(colon, '/') == NULL && !is_file(text);
    at->shown = has_name ? memory_format("%.*s", (int)(colon - text), text) : memory_string(text);
    if (has_name && colon[1] == '\0') {
        return fault_set(f, FAULT_CONFIG, "--handler %s: a name is missing behind the colon", text);
    }
    at->name = has_name ? memory_string(colon + 1) : NULL;
    at->path = realpath(at->shown, NULL);
    if (at->path == NULL) {
        return fault_from(f, FAULT_CONFIG, "errno", errno, "--handler %s: %s", at->shown, strerror(errno));
    }
    if (!is_file(at->path)) {
        return fault_set(f, FAULT_CONFIG, "--handler %s: it is no file; name the file with the handler",
                         at->shown);
    }
    at->folder = memory_format("%.*s", (int)(strrchr(at->path, '/') - at->path), at->path);
    return true;
}

/** The folder of the file as the user gave it, as a shell takes it. */
static char *shown_folder(const struct file *at)
{
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    const char *slash = strrchr(at->shown, '/');
    CLEANUP(memory_free_pointer)
    char *folder =
        slash == NULL ? memory_string(".") : memory_format("%.*s", (int)(slash - at->shown), at->shown);
    shell_word_append(&quoted, folder);
    return slice_to_string(bytes_slice(&quoted));
}

/** "app.handler" of app.py and the name that is given or found in it. */
static bool choose_handler(const struct file *at, enum handler_language language, char **ret, struct fault *f)
{
    const char *base = strrchr(at->path, '/') + 1;
    size_t size = (size_t)(strrchr(base, '.') - base);
    if (memchr(base, '.', size) != NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "--handler %s: runtime clients take a dot in a file's name for its end; rename it",
                         at->shown);
    }
    const char *name = at->name;
    CLEANUP(bytes_clear) struct bytes source = {0};
    if (name == NULL) {
        if (!config_file_load(at->path, SOURCE_BYTES_MAX, &source, NULL, f)) {
            return false;
        }
        name = handler_name_in(language, bytes_slice(&source));
    }
    if (name == NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "--handler %s: it %s neither lambda_handler nor handler; type --handler %s:NAME",
                         at->shown, language == HANDLER_PYTHON ? "defines" : "exports", at->shown);
    }
    *ret = memory_format("%.*s.%s", (int)size, base, name);
    return true;
}

static bool take_bootstrap(const struct file *at, struct try_handler *h, struct fault *f)
{
    // Root may execute every file that anybody may.
    if (access(at->path, X_OK) != 0) {
        return fault_set(f, FAULT_CONFIG,
                         "--handler %s: it is no .py, .js, .mjs or .cjs and can't be executed; if it is a "
                         "bootstrap, type: chmod +x %s; else say with --command what runs it",
                         at->shown, at->shown);
    }
    text_list_add(&h->command, at->path);
    h->handler = at->name == NULL ? NULL : memory_string(at->name);
    return true;
}

static bool find_client(const struct file *at, enum handler_language language, struct try_handler *h,
                        struct fault *f)
{
    CLEANUP(memory_free_pointer) char *shown = shown_folder(at);
    const struct runtime_client_params params = {
        .folder = at->folder,
        .folder_shown = shown,
        .handler = h->handler,
        .user = &h->user,
    };
    return language == HANDLER_PYTHON ? runtime_client_python(&params, &h->command, f)
                                      : runtime_client_node(&params, &h->command, f);
}

static bool take_file(const char *text, bool has_command, struct try_handler *h, struct fault *f)
{
    CLEANUP(clear_file) struct file at = {0};
    if (!read_file(text, &at, f) || !handler_user_choose(at.path, &h->user, f)) {
        return false;
    }
    h->directory = memory_string(at.folder[0] == '\0' ? "/" : at.folder);
    enum handler_language language = handler_language_of(at.path);
    if (language == HANDLER_OTHER) {
        if (!has_command) {
            return take_bootstrap(&at, h, f);
        }
        h->handler = at.name == NULL ? NULL : memory_string(at.name);
        return true;
    }
    return choose_handler(&at, language, &h->handler, f) && (has_command || find_client(&at, language, h, f));
}

/** Absolute, since the process runs elsewhere. Links stay: a Python of a virtual environment is one. */
static char *find_program(const char *name)
{
    if (strchr(name, '/') == NULL) {
        return try_process_find(name);
    }
    if (access(name, X_OK) != 0) {
        return NULL;
    }
    CLEANUP(memory_free_pointer) char *here = getcwd(NULL, 0);
    return name[0] == '/' || here == NULL ? memory_string(name) : memory_format("%s/%s", here, name);
}

static bool take_command(char *const *command, struct try_handler *h, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *program = find_program(command[0]);
    if (program == NULL) {
        return fault_set(f, FAULT_CONFIG, "--command %s: there is no such program%s", command[0],
                         strchr(command[0], '/') != NULL ? "" : " on the PATH");
    }
    text_list_add(&h->command, program);
    for (command++; *command != NULL; command++) {
        text_list_add(&h->command, *command);
    }
    return true;
}

static bool take_working_directory(struct try_handler *h, struct fault *f)
{
    h->directory = getcwd(NULL, 0);
    if (h->directory == NULL) {
        return fault_from(f, FAULT_FATAL, "errno", errno, "the working directory: %s", strerror(errno));
    }
    CLEANUP(memory_free_pointer) char *inside = memory_format("%s/.", h->directory);
    return handler_user_choose(inside, &h->user, f);
}

bool try_handler_find(const char *file, char *const *command, struct try_handler *ret, struct fault *f)
{
    bool is_found = file == NULL ? take_working_directory(ret, f) : take_file(file, command != NULL, ret, f);
    return is_found && (command == NULL || take_command(command, ret, f));
}

void try_handler_clear(struct try_handler *h)
{
    text_list_clear(&h->command);
    free(h->handler);
    free(h->directory);
    *h = (struct try_handler){0};
}

static void write_text(struct bytes *out, const char *key, const char *text)
{
    bytes_format(out, "%s: ", key);
    text_append_json(out, slice_of(text));  // YAML takes JSON's strings
}

/** Where the runtimes look for packages: a local process inherits nothing that is not named. */
static void write_environment(struct bytes *out)
{
    static const char *const names[] = {"NODE_PATH", "PYTHONPATH"};
    const char *separator = ", env: {";
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0') {
            bytes_append_string(out, separator);
            write_text(out, names[i], value);
            separator = ", ";
        }
    }
    bytes_append_string(out, separator[2] == '\0' ? "}" : "");
}

void try_handler_write(const struct try_handler *h, const char *payload, struct bytes *out)
{
    if (payload != NULL) {
        write_text(out, "payload", payload);
        bytes_append_string(out, ", ");
    }
    bytes_append_string(out, "endpoint: {process: {command: [");
    for (size_t i = 0; i < h->command.count; i++) {
        bytes_append_string(out, i == 0 ? "" : ", ");
        text_append_json(out, slice_of(h->command.items[i]));
    }
    bytes_append_string(out, "], ");
    write_text(out, "directory", h->directory);
    if (h->handler != NULL) {
        bytes_append_string(out, ", ");
        write_text(out, "handler", h->handler);
    }
    if (h->user.name[0] != '\0') {
        bytes_append_string(out, ", ");
        write_text(out, "user", h->user.name);
    }
    write_environment(out);
    bytes_append_string(out, "}}");
}

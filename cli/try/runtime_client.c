#include "cli/try/runtime_client.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/try/try_process.h"
#include "core/base/memory.h"

#define NODE_CLIENT "aws-lambda-ric"

static const char *const GLOBAL_FOLDERS[] = {"/usr/local/lib/node_modules", "/usr/lib/node_modules",
                                             "/usr/share/nodejs"};

static void add_command(struct text_list *list, const char *program, const char *const *arguments)
{
    text_list_add(list, program);
    for (; *arguments != NULL; arguments++) {
        text_list_add(list, *arguments);
    }
}

/** What was found while no Python had the client. */
struct pythons {
    char *runnable;   // the first of PATH that the user can run; NULL: none
    char *forbidden;  // one that has the client and can't be run by the user; NULL: none
    bool is_first;    // `runnable` is what a shell takes for python3
};

static void clear_pythons(struct pythons *found)
{
    free(found->runnable);
    free(found->forbidden);
}

static bool can_import(const struct handler_user *user, const char *python)
{
    return handler_user_runs(user, (const char *const[]){python, "-c", "import awslambdaric", NULL});
}

static bool try_python(const struct runtime_client_params *p, const char *python, struct text_list *ret,
                       struct pythons *found)
{
    if (access(python, X_OK) != 0) {
        return false;
    }
    if (can_import(p->user, python)) {
        add_command(ret, python, (const char *const[]){"-m", "awslambdaric", p->handler, NULL});
        return true;
    }
    bool is_other = p->user->name[0] != '\0';
    if (found->forbidden == NULL && is_other && can_import(&(struct handler_user){0}, python)) {
        found->forbidden = memory_string(python);
    }
    return false;
}

static bool try_folder(const struct runtime_client_params *p, const char *folder, const char *name,
                       struct text_list *ret, struct pythons *found)
{
    CLEANUP(memory_free_pointer) char *python = memory_format("%s/%s/bin/python3", folder, name);
    return try_python(p, python, ret, found);
}

static bool try_path(const struct runtime_client_params *p, struct text_list *ret, struct pythons *found)
{
    const char *rest = getenv("PATH");
    char *python;
    for (bool is_first = true; (python = try_process_find_next(&rest, "python3")) != NULL; is_first = false) {
        CLEANUP(memory_free_pointer) char *owned = python;
        if (try_python(p, python, ret, found)) {
            return true;
        }
        if (found->runnable == NULL &&
            handler_user_runs(p->user, (const char *const[]){python, "-c", "", NULL})) {
            found->runnable = TAKE(owned);
            found->is_first = is_first;
        }
    }
    return false;
}

static bool refuse_python(const struct runtime_client_params *p, const struct pythons *found, struct fault *f)
{
    if (found->runnable == NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "no python3 that %s%s can run is on the PATH; type: apt-get install python3 "
                         "python3-venv",
                         p->user->name[0] == '\0' ? "you" : "user ", p->user->name);
    }
    char why[160] = "awslambdaric, which runs Python handlers, is not installed";
    if (found->forbidden != NULL) {
        (void)snprintf(why, sizeof why, "user %.32s can't run %.90s", p->user->name, found->forbidden);
    }
    CLEANUP(memory_free_pointer) char *own = memory_format("%s/.venv/", p->folder);
    bool is_own = found->forbidden != NULL && strncmp(found->forbidden, own, strlen(own)) == 0;
    // PEP 668: Debian's own Python takes no packages from pip, so a virtual environment it is.
    return fault_set(f, FAULT_CONFIG,
                     "%s; type: %s -m venv%s %s/.venv && %s/.venv/bin/pip install awslambdaric (on Debian "
                     "first: apt-get install python3-venv)",
                     why, found->is_first ? "python3" : found->runnable, is_own ? " --clear" : "",
                     p->folder_shown, p->folder_shown);
}

bool runtime_client_python(const struct runtime_client_params *p, struct text_list *ret, struct fault *f)
{
    CLEANUP(clear_pythons) struct pythons found = {0};
    CLEANUP(memory_free_pointer) char *here = getcwd(NULL, 0);
    return try_folder(p, p->folder, ".venv", ret, &found) || try_folder(p, p->folder, "venv", ret, &found) ||
           (here != NULL && try_folder(p, here, ".venv", ret, &found)) || try_path(p, ret, &found) ||
           refuse_python(p, &found, f);
}

/** The program of the package that its description names: `bin`, a text or an object. */
static char *program_of(const char *package)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/package.json", package);
    json_t *json = json_load_file(path, 0, NULL);
    json_t *bin = json_object_get(json, "bin");
    const char *name = json_string_value(json_is_object(bin) ? json_object_get(bin, NODE_CLIENT) : bin);
    char *program = name == NULL ? NULL : memory_format("%s/%s", package, name);
    json_decref(json);
    return program;
}

/** The client's program in a node_modules folder; NULL: it is not there. */
static char *script_in(const char *modules)
{
    CLEANUP(memory_free_pointer) char *package = memory_format("%s/" NODE_CLIENT, modules);
    CLEANUP(memory_free_pointer) char *program = program_of(package);
    return program == NULL ? NULL : realpath(program, NULL);
}

static char *script_above(const char *folder)
{
    CLEANUP(memory_free_pointer) char *at = memory_string(folder);
    for (;;) {
        CLEANUP(memory_free_pointer) char *modules = memory_format("%s/node_modules", at);
        char *script = script_in(modules);
        char *slash = strrchr(at, '/');
        if (script != NULL || slash == NULL) {
            return script;
        }
        *slash = '\0';
    }
}

static char *script_in_list(const char *folders)
{
    char *script = NULL;
    while (script == NULL && folders != NULL && *folders != '\0') {
        size_t size = strcspn(folders, ":");
        CLEANUP(memory_free_pointer) char *folder = memory_format("%.*s", (int)size, folders);
        script = size > 0 ? script_in(folder) : NULL;
        folders += size;
        folders += *folders == ':';
    }
    return script;
}

/** Of the installation that `node` is of: PREFIX/bin/node and PREFIX/lib/node_modules. */
static char *script_beside(const char *node)
{
    CLEANUP(memory_free_pointer) char *real = realpath(node, NULL);
    for (int i = 0; real != NULL && i < 2; i++) {
        char *slash = strrchr(real, '/');
        if (slash == NULL) {
            return NULL;
        }
        *slash = '\0';
    }
    CLEANUP(memory_free_pointer)
    char *modules = memory_format("%s/lib/node_modules", real == NULL ? "" : real);
    return script_in(modules);
}

/** Where npm's own configuration puts global packages. */
static char *script_of_npm(void)
{
    CLEANUP(bytes_clear) struct bytes out = {0};
    if (!try_process_output((const char *const[]){"npm", "root", "-g", NULL}, &out)) {
        return NULL;
    }
    CLEANUP(memory_free_pointer) char *modules = slice_to_string(bytes_slice(&out));
    modules[strcspn(modules, "\r\n")] = '\0';
    return script_in(modules);
}

static char *find_script(const char *folder, const char *node)
{
    char *script = script_above(folder);
    script = script == NULL ? script_in_list(getenv("NODE_PATH")) : script;
    script = script == NULL ? script_beside(node) : script;
    for (size_t i = 0; i < COUNT_OF(GLOBAL_FOLDERS) && script == NULL; i++) {
        script = script_in(GLOBAL_FOLDERS[i]);
    }
    return script == NULL ? script_of_npm() : script;
}

/** The first node of PATH that the user can run; NULL: there is none. */
static char *find_node(const struct handler_user *user)
{
    const char *rest = getenv("PATH");
    char *node;
    while ((node = try_process_find_next(&rest, "node")) != NULL) {
        if (handler_user_runs(user, (const char *const[]){node, "--version", NULL})) {
            return node;
        }
        free(node);
    }
    return NULL;
}

bool runtime_client_node(const struct runtime_client_params *p, struct text_list *ret, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *node = find_node(p->user);
    if (node == NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "no node that %s%s can run is on the PATH; type: apt-get install nodejs npm",
                         p->user->name[0] == '\0' ? "you" : "user ", p->user->name);
    }
    CLEANUP(memory_free_pointer) char *script = find_script(p->folder, node);
    char why[160] = "aws-lambda-ric, which runs Node handlers, is not installed";
    if (script != NULL && !handler_user_reads(p->user, script)) {
        (void)snprintf(why, sizeof why, "user %.32s can't read %.90s", p->user->name, script);
        free(TAKE(script));
    }
    if (script == NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "%s; type: npm install --prefix %s aws-lambda-ric (it is compiled; on Debian first: "
                         "apt-get install g++ make cmake autoconf automake libtool python3)",
                         why, p->folder_shown);
    }
    add_command(ret, node, (const char *const[]){script, p->handler, NULL});
    return true;
}

#include "bridge/config/process_options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/config/process_rules.h"
#include "bridge/config/process_user.h"
#include "core/config/config_file.h"

enum { INSTANCES_MAX = 256, CONCURRENCY_MAX = 1000 };

#define SECOND_US INT64_C(1000000)
#define DAY_US (INT64_C(86400) * SECOND_US)
#define MEMORY_MIN (INT64_C(16) << 20)  // a shell and curl
#define MEMORY_MAX (INT64_C(1) << 44)

#define AT(member) .offset = offsetof(struct function_config, process.member)

const struct config_option process_options[] = {
    {.key = "command",
     .type = CONFIG_LIST,
     .is_required = true,
     .min = 1,
     AT(command),
     .doc = "The program that asks for calls and its arguments: a client of Lambda's Runtime API, such as "
            "`[python3, -m, awslambdaric, app.handler]`."},
    {.key = "handler",
     .type = CONFIG_TEXT,
     AT(handler),
     .doc = "The variable `_HANDLER`, for programs that read there what to call."},
    {.key = "directory",
     .type = CONFIG_TEXT,
     AT(directory),
     .otherwise = "the folder of this file",
     .doc = "The folder that the program runs in; a relative one starts at this file's. The variable "
            "`LAMBDA_TASK_ROOT`."},
    {.key = "env",
     .type = CONFIG_PAIRS,
     AT(env),
     .rules = &process_env_rules,
     .doc = "Environment variables of the program; a value may be {file: PATH} or {env: NAME}. It gets no "
            "others of millrace's than PATH, HOME, LANG and TZ."},
    {.key = "instances",
     .type = CONFIG_INTEGER,
     .initial = "1",
     .min = 1,
     .max = INSTANCES_MAX,
     AT(instances),
     .doc = "Most processes of the program, in each bridge process; they are started when calls wait."},
    {.key = "warm_instances",
     .type = CONFIG_INTEGER,
     .initial = "1",
     .min = 0,
     .max = INSTANCES_MAX,
     AT(warm_instances),
     .doc = "How many of them run without calls, too."},
    {.key = "concurrency_per_instance",
     .type = CONFIG_INTEGER,
     .initial = "1",
     .min = 1,
     .max = CONCURRENCY_MAX,
     AT(concurrency_per_instance),
     .doc = "Calls that one process serves at the same time; its program must ask for several "
            "([local-functions.md](local-functions.md#several-calls-in-one-process))."},
    {.key = "idle_stop",
     .type = CONFIG_DURATION,
     .initial = "10m",
     .min = 0,
     .max = INT64_C(365) * DAY_US,
     AT(idle_stop_us),
     .doc = "A process beyond warm_instances ends after this time without a call; 0s: never."},
    {.key = "init_timeout",
     .type = CONFIG_DURATION,
     .initial = "10s",
     .min = SECOND_US / 10,
     .max = INT64_C(900) * SECOND_US,
     AT(init_timeout_us),
     .doc = "A process that has not asked for its first call after this time, or for the next one while one "
            "waits, is ended."},
    {.key = "memory",
     .type = CONFIG_SIZE,
     .min = MEMORY_MIN,
     .max = MEMORY_MAX,
     AT(memory_bytes),
     .otherwise = "no limit",
     .doc = "Memory of one process and those that it starts."},
    {.key = "cpu",
     .type = CONFIG_TEXT,
     AT(cpu_text),
     .rules = &process_cpu_rules,
     .otherwise = "no limit",
     .doc = "Cores that one process and those that it starts may use, such as 0.5."},
    {.key = "user",
     .type = CONFIG_TEXT,
     AT(user),
     .rules = &process_user_rules,
     .otherwise = "millrace's own; required when that is root",
     .doc = "The user that the program runs as, by name or number; never root."},
    {.key = NULL},
};

/** The path with the directory before it that it starts at. */
static char *join(const char *directory, const char *path)
{
    while (strncmp(path, "./", 2) == 0) {
        path += 2;
    }
    if (strcmp(path, ".") == 0 || *path == '\0') {
        return memory_string(directory);
    }
    return *path == '/' ? memory_string(path)
                        : memory_format("%s/%s", strcmp(directory, "/") == 0 ? "" : directory, path);
}

/** Not realpath: a link that leads to a new version later is to be followed then. */
static void resolve_directory(const struct config_file *file, struct process_config *p)
{
    char here[PATH_MAX];
    CLEANUP(memory_free_pointer)
    char *path = config_file_resolve(file->path, p->directory == NULL ? "." : p->directory);
    free(p->directory);
    size_t size = strlen(path);
    if (size > 2 && strcmp(path + size - 2, "/.") == 0) {
        path[size - 2] = '\0';
    }
    p->directory = join(getcwd(here, sizeof(here)) == NULL ? "" : here, path);
}

static bool check_directory(const struct config_file *file, const struct process_config *p,
                            const struct process_user *user)
{
    struct stat status;
    bool is_there = stat(p->directory, &status) == 0;
    int code = is_there ? ENOTDIR : errno;
    if (!is_there || !S_ISDIR(status.st_mode)) {
        config_complain(file, "endpoint.process.directory", "directory: %s: %s", p->directory,
                        strerror(code));
        return false;
    }
    if (process_user_access(user, p->directory, X_OK) != 0) {
        config_complain(
            file, "endpoint.process.directory",
            "directory: %s: the function's user %s can't enter it; name a folder that it may enter",
            p->directory, user->name == NULL ? "" : user->name);
        return false;
    }
    return true;
}

/** @return  0, or errno of what prevents that it is run */
static int run_error(const char *path, const struct process_user *user)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return errno;
    }
    return !S_ISREG(status.st_mode) ? EACCES : process_user_access(user, path, X_OK);
}

/** The first folder on the way to a file, that of its link if it is one, which the user can't enter; NULL:
 * none, or it can't be told. The caller frees it. */
static char *closed_folder(const char *path, const struct process_user *user)
{
    char *real = realpath(path, NULL);
    for (char *end = real; real != NULL && (end = strchr(end + 1, '/')) != NULL; *end = '/') {
        *end = '\0';
        if (process_user_access(user, real, X_OK) != 0) {
            return real;
        }
    }
    free(real);
    return NULL;
}

static void refuse_program(const struct config_file *file, struct yaml_node *node, const char *path,
                           const struct process_user *user, int code)
{
    CLEANUP(memory_free_pointer) char *closed = code == EACCES ? closed_folder(path, user) : NULL;
    if (closed != NULL) {
        config_complain_at(
            file, node, "command: %s: the function's user can't enter %s, where it is; install it elsewhere",
            path, closed);
        return;
    }
    config_complain_at(file, node, "command: %s: %s", path,
                       code == EACCES ? "not a program that the function's user may run (chmod +x)"
                                      : strerror(code));
}

/** The search of execvp(3), as the instance has it: from its directory, by its PATH. */
static bool is_in_path(const struct process_config *p, const struct process_user *user, const char *name)
{
    for (const char *at = process_config_path(p);; at++) {
        size_t size = strcspn(at, ":");
        CLEANUP(memory_free_pointer) char *folder = slice_to_string(slice_make(at, size));
        CLEANUP(memory_free_pointer) char *base = join(p->directory, folder);
        CLEANUP(memory_free_pointer) char *path = join(base, name);
        if (run_error(path, user) == 0) {
            return true;
        }
        at += size;
        if (*at == '\0') {
            return false;
        }
    }
}

static void check_program(const struct config_file *file, const struct process_config *p,
                          const struct process_user *user)
{
    struct yaml_node *list = config_node(file, "endpoint.process.command");
    if (p->command.count == 0 || list->kind != YAML_LIST || list->is_bad) {
        return;
    }
    struct yaml_node *node = list->items[0];
    const char *name = p->command.items[0];
    if (strchr(name, '/') != NULL) {
        CLEANUP(memory_free_pointer) char *path = join(p->directory, name);
        int code = run_error(path, user);
        if (code != 0) {
            refuse_program(file, node, path, user, code);
        }
        return;
    }
    const char *own = text_pairs_get(&p->env, "PATH");
    if (!is_in_path(p, user, name)) {
        config_complain_at(file, node, "command: there is no program %s in the PATH of %s (%s)", name,
                           own != NULL ? "env" : "millrace", process_config_path(p));
    }
}

/** A variable without a value is neither set nor unset. */
static void check_values(const struct config_file *file)
{
    struct yaml_node *env = yaml_get(config_node(file, "endpoint.process"), "env");
    for (size_t i = 0; env != NULL && env->kind == YAML_MAP && i < env->count; i++) {
        if (env->items[i]->kind == YAML_NULL) {
            config_complain_at(file, env->items[i], "env: %s has no value; write '' for an empty one",
                               env->keys[i]->text);
        }
    }
}

static void check_counts(const struct config_file *file, struct function_config *c)
{
    const struct process_config *p = &c->process;
    static const char CONCURRENCY[] = "delivery.concurrency";
    int64_t calls = p->instances * p->concurrency_per_instance;
    struct yaml_node *delivery = yaml_get(file->root, "delivery");
    struct yaml_node *given = yaml_get(delivery, "concurrency");
    if (p->warm_instances > p->instances && config_is_sound(file, "endpoint.process.instances")) {
        config_complain(file, "endpoint.process.warm_instances",
                        "warm_instances: %lld are more than instances (%lld)", (long long)p->warm_instances,
                        (long long)p->instances);
    }
    if (calls > CONCURRENCY_MAX) {
        config_complain(file, "endpoint.process.concurrency_per_instance",
                        "concurrency_per_instance: instances times it are %lld calls at the same time; a "
                        "function has at most %d",
                        (long long)calls, CONCURRENCY_MAX);
    } else if (given == NULL || given->kind == YAML_NULL) {
        c->delivery.concurrency = calls;
    } else if (c->delivery.concurrency > calls && config_is_sound(file, CONCURRENCY)) {
        config_complain(file, CONCURRENCY,
                        "concurrency: %lld calls are more than the %lld that the endpoint's processes take "
                        "(instances times concurrency_per_instance)",
                        (long long)c->delivery.concurrency, (long long)calls);
    }
}

void process_options_finish(const struct config_file *file, struct function_config *c)
{
    struct process_config *p = &c->process;
    struct fault f;
    if (p->cpu_text != NULL && !process_cpu_parse(p->cpu_text, &p->cpu_millis, &f)) {
        p->cpu_millis = 0;  // complained about already
    }
    if (c->payload == FUNCTION_PAYLOAD_CLOUDEVENTS && config_is_sound(file, "payload")) {
        config_complain(file, "payload",
                        "payload: cloudevents puts attributes into headers, which the Runtime API does not "
                        "give to functions; choose lambda-kafka, dynamodb-stream, cloudevents-structured, or "
                        "another one that is all in the body");
    }
    if (p->user == NULL && geteuid() == 0 && config_is_sound(file, "endpoint.process.user")) {
        config_complain(file, "endpoint.process.user",
                        "user: millrace runs as root, and functions must not; name the user that this one is "
                        "to run as");
    }
    resolve_directory(file, p);
    struct process_user user CLEANUP(process_user_clear) = {.uid = geteuid()};
    bool is_known = config_is_sound(file, "endpoint.process.user") &&
                    (process_user_find(p->user, &user) || p->user == NULL);
    if (is_known && check_directory(file, p, &user)) {
        check_program(file, p, &user);
    }
    check_values(file);
    check_counts(file, c);
}

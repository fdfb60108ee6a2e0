#include "bridge/endpoints/process/instance_environment.h"

#include <unistd.h>

#include "bridge/config/process_user.h"

enum { MIB = 1024 * 1024 };

/** Entries NAME=VALUE, each with its NUL, one after the other. */
struct entries {
    const struct process_config *config;
    struct bytes text;
    size_t count;
};

static void add(struct entries *e, const char *name, const char *value)
{
    bytes_append_string(&e->text, name);
    bytes_append_byte(&e->text, '=');
    bytes_append(&e->text, value, strlen(value) + 1);
    e->count++;
}

/** For a variable that the file may set itself. */
static void add_default(struct entries *e, const char *name, const char *value)
{
    if (value != NULL && text_pairs_get(&e->config->env, name) == NULL) {
        add(e, name, value);
    }
}

static const char *inherit(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : otherwise;
}

/** The home of the user that the process runs as. */
static void add_home(struct entries *e)
{
    const char *own = e->config->user == NULL ? inherit("HOME", NULL) : NULL;
    struct process_user user CLEANUP(process_user_clear) = {0};
    bool is_known = own == NULL && process_user_find(e->config->user, &user);
    add_default(e, "HOME", own != NULL ? own : is_known ? user.home : "/");
}

/** What every program needs. */
static void add_basics(struct entries *e)
{
    add_default(e, "PATH", process_config_path(e->config));
    add_home(e);
    add_default(e, "LANG", inherit("LANG", "C.UTF-8"));
    add_default(e, "TZ", inherit("TZ", NULL));
}

/** In MiB, as Lambda has it; some runtimes end without it. Without a limit it is the machine's. */
static int64_t memory_size(const struct process_config *c)
{
    int64_t bytes = c->memory_bytes > 0 ? c->memory_bytes
                                        : (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
    return bytes / MIB;
}

static void add_number(struct entries *e, const char *name, const char *before, int64_t number)
{
    CLEANUP(memory_free_pointer) char *value = memory_format("%s%lld", before, (long long)number);
    add(e, name, value);
}

/** What Lambda's runtimes read; process_rules.c refuses these names in a file. */
static void add_lambda(struct entries *e, const char *function, int port)
{
    const struct process_config *c = e->config;
    add_number(e, "AWS_LAMBDA_RUNTIME_API", "127.0.0.1:", port);
    if (c->handler != NULL) {
        add(e, "_HANDLER", c->handler);
    }
    if (c->directory != NULL) {
        add(e, "LAMBDA_TASK_ROOT", c->directory);
        add(e, "LAMBDA_RUNTIME_DIR", c->directory);
    }
    add(e, "AWS_LAMBDA_FUNCTION_NAME", function);
    add(e, "AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
    add_number(e, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "", memory_size(c));
    CLEANUP(memory_free_pointer) char *group = memory_format("/millrace/%s", function);
    add(e, "AWS_LAMBDA_LOG_GROUP_NAME", group);
    add_number(e, "AWS_LAMBDA_LOG_STREAM_NAME", "[$LATEST]", port);
    add(e, "AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
    if (c->concurrency_per_instance > 1) {
        add_number(e, "AWS_LAMBDA_MAX_CONCURRENCY", "", c->concurrency_per_instance);
    }
}

char **instance_environment_make(const struct process_config *c, const char *function, int port)
{
    struct entries e = {.config = c, .text = {.is_secret = true}};
    add_basics(&e);
    add_lambda(&e, function, port);
    for (size_t i = 0; i < c->env.count; i++) {
        add(&e, c->env.items[i].key, c->env.items[i].value);
    }
    size_t pointers = (e.count + 1) * sizeof(char *);
    char **made = memory_new(pointers + e.text.size);
    char *at = (char *)made + pointers;
    memcpy(at, e.text.data, e.text.size);
    for (size_t i = 0; i < e.count; i++) {
        made[i] = at;
        at += strlen(at) + 1;
    }
    made[e.count] = NULL;
    bytes_wipe(&e.text);
    return made;
}

void instance_environment_free(char **environment)
{
    memory_wipe(environment);
}

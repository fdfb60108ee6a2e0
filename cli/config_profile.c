#include "cli/config_profile.h"

#include <unistd.h>

#include "bridge/endpoints/aws/aws_plan.h"
#include "bridge/endpoints/aws/aws_profiles.h"

static void warn(const struct config_file *file, const char *path, const char *text,
                 struct complaints *warnings)
{
    const struct yaml_node *node = config_node(file, path);
    if (node != NULL) {
        complaints_add(warnings, file->path, node->line, node->column, "profile: %s", text);
    }
}

static void complain_of_none(const struct config_file *file, const char *path, const char *name,
                             const struct aws_profiles *profiles, const char *files)
{
    const char **names = memory_zeroed(profiles->count + 1, sizeof(*names));
    for (size_t i = 0; i < profiles->count; i++) {
        names[i] = profiles->items[i].name;
    }
    const char *near = text_nearest(name, names);
    config_complain(file, path, "profile: there is no profile \"%.64s\" in %s%s%s%s", name, files,
                    near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
                    near == NULL ? "" : "\"?");
    free(names);
}

/** @param path  of the option */
static void check(const struct config_file *file, const char *path, const char *name,
                  struct complaints *warnings)
{
    CLEANUP(memory_free_pointer) char *config = aws_profiles_config_path();
    CLEANUP(memory_free_pointer) char *credentials = aws_profiles_credentials_path();
    CLEANUP(memory_free_pointer) char *files = memory_format("%.200s and %.200s", config, credentials);
    struct aws_profiles profiles CLEANUP(aws_profiles_clear) = {0};
    struct aws_plan plan CLEANUP(aws_plan_clear) = {0};
    struct fault f;
    CLEANUP(memory_free_pointer) char *copy = memory_string(name);
    if (access(config, F_OK) != 0 && access(credentials, F_OK) != 0) {
        CLEANUP(memory_free_pointer)
        char *text =
            memory_format("neither %.200s nor %.200s exists here; until one does, calls wait for credentials",
                          config, credentials);
        warn(file, path, text, warnings);
        return;
    }
    bool is_loaded = aws_profiles_load(&profiles, &f);
    if (is_loaded && aws_profiles_find(&profiles, name) == NULL) {
        complain_of_none(file, path, name, &profiles, files);
    } else if (!is_loaded || !aws_plan_make(&(struct aws_config){.profile = copy}, &plan, &f)) {
        warn(file, path, f.text, warnings);
    }
}

void config_profile_check(const struct config_file *file, const struct function_config *c,
                          struct complaints *warnings)
{
    if (c->lambda.aws.profile != NULL) {
        check(file, "endpoint.lambda.credentials.profile", c->lambda.aws.profile, warnings);
    }
    if (c->http.auth.aws.keys.profile != NULL) {
        check(file, "endpoint.http.auth.aws.profile", c->http.auth.aws.keys.profile, warnings);
    }
}

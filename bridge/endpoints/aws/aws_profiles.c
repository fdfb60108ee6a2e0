#include "bridge/endpoints/aws/aws_profiles.h"

#include <ctype.h>
#include <unistd.h>

#include "core/config/config_file.h"

enum { FILE_SIZE_MAX = 1 << 20 };

const char *aws_variable(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

const char *aws_profiles_default(void)
{
    const char *name = aws_variable("AWS_PROFILE");
    name = name == NULL ? aws_variable("AWS_DEFAULT_PROFILE") : name;
    return name == NULL ? "default" : name;
}

static struct slice trim(struct slice s)
{
    while (s.size > 0 && isspace(s.data[0])) {
        s = slice_make(s.data + 1, s.size - 1);
    }
    while (s.size > 0 && isspace(s.data[s.size - 1])) {
        s.size--;
    }
    return s;
}

static struct aws_profile *open_profile(struct aws_profiles *p, struct slice name)
{
    for (size_t i = 0; i < p->count; i++) {
        if (slice_equal(slice_of(p->items[i].name), name)) {
            return &p->items[i];
        }
    }
    p->items = memory_resize(p->items, (p->count + 1) * sizeof(*p->items));
    p->items[p->count] = (struct aws_profile){.name = slice_to_string(name)};
    return &p->items[p->count++];
}

/** The profile of a section's name; NULL: the section is about something else. */
static struct aws_profile *open_section(struct aws_profiles *p, struct slice name, bool is_config)
{
    static const char PREFIX[] = "profile";
    size_t size = sizeof(PREFIX) - 1;
    name = trim(name);
    bool has_prefix =
        name.size > size && memcmp(name.data, PREFIX, size) == 0 && isspace(name.data[size]) != 0;
    if (has_prefix) {
        name = trim(slice_make(name.data + size, name.size - size));
    } else if (is_config && !slice_equal(name, slice_of("default"))) {
        return NULL;
    }
    bool is_quoted = name.size > 1 && name.data[0] == '"' && name.data[name.size - 1] == '"';
    return open_profile(p, is_quoted ? slice_make(name.data + 1, name.size - 2) : name);
}

static void read_value(struct aws_profile *profile, struct slice line)
{
    const uint8_t *equals = memchr(line.data, '=', line.size);
    if (profile == NULL || equals == NULL) {
        return;
    }
    size_t size = (size_t)(equals - line.data);
    CLEANUP(memory_free_pointer) char *key = slice_to_string(trim(slice_make(line.data, size)));
    CLEANUP(memory_free_secret_pointer)
    char *value = slice_to_string(trim(slice_make(equals + 1, line.size - size - 1)));
    for (char *c = key; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    text_pairs_set_secret(&profile->values, key, value);
}

/** Adds what a file says. `is_config`: its sections are `[default]` and `[profile NAME]`. */
static void read_text(struct aws_profiles *p, struct slice text, bool is_config)
{
    struct aws_profile *profile = NULL;
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        struct slice line = slice_make(text.data, size);
        size_t taken = end == NULL ? size : size + 1;
        text = slice_make(text.data + taken, text.size - taken);
        // A line that begins with blanks belongs to the value before it: of no key that counts here.
        bool is_nested = line.size > 0 && isspace(line.data[0]) != 0;
        line = trim(line);
        if (line.size == 0 || is_nested || line.data[0] == '#' || line.data[0] == ';') {
            continue;
        }
        if (line.data[0] == '[') {
            const uint8_t *close = memchr(line.data, ']', line.size);
            size_t length = close == NULL ? 0 : (size_t)(close - line.data) - 1;
            profile = length == 0 ? NULL : open_section(p, slice_make(line.data + 1, length), is_config);
        } else {
            read_value(profile, line);
        }
    }
}

/** The path that the variable says, or the one under the home folder; the caller frees it. */
static char *path_of(const char *variable, const char *otherwise)
{
    const char *path = aws_variable(variable);
    path = path == NULL ? otherwise : path;
    const char *home = aws_variable("HOME");
    bool is_home = path[0] == '~' && path[1] == '/' && home != NULL;
    return is_home ? memory_format("%s%s", home, path + 1) : memory_string(path);
}

char *aws_profiles_config_path(void)
{
    return path_of("AWS_CONFIG_FILE", "~/.aws/config");
}

char *aws_profiles_credentials_path(void)
{
    return path_of("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
}

static bool load_file(struct aws_profiles *p, const char *path, bool is_config, struct fault *f)
{
    CLEANUP(bytes_wipe) struct bytes text = {0};
    if (access(path, F_OK) != 0) {
        return true;
    }
    if (!config_file_load(path, FILE_SIZE_MAX, &text, NULL, f)) {
        return false;
    }
    read_text(p, bytes_slice(&text), is_config);
    return true;
}

bool aws_profiles_load(struct aws_profiles *p, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *config = aws_profiles_config_path();
    CLEANUP(memory_free_pointer) char *credentials = aws_profiles_credentials_path();
    return load_file(p, config, true, f) && load_file(p, credentials, false, f);
}

const struct aws_profile *aws_profiles_find(const struct aws_profiles *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++) {
        if (strcmp(p->items[i].name, name) == 0) {
            return &p->items[i];
        }
    }
    return NULL;
}

const char *aws_profile_get(const struct aws_profile *profile, const char *key)
{
    const char *value = profile == NULL ? NULL : text_pairs_get(&profile->values, key);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

void aws_profiles_clear(struct aws_profiles *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->items[i].name);
        text_pairs_clear(&p->items[i].values);
    }
    free(p->items);
    *p = (struct aws_profiles){0};
}

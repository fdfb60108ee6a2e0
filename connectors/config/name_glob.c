#include "connectors/config/name_glob.h"

#include <ctype.h>

#include "core/base/memory.h"
#include "core/base/name_regex.h"
#include "core/config/config_value.h"

static size_t dots_of(const char *text)
{
    size_t dots = 0;
    for (; *text != '\0'; text++) {
        dots += *text == '.' ? 1 : 0;
    }
    return dots;
}

/** The first character, outside of brackets, that regular expressions have and names hardly; NULL: none. */
static const char *regex_part(const char *glob)
{
    for (const char *at = glob; *at != '\0'; at++) {
        bool is_escape = at[0] == '\\' && (at[1] == '.' || isalnum((unsigned char)at[1]));
        if (is_escape || strchr("(|+", *at) != NULL || (*at == '^' && at == glob)) {
            return at;
        }
        const char *end = *at == '[' ? strchr(at, ']') : NULL;
        at = end == NULL ? at : end;
    }
    return NULL;
}

// A part of an expression that can match a dot: whole names have some.
static bool can_match_dot(const char *regex)
{
    return strpbrk(regex, ".[") != NULL || strstr(regex, "\\W") != NULL || strstr(regex, "\\S") != NULL ||
           strstr(regex, "\\D") != NULL;
}

static bool refuse(const char *value, const char *why, const char *form, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(value, &quoted);
    return fault_set(f, FAULT_CONFIG, "%s %s%s", bytes_text(&quoted), why, form);
}

bool name_glob_check(const char *value, size_t dots, const char *form, struct fault *f)
{
    static const struct config_file none = {0};
    if (!config_value_check_glob(&none, value, f)) {
        return false;
    }
    if (name_regex_is(value)) {
        return can_match_dot(value) ||
               refuse(value, "matches nothing: a regular expression must match the whole of ", form, f);
    }
    if (regex_part(value) != NULL) {
        return refuse(value, "is a glob, and looks like a regular expression; write that between slashes", "",
                      f);
    }
    if (dots_of(value) < dots && strchr(value, '*') == NULL) {
        return refuse(value, "matches nothing; write ", form, f);
    }
    return true;
}

// The first `wanted` outside of brackets; NULL: none.
static const char *find_outside(const char *glob, char wanted)
{
    for (const char *at = glob; *at != '\0'; at++) {
        const char *end = *at == '[' ? strchr(at + 1, ']') : NULL;
        if (*at == wanted) {
            return at;
        }
        at = end == NULL ? at : end;
    }
    return NULL;
}

static size_t count_outside(const char *glob, char wanted)
{
    size_t count = 0;
    for (const char *at = find_outside(glob, wanted); at != NULL; at = find_outside(at + 1, wanted)) {
        count++;
    }
    return count;
}

static bool check_comma(const char *value, struct fault *f)
{
    return find_outside(value, ',') == NULL ||
           refuse(value,
                  "has a comma: write each entry as an item of its own, as in [a, b]; a comma of a name "
                  "as [,]",
                  "", f);
}

// "public.orders_.*" as it should be: public.orders_*.
static char *without_regex_dot(const char *value)
{
    size_t size = strlen(value);
    bool ends_so = size > 2 && strcmp(value + size - 2, ".*") == 0;
    return !ends_so ? NULL
                    : memory_format("%.*s%s", (int)(size - 2), value, value[size - 3] == '*' ? "" : "*");
}

bool name_glob_check_dots(const char *value, size_t dots, const char *topic_prefix, struct fault *f)
{
    size_t prefix_size = topic_prefix == NULL ? 0 : strlen(topic_prefix);
    bool has_more = count_outside(value, '.') > dots;
    if (!check_comma(value, f)) {
        return false;
    }
    if (has_more && prefix_size > 0 && strncmp(value, topic_prefix, prefix_size) == 0 &&
        value[prefix_size] == '.') {
        return refuse(value, "begins with the topic prefix, which names of the database don't have; write ",
                      value + prefix_size + 1, f);
    }
    if (!has_more || strpbrk(value, "*?[") == NULL) {
        return true;
    }
    CLEANUP(memory_free_pointer) char *meant = without_regex_dot(value);
    CLEANUP(memory_free_pointer)
    char *form = memory_format("%s%sa regular expression between slashes; a dot of a name as [.]",
                               meant == NULL ? "" : meant, meant == NULL ? "" : ", or ");
    return refuse(value, "matches only names that have a dot in them; write ", form, f);
}

bool name_glob_check_message(const char *value, struct fault *f)
{
    static const char *const never[] = {"traceparent", "tracestate", "millrace"};
    bool is_never = strncmp(value, "millrace.", strlen("millrace.")) == 0;
    for (size_t i = 0; i < COUNT_OF(never); i++) {
        is_never = is_never || strcmp(value, never[i]) == 0;
    }
    if (regex_part(value) != NULL) {
        return refuse(value,
                      "is a glob, and looks like a regular expression; write that between slashes, or "
                      "a glob, as in audit*",
                      "", f);
    }
    return check_comma(value, f) &&
           (!is_never || refuse(value, "matches only messages that are never published; take it out", "", f));
}

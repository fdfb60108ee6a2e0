#include "connectors/config/name_glob.h"

#include <ctype.h>

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

#include "core/base/name_regex.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>

#include "core/base/bytes.h"
#include "core/base/memory.h"

bool name_regex_is(const char *text)
{
    size_t length = strlen(text);
    return length >= 2 && text[0] == '/' && text[length - 1] == '/';
}

static bool lacks(struct fault *f, const char *at, int length, const char *hint)
{
    return fault_set(f, FAULT_CONFIG, "has %.*s, which POSIX regular expressions lack%s", length, at, hint);
}

/** The members of a set in brackets: those with another meaning in some places come where they have none. */
struct set {
    struct bytes members;
    bool is_negated;
    bool has_bracket;
    bool has_caret;
    bool has_dash;
};

// Java's classes within brackets; NULL: none.
static const char *class_members(char letter)
{
    return letter == 'd' ? "0-9" : letter == 'w' ? "A-Za-z0-9_" : letter == 's' ? "[:space:]" : NULL;
}

static bool read_set_escape(const char *at, struct set *set, struct fault *f)
{
    if (isalnum((unsigned char)at[1])) {
        const char *members = class_members(at[1]);
        if (members == NULL) {
            return lacks(f, at, 2, " in brackets");
        }
        bytes_append_string(&set->members, members);
        return true;
    }
    switch (at[1]) {
    case ']':
        set->has_bracket = true;
        break;
    case '^':
        set->has_caret = true;
        break;
    case '-':
        set->has_dash = true;
        break;
    default:
        bytes_append_byte(&set->members, (uint8_t)at[1]);
    }
    return true;
}

static void append_set(const struct set *set, struct bytes *out)
{
    if (set->has_caret && !set->has_bracket && !set->has_dash && set->members.size == 0 && !set->is_negated) {
        bytes_append_string(out, "\\^");
        return;
    }
    bytes_append_string(out, set->is_negated ? "[^" : "[");
    bytes_append_string(out, set->has_bracket ? "]" : "");
    bytes_append_slice(out, bytes_slice(&set->members));
    bytes_append_string(out, set->has_caret ? "^" : "");
    bytes_append_string(out, set->has_dash ? "-]" : "]");
}

/** @param at  behind the '[' @return at the ']', or NULL */
static const char *read_members(const char *at, struct set *set, struct fault *f)
{
    set->is_negated = *at == '^';
    at += set->is_negated ? 1 : 0;
    set->has_bracket = *at == ']';  // as the first it is a member
    at += set->has_bracket ? 1 : 0;
    while (*at != ']' && *at != '\0') {
        const char *end = at[0] == '[' && at[1] == ':' ? strstr(at, ":]") : NULL;
        if (end != NULL) {
            bytes_append(&set->members, at, (size_t)(end + 2 - at));
            at = end + 2;
        } else if (at[0] != '\\' || at[1] == '\0') {
            bytes_append_byte(&set->members, (uint8_t)*at++);
        } else if (read_set_escape(at, set, f)) {
            at += 2;
        } else {
            return NULL;
        }
    }
    return *at == ']' ? at : (fault_set(f, FAULT_CONFIG, "is not a regular expression: a [ has no ]"), NULL);
}

static const char *read_set(const char *at, struct bytes *out, struct fault *f)
{
    struct set set = {0};
    at = read_members(at, &set, f);
    if (at != NULL) {
        append_set(&set, out);
        at++;
    }
    bytes_clear(&set.members);
    return at;
}

static const char *read_escape(const char *at, struct bytes *out, struct fault *f)
{
    if (at[1] == 'd' || at[1] == 'D') {
        bytes_append_string(out, at[1] == 'd' ? "[0-9]" : "[^0-9]");
    } else if (isalnum((unsigned char)at[1]) && strchr("wWsSbB", at[1]) == NULL) {  // these are GNU's, too
        (void)lacks(f, at, 2, "");
        return NULL;
    } else {
        bytes_append(out, at, at[1] == '\0' ? 1 : 2);
    }
    return at + (at[1] == '\0' ? 1 : 2);
}

static const char *read_group(const char *at, struct bytes *out, struct fault *f)
{
    if (at[1] == '?' && at[2] != ':') {
        (void)lacks(f, at, at[2] == '\0' ? 2 : 3, "");
        return NULL;
    }
    bytes_append_byte(out, '(');
    return at + (at[1] == '?' ? 3 : 1);
}

static const char *read_part(const char *at, bool *is_in_braces, struct bytes *out, struct fault *f)
{
    switch (*at) {
    case '\\':
        return read_escape(at, out, f);
    case '[':
        return read_set(at + 1, out, f);
    case '(':
        return read_group(at, out, f);
    case ',':
        if (!*is_in_braces) {
            (void)fault_set(f, FAULT_CONFIG,
                            "has a comma: write each expression as an item of its own, and a comma of a name "
                            "as \\,");
            return NULL;
        }
        break;
    case '{':
        *is_in_braces = true;
        break;
    case '}':
        *is_in_braces = false;
        break;
    default:
        break;
    }
    bytes_append_byte(out, (uint8_t)*at);
    return at + 1;
}

char *name_regex_posix(const char *text, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes out = {0};
    CLEANUP(memory_free_pointer) char *source = slice_to_string(slice_make(text + 1, strlen(text) - 2));
    bool is_in_braces = false;
    bytes_append_string(&out, "^(");
    for (const char *at = source; *at != '\0';) {
        at = read_part(at, &is_in_braces, &out, f);
        if (at == NULL) {
            return NULL;
        }
    }
    bytes_append_string(&out, ")$");
    regex_t regex;
    int code = regcomp(&regex, bytes_text(&out), REG_EXTENDED | REG_NOSUB);
    if (code != 0) {
        char why[120];
        (void)regerror(code, &regex, why, sizeof(why));
        (void)fault_set(f, FAULT_CONFIG, "is not a regular expression: %s", why);
        return NULL;
    }
    regfree(&regex);
    return slice_to_string(bytes_slice(&out));
}

static bool compile(const char *text, bool is_case_ignored, int flags, regex_t *ret)
{
    struct fault f;
    CLEANUP(memory_free_pointer) char *posix = name_regex_posix(text, &f);
    return posix != NULL &&
           regcomp(ret, posix, REG_EXTENDED | flags | (is_case_ignored ? REG_ICASE : 0)) == 0;
}

bool name_regex_matches(const char *text, const char *name, bool is_case_ignored)
{
    regex_t regex;
    if (!compile(text, is_case_ignored, REG_NOSUB, &regex)) {
        return false;
    }
    bool is_match = regexec(&regex, name, 0, NULL, 0) == 0;
    regfree(&regex);
    return is_match;
}

// POSIX counts every parenthesis, Java leaves out (?:…). Returns the number of the first that are counted
// here; ret_posix has POSIX's numbers of the first NAME_REGEX_GROUPS.
static size_t list_groups(const char *text, size_t *ret_posix)
{
    size_t count = 0;
    size_t posix = 1;  // the first is that around the whole expression
    for (const char *at = text + 1; at[0] != '\0' && at[1] != '\0'; at++) {
        if (at[0] == '\\') {
            at++;
        } else if (at[0] == '[') {
            struct set set = {0};
            struct fault f;
            const char *end = read_members(at + 1, &set, &f);
            bytes_clear(&set.members);
            at = end == NULL ? at : end;
        } else if (at[0] == '(') {
            posix++;
            if (at[1] != '?' && count < NAME_REGEX_GROUPS) {
                ret_posix[count] = posix;
            }
            count += at[1] != '?' ? 1 : 0;
        }
    }
    return count;
}

size_t name_regex_group_count(const char *text)
{
    size_t posix[NAME_REGEX_GROUPS];
    return list_groups(text, posix);
}

bool name_regex_groups(const char *text, const char *name, bool is_case_ignored,
                       struct slice ret_groups[NAME_REGEX_GROUPS])
{
    size_t posix[NAME_REGEX_GROUPS];
    size_t count = list_groups(text, posix);
    regex_t regex;
    if (!compile(text, is_case_ignored, 0, &regex)) {
        return false;
    }
    size_t parts = regex.re_nsub + 1;
    regmatch_t *found = memory_zeroed(parts, sizeof(*found));
    bool is_match = regexec(&regex, name, parts, found, 0) == 0;
    for (size_t i = 0; i < NAME_REGEX_GROUPS; i++) {
        bool has_part = is_match && i < count && posix[i] < parts && found[posix[i]].rm_so >= 0;
        const regmatch_t *part = has_part ? &found[posix[i]] : NULL;
        ret_groups[i] = part == NULL ? slice_make(name, 0)
                                     : slice_make(name + part->rm_so, (size_t)(part->rm_eo - part->rm_so));
    }
    free(found);
    regfree(&regex);
    return is_match;
}

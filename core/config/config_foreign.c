#include "core/config/config_foreign.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

// The next word of a list that blanks separate; false: there is none.
static bool next_word(const char **rest, struct slice *ret)
{
    *rest += strspn(*rest, " ");
    size_t size = strcspn(*rest, " ");
    *ret = slice_make(*rest, size);
    *rest += size;
    return size > 0;
}

static bool has_key(const struct config_foreign *row, const char *key)
{
    const char *rest = row->keys;
    for (struct slice word; next_word(&rest, &word);) {
        CLEANUP(memory_free_pointer) char *glob = slice_to_string(word);
        if (text_glob_match(glob, key)) {
            return true;
        }
    }
    return false;
}

static const char *without_prefix(const struct config_foreigner *f, const char *key)
{
    const char *rest = f->prefixes;
    for (struct slice word; next_word(&rest, &word);) {
        if (strncmp(key, (const char *)word.data, word.size) == 0) {
            return key + word.size;
        }
    }
    return key;
}

bool config_foreign_key(const struct config_foreigner *f, const char *key, struct bytes *out)
{
    const char *plain = without_prefix(f, key);
    for (const struct config_foreign *row = f->rows; row->keys != NULL; row++) {
        if (!has_key(row, plain)) {
            continue;
        }
        bytes_format(out, "a setting of %s: ", f->program);
        for (const char *c = row->doc; *c != '\0'; c++) {
            if (*c != '`') {
                bytes_append_byte(out, (uint8_t)*c);
            }
        }
        return true;
    }
    return false;
}

// The pair of a row's values, split at its sign; false: there is none left.
static bool next_value(const char **rest, struct slice *ret_theirs, struct slice *ret_ours)
{
    struct slice pair;
    if (!next_word(rest, &pair)) {
        return false;
    }
    const uint8_t *sign = memchr(pair.data, '=', pair.size);
    size_t size = (size_t)(sign - pair.data);
    *ret_theirs = slice_make(pair.data, size);
    *ret_ours = slice_make(sign + 1, pair.size - size - 1);
    return true;
}

static void tell_value(const struct config_foreigner *f, const char *value, struct slice ours,
                       const char *allowed, struct bytes *out)
{
    if (ours.size == 0) {
        bytes_format(out, "\"%s\" of %s has no counterpart; write %s", value, f->program, allowed);
    } else {
        bytes_format(out, "\"%s\" is a value of %s; write %.*s", value, f->program, (int)ours.size,
                     (const char *)ours.data);
    }
}

bool config_foreign_value(const struct config_foreigner *f, const char *option, const char *value,
                          const char *allowed, struct bytes *out)
{
    for (const struct config_foreign *row = f->rows; row->keys != NULL; row++) {
        if (row->option == NULL || strcmp(row->option, option) != 0) {
            continue;
        }
        const char *rest = row->values;
        for (struct slice theirs, ours; next_value(&rest, &theirs, &ours);) {
            if (slice_equal(theirs, slice_of(value))) {
                tell_value(f, value, ours, allowed, out);
                return true;
            }
        }
    }
    return false;
}

static void write_keys(const struct config_foreign *row, struct bytes *out)
{
    const char *rest = row->keys;
    const char *before = "";
    for (struct slice word; next_word(&rest, &word); before = ", ") {
        bytes_format(out, "%s`%.*s`", before, (int)word.size, (const char *)word.data);
    }
}

static void write_values(const struct config_foreign *row, bool is_answered, struct bytes *out)
{
    const char *rest = row->values;
    const char *before = is_answered ? "; " : "; none for ";
    for (struct slice theirs, ours; next_value(&rest, &theirs, &ours);) {
        if ((ours.size > 0) != is_answered) {
            continue;
        }
        if (is_answered) {
            bytes_format(out, "%s`%.*s` for `%.*s`", before, (int)ours.size, (const char *)ours.data,
                         (int)theirs.size, (const char *)theirs.data);
        } else {
            bytes_format(out, "%s`%.*s`", before, (int)theirs.size, (const char *)theirs.data);
        }
        before = ", ";
    }
}

void config_foreign_reference(const struct config_foreigner *f, struct bytes *out)
{
    bytes_format(out, "| %s | millrace |\n|---|---|\n", f->program);
    for (const struct config_foreign *row = f->rows; row->keys != NULL; row++) {
        bytes_append_string(out, "| ");
        write_keys(row, out);
        bytes_format(out, " | %s", row->doc);
        if (row->values != NULL) {
            write_values(row, true, out);
            write_values(row, false, out);
        }
        bytes_append_string(out, " |\n");
    }
}

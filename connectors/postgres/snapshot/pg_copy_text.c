// Fields end with a tab, the line with a newline; \N alone is NULL; \b \f \n \r \t \v stand for control
// characters, a backslash before any other byte stands for that byte. Source: PostgreSQL 15, COPY, "Text
// Format".
#include "connectors/postgres/snapshot/pg_copy_text.h"

static char unescaped(char escaped)
{
    switch (escaped) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    default:
        return escaped;
    }
}

// Unescapes the field that begins at `at`. Returns where it ends: at its tab or at `end`.
static char *split_field(char *at, const char *end, struct pgoutput_value *ret)
{
    if (end - at >= 2 && at[0] == '\\' && at[1] == 'N' && (end - at == 2 || at[2] == '\t')) {
        *ret = (struct pgoutput_value){NULL, 0, PGOUTPUT_VALUE_NULL};
        return at + 2;
    }
    char *from = at;
    char *to = at;
    for (; at < end && *at != '\t'; at++) {
        if (*at == '\\' && at + 1 < end) {
            at++;
            *to++ = unescaped(*at);
        } else {
            *to++ = *at;
        }
    }
    *ret = (struct pgoutput_value){(uint8_t *)from, (uint32_t)(to - from), PGOUTPUT_VALUE_TEXT};
    return at;
}

bool pg_copy_text_split(char *line, size_t size, size_t count, struct pgoutput_tuple *ret, struct fault *f)
{
    if (size > 0 && line[size - 1] == '\n') {
        size--;
    }
    char *at = line;
    const char *end = line + size;
    size_t found = 0;
    // A table without columns has empty lines; any other line has one field more than tabs.
    bool has_more = count > 0;
    while (has_more && found < count && found < PGOUTPUT_COLUMNS_MAX) {
        at = split_field(at, end, &ret->values[found++]);
        has_more = at < end;
        at += has_more ? 1 : 0;
    }
    if (has_more || at != end || found != count) {
        return fault_set(f, FAULT_FATAL, "a snapshot row has %zu of %zu columns", found, count);
    }
    ret->count = (uint16_t)count;
    return true;
}

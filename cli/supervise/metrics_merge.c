#include "cli/supervise/metrics_merge.h"

#include <math.h>

#include "core/base/memory.h"
#include "core/base/table.h"
#include "core/metrics.h"

struct metrics_merge_series {
    char *key;  // name{labels}
    double value;
    UT_hash_handle hh;
};

struct metrics_merge_family {
    char *name;
    char *help;  // the whole line
    char *type;  // the whole line
    bool is_max;
    struct metrics_merge_series *series;
    UT_hash_handle hh;
};

struct metrics_merge {
    struct metrics_merge_family *families;
    unsigned kinds;  // filter of the text that is being added; 0: none
};

struct metrics_merge *metrics_merge_new(void)
{
    return memory_zeroed(1, sizeof(struct metrics_merge));
}

static bool ends_with(struct slice name, const char *ending)
{
    size_t size = strlen(ending);
    return name.size >= size && memcmp(name.data + name.size - size, ending, size) == 0;
}

static struct metrics_merge_family *find_family(struct metrics_merge *m, struct slice name)
{
    struct metrics_merge_family *family;
    HASH_FIND(hh, m->families, name.data, name.size, family);
    if (family == NULL) {
        family = memory_zeroed(1, sizeof(*family));
        family->name = slice_to_string(name);
        family->is_max =
            ends_with(name, "_lag_seconds") || ends_with(name, "_state") || ends_with(name, "_error_seconds");
        HASH_ADD_KEYPTR(hh, m->families, family->name, name.size, family);
    }
    return family;
}

/** The family of a sample: a histogram's samples have its name with a suffix. */
static struct metrics_merge_family *family_of_sample(struct metrics_merge *m, struct slice name)
{
    static const char *const endings[] = {"_bucket", "_sum", "_count"};
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        if (ends_with(name, endings[i])) {
            struct metrics_merge_family *family;
            HASH_FIND(hh, m->families, name.data, name.size - strlen(endings[i]), family);
            if (family != NULL) {
                return family;
            }
        }
    }
    return find_family(m, name);
}

static bool is_wanted(const struct metrics_merge *m, const struct metrics_merge_family *family)
{
    if (m->kinds == 0) {
        return true;
    }
    struct slice name = slice_of(family->name);
    const char *type = family->type == NULL ? "" : strrchr(family->type, ' ');
    if (type != NULL && (strcmp(type, " counter") == 0 || strcmp(type, " histogram") == 0)) {
        return (m->kinds & METRICS_MERGE_COUNTERS) != 0;
    }
    return (m->kinds & METRICS_MERGE_LASTING_GAUGES) != 0 && !ends_with(name, "_state") &&
           strstr(family->name, "_in_flight_") == NULL;
}

static void add_sample(struct metrics_merge *m, struct slice name, struct slice key, double value)
{
    struct metrics_merge_family *family = family_of_sample(m, name);
    if (!is_wanted(m, family)) {
        return;
    }
    struct metrics_merge_series *series;
    HASH_FIND(hh, family->series, key.data, key.size, series);
    if (series == NULL) {
        series = memory_zeroed(1, sizeof(*series));
        series->key = slice_to_string(key);
        series->value = value;
        HASH_ADD_KEYPTR(hh, family->series, series->key, key.size, series);
    } else {
        series->value = family->is_max ? fmax(series->value, value) : series->value + value;
    }
}

/** "# HELP name text" or "# TYPE name kind": keeps the first line of each name. */
static void add_comment(struct metrics_merge *m, struct slice line)
{
    const size_t head = strlen("# HELP ");
    if (line.size <= head) {
        return;
    }
    bool is_help = memcmp(line.data, "# HELP ", head) == 0;
    const uint8_t *blank = memchr(line.data + head, ' ', line.size - head);
    if ((!is_help && memcmp(line.data, "# TYPE ", head) != 0) || blank == NULL) {
        return;
    }
    struct slice name = slice_make(line.data + head, (size_t)(blank - line.data) - head);
    struct metrics_merge_family *family = find_family(m, name);
    char **place = is_help ? &family->help : &family->type;
    if (*place == NULL) {
        *place = slice_to_string(line);
    }
}

static void add_line(struct metrics_merge *m, struct slice line)
{
    const uint8_t *blank = line.size == 0 ? NULL : memrchr(line.data, ' ', line.size);
    if (line.size > 0 && line.data[0] == '#') {
        add_comment(m, line);
        return;
    }
    if (blank == NULL || blank == line.data) {
        return;
    }
    CLEANUP(memory_free_pointer)
    char *number = slice_to_string(slice_make(blank + 1, (size_t)(line.data + line.size - blank) - 1));
    char *end = number;
    double value = strtod(number, &end);
    if (end == number || *end != '\0') {
        return;
    }
    struct slice key = slice_make(line.data, (size_t)(blank - line.data));
    const uint8_t *brace = memchr(key.data, '{', key.size);
    add_sample(m, slice_make(key.data, brace == NULL ? key.size : (size_t)(brace - key.data)), key, value);
}

void metrics_merge_add(struct metrics_merge *m, struct slice text)
{
    metrics_merge_add_kinds(m, text, 0);
}

void metrics_merge_add_kinds(struct metrics_merge *m, struct slice text, unsigned kinds)
{
    m->kinds = kinds;
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        add_line(m, slice_make(text.data, size));
        size += end == NULL ? 0 : 1;
        text = slice_make(text.data + size, text.size - size);
    }
}

void metrics_merge_write(const struct metrics_merge *m, struct bytes *out)
{
    for (const struct metrics_merge_family *f = m->families; f != NULL; f = f->hh.next) {
        if (f->series == NULL) {
            continue;
        }
        if (f->help != NULL) {
            bytes_format(out, "%s\n", f->help);
        }
        if (f->type != NULL) {
            bytes_format(out, "%s\n", f->type);
        }
        for (const struct metrics_merge_series *s = f->series; s != NULL; s = s->hh.next) {
            bytes_format(out, "%s ", s->key);
            metrics_append_number(out, s->value);
            bytes_append_byte(out, '\n');
        }
    }
}

void metrics_merge_free(struct metrics_merge *m)
{
    if (m == NULL) {
        return;
    }
    struct metrics_merge_family *family;
    struct metrics_merge_family *next_family;
    HASH_ITER (hh, m->families, family, next_family) {
        struct metrics_merge_series *series;
        struct metrics_merge_series *next;
        HASH_ITER (hh, family->series, series, next) {
            HASH_DEL(family->series, series);
            free(series->key);
            free(series);
        }
        HASH_DEL(m->families, family);
        free(family->name);
        free(family->help);
        free(family->type);
        free(family);
    }
    free(m);
}

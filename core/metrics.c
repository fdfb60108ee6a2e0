#include "core/metrics.h"

#include "core/base/table.h"
#include <math.h>
#include <stdio.h>

#include "core/base/memory.h"

// 1-2.5-5 from 1 ms to 50 s, then 60 s: the range of a broker's latency and of a function's 30 s time-out.
static const int64_t BUCKETS_US[] = {
    1000,   2500,    5000,    10000,   25000,    50000,    100000,   250000,
    500000, 1000000, 2500000, 5000000, 10000000, 25000000, 50000000, 60000000,
};
enum { BUCKET_COUNT = COUNT_OF(BUCKETS_US) };

struct metric {
    char *labels;  // the hash key within its family
    enum metric_kind kind;
    double value;       // counter, gauge; histogram: sum in seconds
    uint64_t *buckets;  // histograms: BUCKET_COUNT + 1, not cumulative; the last is +Inf
    UT_hash_handle hh;
};

struct metrics_family {
    char *name;
    char *help;
    enum metric_kind kind;
    struct metric *series;  // uthash keeps the order of insertion
    UT_hash_handle hh;
};

struct metrics {
    struct metrics_family *families;
};

struct metrics *metrics_new(void)
{
    return memory_zeroed(1, sizeof(struct metrics));
}

static void free_series(struct metric *s)
{
    free(s->labels);
    free(s->buckets);
    free(s);
}

static void free_family(struct metrics_family *family)
{
    struct metric *s;
    struct metric *next;
    HASH_ITER (hh, family->series, s, next) {
        HASH_DEL(family->series, s);
        free_series(s);
    }
    free(family->name);
    free(family->help);
    free(family);
}

void metrics_free(struct metrics *m)
{
    if (m == NULL) {
        return;
    }
    struct metrics_family *family;
    struct metrics_family *next;
    HASH_ITER (hh, m->families, family, next) {
        HASH_DEL(m->families, family);
        free_family(family);
    }
    free(m);
}

static struct metrics_family *find_family(struct metrics *m, enum metric_kind kind, const char *name,
                                          const char *help)
{
    struct metrics_family *family;
    HASH_FIND_STR(m->families, name, family);
    if (family == NULL) {
        family = memory_zeroed(1, sizeof(*family));
        family->name = memory_string(name);
        family->help = memory_string(help);
        family->kind = kind;
        HASH_ADD_KEYPTR(hh, m->families, family->name, strlen(family->name), family);
    }
    INVARIANT(family->kind == kind);
    return family;
}

struct metric *metrics_series(struct metrics *m, enum metric_kind kind, const char *name, const char *help,
                              const char *labels)
{
    struct metrics_family *family = find_family(m, kind, name, help);
    struct metric *s;
    HASH_FIND_STR(family->series, labels, s);
    if (s == NULL) {
        s = memory_zeroed(1, sizeof(*s));
        s->labels = memory_string(labels);
        s->kind = kind;
        if (kind == METRIC_HISTOGRAM) {
            s->buckets = memory_zeroed(BUCKET_COUNT + 1, sizeof(*s->buckets));
        }
        HASH_ADD_KEYPTR(hh, family->series, s->labels, strlen(s->labels), s);
    }
    return s;
}

/** Whether `label` (`function="a"`) is one whole label of the list, not the tail of another
 * (`my_function="a"`). */
static bool has_label(const char *labels, const char *label)
{
    size_t size = strlen(label);
    for (const char *at = strstr(labels, label); at != NULL; at = strstr(at + 1, label)) {
        bool is_start = at == labels || at[-1] == ',';
        bool is_end = at[size] == '\0' || at[size] == ',';
        if (is_start && is_end) {
            return true;
        }
    }
    return false;
}

void metrics_remove(struct metrics *m, const char *label)
{
    for (struct metrics_family *family = m->families; family != NULL; family = family->hh.next) {
        struct metric *s;
        struct metric *next;
        HASH_ITER (hh, family->series, s, next) {
            if (has_label(s->labels, label)) {
                HASH_DEL(family->series, s);
                free_series(s);
            }
        }
    }
}

void metric_add(struct metric *s, double amount)
{
    s->value += amount;
}

void metric_set(struct metric *s, double value)
{
    s->value = value;
}

void metric_observe_us(struct metric *s, int64_t duration_us)
{
    INVARIANT(s->kind == METRIC_HISTOGRAM);
    size_t bucket = 0;
    while (bucket < BUCKET_COUNT && duration_us > BUCKETS_US[bucket]) {
        bucket++;
    }
    s->buckets[bucket]++;
    s->value += (double)duration_us / 1e6;
}

void metrics_append_number(struct bytes *out, double value)
{
    // Whole numbers without an exponent are easier to read.
    if (isfinite(value) && value == floor(value) && fabs(value) < 1e15) {
        bytes_format(out, "%.0f", value);
    } else if (isfinite(value)) {
        bytes_format(out, "%.9g", value);
    } else {
        bytes_append_string(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
    }
}

static void write_sample(struct bytes *out, const char *name, const char *suffix, const char *labels)
{
    bytes_format(out, "%s%s", name, suffix);
    if (labels[0] != '\0') {
        bytes_format(out, "{%s}", labels);
    }
    bytes_append_byte(out, ' ');
}

/** Finite buckets without any observation say nothing, and are most of the text of a process with many idle
 * functions. */
static size_t buckets_written(const struct metric *s)
{
    for (size_t i = 0; i <= BUCKET_COUNT; i++) {
        if (s->buckets[i] > 0) {
            return BUCKET_COUNT;
        }
    }
    return 0;
}

static void write_histogram(struct bytes *out, const char *name, const struct metric *s)
{
    const char *comma = s->labels[0] != '\0' ? "," : "";
    uint64_t count = 0;
    size_t written = buckets_written(s);
    for (size_t i = 0; i < written; i++) {
        count += s->buckets[i];
        bytes_format(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, s->labels, comma,
                     (double)BUCKETS_US[i] / 1e6, (unsigned long long)count);
    }
    count += s->buckets[BUCKET_COUNT];
    bytes_format(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, s->labels, comma, (unsigned long long)count);
    write_sample(out, name, "_sum", s->labels);
    metrics_append_number(out, s->value);
    bytes_append_byte(out, '\n');
    write_sample(out, name, "_count", s->labels);
    bytes_format(out, "%llu\n", (unsigned long long)count);
}

void metrics_write(const struct metrics *m, struct bytes *out)
{
    static const char *const KIND_NAMES[] = {
        [METRIC_COUNTER] = "counter",
        [METRIC_GAUGE] = "gauge",
        [METRIC_HISTOGRAM] = "histogram",
    };
    for (const struct metrics_family *family = m->families; family != NULL; family = family->hh.next) {
        if (family->series == NULL) {
            continue;
        }
        bytes_format(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                     KIND_NAMES[family->kind]);
        for (const struct metric *s = family->series; s != NULL; s = s->hh.next) {
            if (family->kind == METRIC_HISTOGRAM) {
                write_histogram(out, family->name, s);
            } else {
                write_sample(out, family->name, "", s->labels);
                metrics_append_number(out, s->value);
                bytes_append_byte(out, '\n');
            }
        }
    }
}

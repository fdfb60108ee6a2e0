#include "connectors/postgres/catalogue/pg_visibility.h"

#include <stdlib.h>

// Parses digits and `end`. Returns the place after them; NULL: something else is there.
static const char *parse_number(const char *text, char end, uint64_t *ret)
{
    if (*text < '0' || *text > '9') {
        return NULL;
    }
    char *stop;
    *ret = strtoull(text, &stop, 10);
    return *stop == end ? stop + 1 : NULL;
}

bool pg_visibility_parse(const char *text, struct pg_visibility *ret, struct fault *f)
{
    CLEANUP(pg_visibility_clear) struct pg_visibility v = {0};
    const char *at = parse_number(text, ':', &v.xmin);
    at = at == NULL ? NULL : parse_number(at, ':', &v.xmax);
    bool is_good = at != NULL;
    while (is_good && *at != '\0') {
        uint64_t id;
        const char *next = parse_number(at, ',', &id);
        is_good = next != NULL ? *next != '\0' : parse_number(at, '\0', &id) != NULL;
        if (is_good) {
            v.active = memory_resize(v.active, (v.active_count + 1) * sizeof(*v.active));
            v.active[v.active_count++] = id;
            at = next == NULL ? "" : next;
        }
    }
    if (!is_good) {
        return fault_set(f, FAULT_FATAL, "pg_current_snapshot() returned \"%.100s\"", text);
    }
    *ret = v;
    v = (struct pg_visibility){0};
    return true;
}

void pg_visibility_clear(struct pg_visibility *v)
{
    free(v->active);
    *v = (struct pg_visibility){0};
}

bool pg_visibility_sees(const struct pg_visibility *v, uint32_t transaction_id)
{
    // The stream has the low 32 bits of the id: take the id nearest to xmax.
    uint64_t id = v->xmax + (uint64_t)(int64_t)(int32_t)(transaction_id - (uint32_t)v->xmax);
    if (id < v->xmin || id >= v->xmax) {
        return id < v->xmin;
    }
    for (size_t i = 0; i < v->active_count; i++) {
        if (v->active[i] == id) {
            return false;
        }
    }
    return true;
}

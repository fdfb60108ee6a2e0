#include "bridge/config/status_table.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void status_table_set(struct status_table *t, struct status_range range, enum status_verdict verdict)
{
    for (int status = range.first; status <= range.last; status++) {
        t->verdicts[status - STATUS_FIRST] = (uint8_t)verdict;
    }
}

/** Three digits. */
static bool read_status(const char *text, int *ret)
{
    int value = 0;
    for (int i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return false;
        }
        value = value * 10 + (text[i] - '0');
    }
    *ret = value;
    return true;
}

static bool read_range(const char *text, struct status_range *ret)
{
    if (isdigit((unsigned char)text[0]) && strcasecmp(text + 1, "xx") == 0) {
        ret->first = (text[0] - '0') * 100;
        ret->last = ret->first + 99;
        return true;
    }
    if (!read_status(text, &ret->first)) {
        return false;
    }
    ret->last = ret->first;
    return text[3] == '\0' || (text[3] == '-' && read_status(text + 4, &ret->last) && text[7] == '\0');
}

bool status_range_parse(const char *text, struct status_range *ret, struct fault *f)
{
    if (!read_range(text, ret)) {
        return fault_set(f, FAULT_CONFIG,
                         "is not a status (404), a class of them (4xx) or a range (400-409)");
    }
    if (ret->first > ret->last) {
        return fault_set(f, FAULT_CONFIG, "ends before it begins");
    }
    if (ret->first < STATUS_FIRST || ret->last > STATUS_LAST) {
        return fault_set(f, FAULT_CONFIG, "is not within %d to %d, the statuses of final responses",
                         STATUS_FIRST, STATUS_LAST);
    }
    return true;
}

bool status_verdict_parse(const char *text, enum status_verdict *ret, struct fault *f)
{
    static const char *const WORDS[] = {"", "done", "retry", "throttle", "dead", "pause"};
    for (size_t i = STATUS_DONE; i < COUNT_OF(WORDS); i++) {
        if (strcmp(WORDS[i], text) == 0) {
            *ret = (enum status_verdict)i;
            return true;
        }
    }
    return fault_set(f, FAULT_CONFIG, "must be done, retry, throttle, dead or pause");
}

static bool covers(struct status_range a, struct status_range b)
{
    return a.first <= b.first && a.last >= b.last;
}

bool status_range_conflicts(struct status_range a, struct status_range b)
{
    bool overlaps = a.first <= b.last && b.first <= a.last;
    return overlaps && covers(a, b) == covers(b, a);
}

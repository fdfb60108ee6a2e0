#include "bridge/filter/condition.h"

void condition_clear(struct condition *c)
{
    letter_case_clear(&c->letters);
    wildcard_clear(&c->wildcard);
    for (size_t i = 0; i < c->other_count; i++) {
        condition_clear(&c->others[i]);
    }
    free(c->others);
    *c = (struct condition){0};
}

size_t condition_cost(const struct condition *c)
{
    return 1 + c->other_count;
}

void condition_value_read(struct condition_value *v, const struct filter_value_ops *ops,
                          struct filter_value value, struct bytes *scratch)
{
    *v = (struct condition_value){.ops = ops, .value = value, .kind = ops->kind(value)};
    if (v->kind == FILTER_TEXT) {
        v->text = ops->text(value, scratch);
    } else if (v->kind == FILTER_NUMBER) {
        v->text = ops->number(value, scratch);
        v->has_number = decimal_read(v->text, &v->number);
    }
}

static bool is_between(const struct condition_numbers *n, const struct decimal *number)
{
    if (n->has_low) {
        int order = decimal_compare(number, &n->low);
        if (order < 0 || (order == 0 && n->is_low_open)) {
            return false;
        }
    }
    if (n->has_high) {
        int order = decimal_compare(number, &n->high);
        if (order > 0 || (order == 0 && n->is_high_open)) {
            return false;
        }
    }
    return true;
}

static bool text_holds(const struct condition *c, struct slice text)
{
    struct ip_address address;
    size_t size = c->text.size;
    switch (c->kind) {
    case CONDITION_TEXT:
        return slice_equal(text, c->text);
    case CONDITION_PREFIX:
        return text.size >= size && slice_equal(slice_make(text.data, size), c->text);
    case CONDITION_SUFFIX:
        return text.size >= size && slice_equal(slice_make(text.data + text.size - size, size), c->text);
    case CONDITION_CASE:
        return letter_case_matches(&c->letters, text, LETTER_CASE_WHOLE);
    case CONDITION_CASE_PREFIX:
        return letter_case_matches(&c->letters, text, LETTER_CASE_PREFIX);
    case CONDITION_CASE_SUFFIX:
        return letter_case_matches(&c->letters, text, LETTER_CASE_SUFFIX);
    case CONDITION_WILDCARD:
        return wildcard_matches(&c->wildcard, text);
    case CONDITION_ADDRESS:
        return ip_address_read(text, &address) && ip_address_is_in(&address, &c->range);
    case CONDITION_NULL:
    case CONDITION_FALSE:
    case CONDITION_TRUE:
    case CONDITION_NUMBER:
    case CONDITION_ANYTHING_BUT:
    case CONDITION_EXISTS:
    case CONDITION_ABSENT:
        break;
    }
    return false;
}

bool condition_holds(const struct condition *c, const struct condition_value *v)
{
    switch (c->kind) {
    case CONDITION_NULL:
        return v->kind == FILTER_NULL;
    case CONDITION_FALSE:
        return v->kind == FILTER_FALSE;
    case CONDITION_TRUE:
        return v->kind == FILTER_TRUE;
    case CONDITION_NUMBER:
        return v->has_number && is_between(&c->numbers, &v->number);
    case CONDITION_EXISTS:
        return true;
    case CONDITION_ABSENT:
        return false;
    case CONDITION_ANYTHING_BUT:
        for (size_t i = 0; i < c->other_count; i++) {
            if (condition_holds(&c->others[i], v)) {
                return false;
            }
        }
        return true;
    case CONDITION_TEXT:
    case CONDITION_PREFIX:
    case CONDITION_SUFFIX:
    case CONDITION_CASE:
    case CONDITION_CASE_PREFIX:
    case CONDITION_CASE_SUFFIX:
    case CONDITION_WILDCARD:
    case CONDITION_ADDRESS:
        return v->kind == FILTER_TEXT && text_holds(c, v->text);
    }
    return false;
}

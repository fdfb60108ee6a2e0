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

/** Whether the text is a decimal as functions get it: -12.50, without needless zeros before it. */
static bool is_decimal_text(struct slice text)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.size;
    if (text.size == 0 || (*at == '-' && ++at == end)) {
        return false;
    }
    if (*at < '0' || *at > '9' || (*at == '0' && at + 1 < end && at[1] != '.') || end[-1] == '.') {
        return false;
    }
    for (bool has_point = false; at < end; at++) {
        bool is_point = *at == '.' && !has_point;
        if (!is_point && (*at < '0' || *at > '9')) {
            return false;
        }
        has_point = has_point || is_point;
    }
    return true;
}

static bool has_number(struct condition_value *v)
{
    if (v->kind == FILTER_TEXT && v->ops->has_decimal_texts && !v->is_number_tried) {
        v->is_number_tried = true;
        v->has_number = is_decimal_text(v->text) && decimal_read(v->text, &v->number);
    }
    return v->has_number;
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

bool condition_holds(const struct condition *c, struct condition_value *v)
{
    switch (c->kind) {
    case CONDITION_NULL:
        return v->kind == FILTER_NULL;
    case CONDITION_FALSE:
        return v->kind == FILTER_FALSE;
    case CONDITION_TRUE:
        return v->kind == FILTER_TRUE;
    case CONDITION_NUMBER:
        return has_number(v) && is_between(&c->numbers, &v->number);
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

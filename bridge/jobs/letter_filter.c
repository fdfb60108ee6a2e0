#include "bridge/jobs/letter_filter.h"

#include <jansson.h>

#include "core/base/text.h"

enum { JSON_FLAGS = JSON_DECODE_ANY | JSON_ALLOW_NUL };

/** A scalar as text: a string without its quotes. */
static char *text_of(const json_t *value)
{
    return json_is_string(value) ? memory_string(json_string_value(value))
                                 : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static bool is_same_value(const json_t *a, const json_t *b)
{
    CLEANUP(memory_free_pointer) char *first = text_of(a);
    CLEANUP(memory_free_pointer) char *second = text_of(b);
    return json_equal(a, b) || (!json_is_object(a) && !json_is_object(b) && first != NULL && second != NULL &&
                                strcmp(first, second) == 0);
}

static bool is_same_object(json_t *a, const json_t *b)
{
    if (json_object_size(a) != json_object_size(b)) {
        return false;
    }
    const char *name;
    json_t *value;
    json_object_foreach(a, name, value)
    {
        const json_t *other = json_object_get(b, name);
        if (other == NULL || !is_same_value(value, other)) {
            return false;
        }
    }
    return true;
}

/** Compares with the only column of a key, or with a key that is no object. */
static bool is_text_of(const char *wanted, json_t *key)
{
    json_t *value = key;
    if (json_is_object(key)) {
        if (json_object_size(key) != 1) {
            return false;
        }
        value = json_object_iter_value(json_object_iter(key));
    }
    CLEANUP(memory_free_pointer) char *text = text_of(value);
    return text != NULL && strcmp(wanted, text) == 0;
}

bool event_key_matches(const char *wanted, struct slice key)
{
    json_t *mine = json_loads(wanted, JSON_FLAGS, NULL);
    json_t *other = json_loadb((const char *)key.data, key.size, JSON_FLAGS, NULL);
    bool is_match = false;
    if (other != NULL) {
        is_match = json_is_object(mine) && json_is_object(other) ? is_same_object(mine, other)
                                                                 : is_text_of(wanted, other);
        if (!is_match && json_is_string(mine)) {
            is_match = is_text_of(json_string_value(mine), other);
        }
    }
    json_decref(mine);
    json_decref(other);
    return is_match;
}

bool event_key_check(const char *wanted, struct fault *f)
{
    const char *start = wanted + strspn(wanted, " \t\r\n");
    if (*start != '{' && *start != '"') {
        return true;
    }
    json_error_t error;
    json_t *json = json_loads(wanted, JSON_FLAGS | JSON_REJECT_DUPLICATES, &error);
    json_decref(json);
    return json != NULL ||
           fault_set(
               f, FAULT_REJECT,
               "character %d: %s; write the key as JSON ({\"id\":7}), or the text of a key of one column",
               error.position, error.text);
}

static bool is_text(const char *wanted, struct slice text)
{
    return strlen(wanted) == text.size && memcmp(wanted, text.data, text.size) == 0;
}

static bool is_in_time(const struct letter_filter *filter, const struct letter_info *letter)
{
    return (filter->since_ms < 0 || letter->failed_at_ms >= filter->since_ms) &&
           (filter->until_ms < 0 || letter->failed_at_ms < filter->until_ms);
}

static bool is_topic(const char *glob, struct slice topic)
{
    CLEANUP(memory_free_pointer) char *name = slice_to_string(topic);
    return text_glob_match(glob, name);
}

bool letter_filter_matches(const struct letter_filter *filter, const struct record *r,
                           const struct letter_info *letter, struct slice key)
{
    return (filter->reason == NULL || is_text(filter->reason, letter->reason)) &&
           (filter->status < 0 || filter->status == letter->status) && is_in_time(filter, letter) &&
           (filter->partition < 0 || (filter->partition == r->partition && filter->offset == r->offset)) &&
           (filter->event_id == NULL || is_text(filter->event_id, letter->event_id)) &&
           (filter->topic == NULL || is_topic(filter->topic, letter->topic)) &&
           (filter->key == NULL || event_key_matches(filter->key, key));
}

#include "bridge/reply/cloud_event.h"

#include <strings.h>

#include "bridge/intake/record.h"
#include "core/http/http_field_list.h"
#include "schemas/json/json_check.h"
#include "schemas/json/json_text.h"

static const char PREFIX[] = "ce-";
enum {
    PREFIX_SIZE = sizeof(PREFIX) - 1,
    NAME_SIZE_MAX = 64,
    VALUE_SIZE_MAX = 16 << 10,
    ATTRIBUTES_MAX = 256,
};

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
            return false;
        }
    }
    return name.size > 0 && name.size <= NAME_SIZE_MAX;
}

/** UTF-8 without control characters, as the type String of CloudEvents. */
static bool is_text(struct slice value)
{
    const uint8_t *at = value.data;
    const uint8_t *end = value.size > 0 ? at + value.size : at;
    while (at < end) {
        size_t size = json_text_character(at, end);
        bool is_control = *at < 0x20 || *at == 0x7f || (size == 2 && at[0] == 0xc2 && at[1] < 0xa0);
        if (size == 0 || is_control) {
            return false;
        }
        at += size;
    }
    return true;
}

static int show_size(struct slice text)
{
    return text.size > NAME_SIZE_MAX ? NAME_SIZE_MAX : (int)text.size;
}

/** Adds an attribute of the event; its name and value are checked. specversion and datacontenttype go
 * elsewhere. */
static bool add_attribute(struct replies *replies, struct reply *event, struct slice name, struct slice value,
                          bool *has_version, struct fault *f)
{
    if (!is_name(name)) {
        return fault_set(f, FAULT_REJECT, "\"%.*s\" is no name of an attribute: it has a-z and 0-9 alone",
                         show_size(name), (const char *)name.data);
    }
    if (!is_text(value) || value.size > VALUE_SIZE_MAX) {
        return fault_set(f, FAULT_REJECT,
                         "the attribute %.*s has control characters, is not UTF-8 or too long",
                         show_size(name), (const char *)name.data);
    }
    if (slice_equal(name, slice_of("specversion"))) {
        *has_version = true;
        return slice_equal(value, slice_of("1.0")) ||
               fault_set(f, FAULT_REJECT, "specversion is \"%.*s\"; 1.0 is known", show_size(value),
                         (const char *)value.data);
    }
    if (slice_equal(name, slice_of("datacontenttype"))) {
        event->content_type = value;
        return true;
    }
    for (size_t i = 0; i < event->attribute_count; i++) {
        if (slice_equal(event->attributes[i].name, name)) {
            return fault_set(f, FAULT_REJECT, "the attribute %.*s is there twice", show_size(name),
                             (const char *)name.data);
        }
    }
    if (event->attribute_count == ATTRIBUTES_MAX) {
        return fault_set(f, FAULT_REJECT, "it has more than %d attributes", ATTRIBUTES_MAX);
    }
    if (value.size > 0) {
        event->attributes[event->attribute_count++] = (struct reply_attribute){name, value};
        replies->attribute_count++;
    }
    return true;
}

static struct reply *add_event(struct replies *replies)
{
    struct reply *event = &replies->items[replies->count++];
    event->is_cloud_event = true;
    event->attributes = replies->attributes + replies->attribute_count;
    return event;
}

static bool check_required(const struct reply *event, bool has_version, struct fault *f)
{
    static const char *const REQUIRED[] = {"id", "source", "type"};
    if (!has_version) {
        return fault_set(f, FAULT_REJECT, "it has no specversion");
    }
    for (size_t i = 0; i < COUNT_OF(REQUIRED); i++) {
        if (reply_attribute_of(event, REQUIRED[i]).size == 0) {
            return fault_set(f, FAULT_REJECT, "it has no %s", REQUIRED[i]);
        }
    }
    return true;
}

static bool is_attribute_header(struct slice name)
{
    return name.size > PREFIX_SIZE && strncasecmp((const char *)name.data, PREFIX, PREFIX_SIZE) == 0;
}

bool cloud_event_is_binary(const struct response *r)
{
    return http_field_list_find(r->fields, r->field_count, "ce-specversion").data != NULL;
}

static struct slice since(const struct bytes *text, size_t at)
{
    return slice_make(text->data + at, text->size - at);
}

static int digit_of(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/** Decodes a header's value. Source: HTTP binding 1.0.2, 3.1.3.2: quotes around it are removed first. */
static struct slice decode_value(struct bytes *text, struct slice value)
{
    size_t begin = text->size;
    bool is_quoted = value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"';
    size_t at = is_quoted ? 1 : 0;
    size_t end = is_quoted ? value.size - 1 : value.size;
    while (at < end) {
        uint8_t c = value.data[at++];
        if (is_quoted && c == '\\' && at < end) {
            c = value.data[at++];
        } else if (c == '%' && end - at >= 2 && digit_of(value.data[at]) >= 0 &&
                   digit_of(value.data[at + 1]) >= 0) {
            c = (uint8_t)(digit_of(value.data[at]) << 4 | digit_of(value.data[at + 1]));
            at += 2;
        }
        bytes_append_byte(text, c);
    }
    return since(text, begin);
}

static struct slice lower_name(struct bytes *text, struct slice name)
{
    size_t begin = text->size;
    for (size_t i = PREFIX_SIZE; i < name.size; i++) {
        uint8_t c = name.data[i];
        bytes_append_byte(text, c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c);
    }
    return since(text, begin);
}

bool cloud_event_read_binary(const struct response *r, struct slice content_type, struct replies *ret,
                             struct fault *f)
{
    size_t size = 0;
    for (size_t i = 0; i < r->field_count; i++) {
        size += r->fields[i].name.size + r->fields[i].value.size;
    }
    replies_reserve(ret, 1, r->field_count, size);
    struct reply *event = add_event(ret);
    bool has_version = false;
    for (size_t i = 0; i < r->field_count; i++) {
        if (!is_attribute_header(r->fields[i].name)) {
            continue;
        }
        struct slice name = lower_name(&ret->text, r->fields[i].name);
        struct slice value = decode_value(&ret->text, r->fields[i].value);
        if (!add_attribute(ret, event, name, value, &has_version, f)) {
            return fault_context(f, "a CloudEvent in headers");
        }
    }
    bool has_data = r->body.size > 0;
    event->content_type = has_data ? content_type : slice_of("application/json");
    event->data = has_data ? r->body : slice_of("null");
    if (record_is_json_type(event->content_type) && !json_check_value(event->data)) {
        return fault_set(f, FAULT_REJECT,
                         "a CloudEvent in headers: its content-type says JSON, and it is none");
    }
    return check_required(event, has_version, f) || fault_context(f, "a CloudEvent in headers");
}

static struct slice raw_of(const struct json_tree *t, const struct json_node *node)
{
    return slice_make(t->source.data + node->at, node->end - node->at);
}

/** The six bits of a character; 0 of padding, -1 of others. */
static int base64_digit(uint8_t c)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == 0 ? NULL : strchr(DIGITS, c);
    return at != NULL ? (int)(at - DIGITS) : c == '=' ? 0 : -1;
}

/** RFC 4648 with padding. False: it is none. */
static bool decode_base64(struct bytes *text, struct slice value)
{
    uint32_t bits = 0;
    size_t padding = 0;
    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = value.data[i];
        int digit = base64_digit(c);
        padding += c == '=' ? 1 : 0;
        if (digit < 0 || (c != '=' && padding > 0)) {
            return false;
        }
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 == 3) {
            bytes_append_byte(text, (uint8_t)(bits >> 16));
            bytes_append_byte(text, (uint8_t)(bits >> 8));
            bytes_append_byte(text, (uint8_t)bits);
        }
    }
    if (value.size % 4 != 0 || padding > 2) {
        return false;
    }
    text->size -= padding;
    return true;
}

/** The data: JSON as it is written, a string's text if its content type is not JSON, or bytes. */
static bool read_data(struct replies *ret, struct reply *event, const struct json_node *data,
                      const struct json_node *base64, struct fault *f)
{
    const struct json_tree *t = &ret->tree;
    event->content_type = event->content_type.size == 0 ? slice_of("application/json") : event->content_type;
    bool is_json = record_is_json_type(event->content_type);
    if (base64 != NULL) {
        size_t begin = ret->text.size;
        if (data != NULL || base64->kind != FILTER_TEXT || !decode_base64(&ret->text, base64->text)) {
            return fault_set(f, FAULT_REJECT, "%s",
                             data != NULL ? "it has data and data_base64" : "data_base64 is no base64");
        }
        event->data = since(&ret->text, begin);
        return true;
    }
    if (data == NULL) {
        event->data = slice_of("null");
        event->content_type = slice_of("application/json");
    } else if (!is_json && data->kind == FILTER_TEXT) {
        event->data = data->text;
    } else if (!is_json) {
        return fault_set(f, FAULT_REJECT, "its data is JSON, and its datacontenttype is not");
    } else {
        event->data = raw_of(t, data);
    }
    return true;
}

static bool read_member(struct replies *ret, struct reply *event, const struct json_node *member,
                        bool *has_version, struct fault *f)
{
    switch (member->kind) {
    case FILTER_TEXT:
        return add_attribute(ret, event, member->name, member->text, has_version, f);
    case FILTER_NUMBER:
    case FILTER_TRUE:
    case FILTER_FALSE:
        return add_attribute(ret, event, member->name, raw_of(&ret->tree, member), has_version, f);
    case FILTER_NULL:
        return true;
    case FILTER_OBJECT:
    case FILTER_ARRAY:
        break;
    }
    return fault_set(f, FAULT_REJECT, "the attribute %.*s is neither text, number nor boolean",
                     show_size(member->name), (const char *)member->name.data);
}

bool cloud_event_read_json(const struct json_node *object, struct replies *ret, struct fault *f)
{
    if (object->kind != FILTER_OBJECT) {
        return fault_set(f, FAULT_REJECT, "a CloudEvent is no JSON object");
    }
    struct reply *event = add_event(ret);
    const struct json_node *data = NULL;
    const struct json_node *base64 = NULL;
    bool has_version = false;
    for (const struct json_node *m = json_tree_child(&ret->tree, object); m != NULL;
         m = json_tree_next(&ret->tree, m)) {
        if (slice_equal(m->name, slice_of("data"))) {
            data = m->kind == FILTER_NULL ? NULL : m;
        } else if (slice_equal(m->name, slice_of("data_base64"))) {
            base64 = m->kind == FILTER_NULL ? NULL : m;
        } else if (!read_member(ret, event, m, &has_version, f)) {
            return fault_context(f, "a CloudEvent");
        }
    }
    return (check_required(event, has_version, f) && read_data(ret, event, data, base64, f)) ||
           fault_context(f, "a CloudEvent");
}

bool cloud_event_is_json(const struct json_tree *t, const struct json_node *node)
{
    static const char *const REQUIRED[] = {"specversion", "id", "source", "type"};
    for (size_t i = 0; i < COUNT_OF(REQUIRED); i++) {
        const struct json_node *member =
            node->kind == FILTER_OBJECT ? json_tree_member(t, node, slice_of(REQUIRED[i])) : NULL;
        if (member == NULL || member->kind != FILTER_TEXT) {
            return false;
        }
    }
    return true;
}
